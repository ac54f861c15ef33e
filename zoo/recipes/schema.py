"""A callable's signature -> a checked table of parameters. The one place that imports pydantic."""

from __future__ import annotations

import collections.abc
import inspect
import json
import math
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Union

from zoo.errors import nearest
from zoo.recipes.wording import choices_of, describe_type, is_union, value_name

MADE = object()  # the default of a dataclass field that a factory makes
CONTAINERS = (list, tuple, dict, collections.abc.Sequence, collections.abc.Mapping)
PLAIN = (bool, int, float, str, list, dict, tuple, type(None), Path)


@dataclass(frozen=True)
class Nested:
    """Marks a parameter that is itself a component: `Annotated[Any, Nested("loss")]`. `nn.Module` means a model."""

    kind: str


@dataclass(frozen=True)
class Parameter:
    """One parameter of a component, as a recipe sees it.

    `type` is what a recipe may write (None where TOML cannot write it: such a parameter comes from facts only);
    `nested` is the kind of component it takes, or "run" for a run folder, or empty.
    """

    name: str
    type: Any
    default: Any = inspect.Parameter.empty
    nested: str = ""

    @property
    def required(self) -> bool:
        return self.default is inspect.Parameter.empty

    @property
    def type_name(self) -> str:
        if self.nested:
            return "run folder" if self.nested == "run" else self.nested
        return "from facts only" if self.type is None else describe_type(self.type)


@dataclass(frozen=True)
class Mistake:
    """One thing wrong with a table. `at` says whether its key or its value is."""

    code: str
    message: str
    path: tuple[str | int, ...]
    at: Literal["key", "value"] = "value"
    suggestion: str | None = None


def below(mistake: Mistake, *keys: str | int) -> Mistake:
    """Return a mistake of a table as one of what holds the table under `keys`."""
    return replace(mistake, path=(*keys, *mistake.path))


def parameters_of(function: Callable[..., Any], supplied: Iterable[str] = ()) -> dict[str, Parameter]:
    """The parameters a recipe may set, in order; those in `supplied` are the job's and left out.

    `*args` and `**kwargs` are left out: what they swallow would be typos.
    """
    read = _parameters if isinstance(function, collections.abc.Hashable) else _parameters.__wrapped__
    return dict(read(function, tuple(supplied)))


@cache
def _parameters(function: Callable[..., Any], supplied: tuple[str, ...]) -> dict[str, Parameter]:
    hints = _hints(function)
    found = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) or parameter.name in supplied:
            continue
        annotation = hints.get(parameter.name, Any)
        nested = _nested_kind(annotation)
        writable = str if nested else _writable(annotation)
        if annotation is Any:
            writable = _type_of_default(parameter.default)
        # `from_` is how Python writes a parameter that a recipe calls `from`.
        found[parameter.name.rstrip("_")] = Parameter(parameter.name, writable, _default(parameter), nested)
    return found


def _default(parameter: inspect.Parameter) -> Any:
    default = parameter.default
    factory = type(default).__name__ == "_HAS_DEFAULT_FACTORY_CLASS"
    return MADE if factory else default


def check_table(table: Mapping[str, Any], parameters: Mapping[str, Parameter], owner: str) -> list[Mistake]:
    """Return what is wrong with a table of parameters. `owner` names whose they are: "model `lenet`".

    Nested components are the caller's to check; parameters left out are not mistakes here, since facts may fill them.
    """
    mistakes = []
    for key, value in table.items():
        parameter = parameters.get(key)
        if parameter is None:
            suggestion = nearest(key, parameters)
            mistakes.append(Mistake("unknown-key", f"unknown key `{key}` of {owner}", (key,), "key", suggestion))
        elif parameter.type is None:
            message = f"`{key}` of {owner} cannot be written in a recipe; it comes from the dataset's facts"
            mistakes.append(Mistake("not-writable", message, (key,), "key"))
        elif not parameter.nested:
            mistakes += _check_value(key, value, parameter, owner)
    return mistakes


def convert(value: Any, parameter: Parameter) -> Any:
    """A checked value in the type that the callable asks for (a list becomes a tuple, say)."""
    if parameter.type is None or parameter.nested:
        return value
    return _adapter(parameter.type).validate_json(json.dumps(value), strict=True)


def _check_value(key: str, value: Any, parameter: Parameter, owner: str) -> list[Mistake]:
    for path, part in _parts(value):
        if isinstance(part, float) and not math.isfinite(part):
            expected, code = "should be a finite number", "wrong-value"
        elif part is not None and not isinstance(part, bool | int | float | str | list | dict):
            expected, code = "cannot be a date or time", "wrong-type"
        else:
            continue
        message = f"`{_named(key, path)}` of {owner} is {value_name(part)}; it {expected}"
        return [Mistake(code, message, (key, *path))]
    if not _complaints(value, parameter.type):
        return []
    path, part, type_ = _culprit(value, parameter.type)
    return [_wrong_value((key, *path), f"`{_named(key, path)}` of {owner}", part, type_)]


def _parts(value: Any) -> Iterable[tuple[tuple[str | int, ...], Any]]:
    """The plain values inside of a value, with the keys that lead to them."""
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from (((key, *path), part) for path, part in _parts(child))
    else:
        yield (), value


def _named(key: str, path: tuple[str | int, ...]) -> str:
    return key + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def _complaints(value: Any, type_: Any) -> list[Any]:
    import pydantic

    try:
        _adapter(type_).validate_json(json.dumps(value), strict=True)
    except pydantic.ValidationError as error:
        return error.errors(include_url=False)
    return []


def _culprit(value: Any, type_: Any) -> tuple[tuple[str | int, ...], Any, Any]:
    """The innermost part of a value that makes it wrong: the keys that lead to it, itself, and what it should be."""
    origin, parts = typing.get_origin(type_), typing.get_args(type_)
    if origin is Annotated and _complaints(value, parts[0]):
        return _culprit(value, parts[0])
    if is_union(type_):
        shaped = [part for part in parts if _has_shape_of(value, part)]
        return _culprit(value, shaped[0]) if len(shaped) == 1 else ((), value, type_)
    if isinstance(value, list) and _has_shape_of(value, type_) and parts:
        types_ = parts if origin is tuple and ... not in parts else parts[:1] * len(value)
        for index, (part, wanted) in enumerate(zip(value, types_, strict=True)):
            if _complaints(part, wanted):
                path, innermost, wanted = _culprit(part, wanted)
                return (index, *path), innermost, wanted
    if isinstance(value, dict) and _has_shape_of(value, type_) and parts:
        for key, part in value.items():
            if _complaints(part, parts[1]):
                path, innermost, wanted = _culprit(part, parts[1])
                return (key, *path), innermost, wanted
    return (), value, type_


def _has_shape_of(value: Any, type_: Any) -> bool:
    """Whether a value is a list, of the right length, or a table where the type is one; what is inside is left open."""
    origin, parts = typing.get_origin(type_), typing.get_args(type_)
    if origin is Annotated:
        return _has_shape_of(value, parts[0])
    if isinstance(value, dict):
        return origin in (dict, collections.abc.Mapping)
    if not isinstance(value, list):
        return False
    if origin is tuple and ... not in parts:
        return len(parts) == len(value)
    return origin in (list, tuple, collections.abc.Sequence)


def _wrong_value(path: tuple[str | int, ...], name: str, value: Any, type_: Any) -> Mistake:
    choices = choices_of(type_)
    suggestion = nearest(value, choices) if choices and isinstance(value, str) else None
    complaints = _complaints(value, type_)
    constraint = next((complaint["msg"] for complaint in complaints if complaint["type"] in _CONSTRAINTS), None)
    expected = constraint[0].lower() + constraint[1:] if constraint else f"should be {describe_type(type_)}"
    code = "wrong-value" if constraint or (choices and isinstance(value, str)) else "wrong-type"
    message = f"{name} is {value_name(value)}; it {expected}".replace("it input", "it")
    return Mistake(code, message, path, "value", suggestion)


_CONSTRAINTS = {"greater_than", "greater_than_equal", "less_than", "less_than_equal", "too_short", "multiple_of"}


@cache
def _adapter(type_: Any) -> Any:
    import pydantic

    return pydantic.TypeAdapter(type_)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    target = function.__init__ if inspect.isclass(function) else function
    target = inspect.unwrap(getattr(target, "func", target))
    try:
        return typing.get_type_hints(target, include_extras=True)
    except Exception:  # an annotation that names something imported for type checkers only
        raw = getattr(target, "__annotations__", {})
        return {name: _evaluated(hint, target) for name, hint in raw.items()}


def _evaluated(hint: Any, target: Any) -> Any:
    if not isinstance(hint, str):
        return hint
    try:
        return eval(hint, dict(getattr(target, "__globals__", {})))
    except Exception:
        return object


def _nested_kind(annotation: Any) -> str:
    for mark in getattr(annotation, "__metadata__", ()):
        if isinstance(mark, Nested):
            return mark.kind
    for part in typing.get_args(annotation) if is_union(annotation) else (annotation,):
        if not inspect.isclass(part):
            continue
        if getattr(part, "zoo_parameter", "") == "run":
            return "run"
        if any(base.__module__ == "torch.nn.modules.module" and base.__name__ == "Module" for base in part.__mro__):
            return "model"
    return ""


def _writable(annotation: Any) -> Any:
    """The part of an annotation that TOML can write, or None."""
    if annotation is Any:
        return Any
    if annotation is None or annotation in PLAIN:
        return annotation if annotation is not None else type(None)
    origin = typing.get_origin(annotation)
    if origin is Literal:
        return annotation
    if origin is Annotated:
        return annotation if _writable(typing.get_args(annotation)[0]) is not None else None
    if is_union(annotation):
        parts = [_writable(part) for part in typing.get_args(annotation)]
        kept = [part for part in parts if part is not None]
        plain = [part for part in kept if part is not type(None)]
        return Union[tuple(kept)] if plain else None  # noqa: UP007
    if origin in CONTAINERS:
        parts = [part if part is ... else _writable(part) for part in typing.get_args(annotation)]
        return None if None in parts else origin[tuple(parts)]
    return None


def _type_of_default(default: Any) -> Any:
    if isinstance(default, bool | int | float | str):
        return type(default)
    if isinstance(default, tuple) and default and all(isinstance(part, int | float) for part in default):
        return tuple.__class_getitem__(tuple(type(part) for part in default))
    return Any
