"""Typer's command and group, less pydantic: since 0.29 typer loads it to convert every parameter, also one that was
not given, and that takes longer than all of `zoo list`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from typer.core import TyperCommand, TyperGroup


class LeanCommand(TyperCommand):
    """A command all of whose parameters are texts and flags."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _leave_texts_alone(self.get_params(ctx))
        return super().parse_args(ctx, args)


class LeanGroup(TyperGroup):
    """A group all of whose own parameters are flags."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _leave_texts_alone(self.get_params(ctx))
        return super().parse_args(ctx, args)


def _leave_texts_alone(params: Iterable[Any]) -> None:
    for param in params:
        param.process_value = partial(_process, param, param.process_value)


def _process(param: Any, process: Callable[[Any, Any], Any], context: Any, value: Any) -> Any:
    if isinstance(value, str) or (value is None and not param.required):
        return value if param.callback is None else param.callback(context, param, value)
    return process(context, value)
