"""A callable's signature -> a checked table of parameters. The one place that imports pydantic."""

from __future__ import annotations

import collections.abc
import inspect
import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union

from zoo.errors import nearest

MADE = object()  # the default of a dataclass field that a factory makes
CONTAINERS = (list, tuple, dict, collections.abc.Sequence, collections.abc.Mapping)
PLAIN = (bool, int, float, str, list, dict, tuple, type(None))


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


def parameters_of(function: Callable[..., Any], supplied: Iterable[str] = ()) -> dict[str, Parameter]:
    """The parameters a recipe may set, in order; those in `supplied` are the job's and left out.

    `*args` and `**kwargs` are left out: what they swallow would be typos.
    """
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
    """What is wrong with a table of parameters. `owner` names whose they are: "model `lenet`".

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
    import pydantic

    try:
        text = json.dumps(value)
    except TypeError:
        return [Mistake("wrong-type", f"`{key}` of {owner} cannot be a date or time", (key,))]
    try:
        _adapter(parameter.type).validate_json(text, strict=True)
    except pydantic.ValidationError as error:
        return [_wrong_value(key, value, parameter, owner, error)]
    return []


def _wrong_value(key: str, value: Any, parameter: Parameter, owner: str, error: Any) -> Mistake:
    choices = _choices(parameter.type)
    suggestion = nearest(value, choices) if choices and isinstance(value, str) else None
    details = error.errors(include_url=False)
    constraint = next((found["msg"] for found in details if found["type"] in _CONSTRAINTS), None)
    expected = constraint[0].lower() + constraint[1:] if constraint else f"should be {describe_type(parameter.type)}"
    code = "wrong-value" if constraint or (choices and isinstance(value, str)) else "wrong-type"
    shown = value_name(value)
    return Mistake(
        code, f"`{key}` of {owner} is {shown}; it {expected}".replace("it input", "it"), (key,), "value", suggestion
    )


_CONSTRAINTS = {"greater_than", "greater_than_equal", "less_than", "less_than_equal", "too_short", "multiple_of"}


def _adapter(type_: Any) -> Any:
    import pydantic

    # Recipe values are plain data; a component may ask for any class in a union, which pydantic must then let be.
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
    for part in typing.get_args(annotation) if _is_union(annotation) else (annotation,):
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
    if _is_union(annotation):
        parts = [_writable(part) for part in typing.get_args(annotation)]
        kept = [part for part in parts if part is not None]
        plain = [part for part in kept if part is not type(None)]
        return Union[tuple(kept)] if plain else None  # noqa: UP007
    if origin in CONTAINERS:
        parts = [part if part is ... else _writable(part) for part in typing.get_args(annotation)]
        return None if None in parts else origin[tuple(parts)]
    return None


def _is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (Union, types.UnionType)


def _type_of_default(default: Any) -> Any:
    if isinstance(default, bool | int | float | str):
        return type(default)
    if isinstance(default, tuple) and default and all(isinstance(part, int | float) for part in default):
        return tuple.__class_getitem__(tuple(type(part) for part in default))
    return Any


def _choices(type_: Any) -> list[str]:
    if typing.get_origin(type_) is Literal:
        return [choice for choice in typing.get_args(type_) if isinstance(choice, str)]
    if _is_union(type_) or typing.get_origin(type_) is Annotated:
        return [choice for part in typing.get_args(type_) for choice in _choices(part)]
    return []


_NAMES = {bool: "true or false", int: "an integer", float: "a number", str: "a string", list: "a list", dict: "a table"}


def describe_type(type_: Any) -> str:
    """A type in the words of a recipe's author: "an integer or a list of numbers"."""
    if type_ in _NAMES:
        return _NAMES[type_]
    if type_ is Any:
        return "any value"
    origin, parts = typing.get_origin(type_), typing.get_args(type_)
    if origin is Literal:
        return "one of " + ", ".join(json.dumps(part) for part in parts)
    if origin is Annotated:
        return describe_type(parts[0])
    if _is_union(type_):
        return " or ".join(describe_type(part) for part in parts if part is not type(None))
    if origin in (dict, collections.abc.Mapping):
        return f"a table of {_plural(parts[1])}" if len(parts) == 2 else "a table"
    if origin is tuple and ... not in parts:
        return f"a list of {len(parts)} values: " + ", ".join(describe_type(part) for part in parts)
    if origin is not None and parts:
        return f"a list of {_plural(parts[0])}"
    return getattr(type_, "__name__", str(type_))


def _plural(type_: Any) -> str:
    plurals = {bool: "true or false", int: "integers", float: "numbers", str: "strings", Any: "any values"}
    found = plurals.get(type_) if type_ is Any or isinstance(type_, type) else None
    return found or f"values, each {describe_type(type_)}"


def value_name(value: Any) -> str:
    """A value as an error message shows it, cut short, with its TOML type where that helps."""
    if isinstance(value, bool):
        return f"{str(value).lower()}"
    if isinstance(value, dict):
        return "a table"
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = text if len(text) <= 60 else text[:57] + "..."
    return f"the string {text}" if isinstance(value, str) else text
