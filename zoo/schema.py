"""A callable's signature -> a checked table of parameters. The one place that imports pydantic."""

from __future__ import annotations

import collections.abc
import inspect
import json
import math
import operator
import typing
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property, reduce
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union

from zoo.errors import nearest
from zoo.wording import LIMITS, choices_of, describe_type, is_union, limit, value_name

MADE = object()  # the default of a dataclass field that a factory makes
CONTAINERS = (list, tuple, dict, collections.abc.Sequence, collections.abc.Mapping)
PLAIN = (bool, int, float, str, list, dict, tuple, Path)
PREFIX = "given_"  # of the fields of pydantic's models, some names of which are its own

Steps = tuple[str | int, ...]


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
    def is_checked(self) -> bool:
        """Whether its type says what a recipe may write: not of nested components, nor of what comes from facts."""
        return self.type is not None and not self.nested

    @property
    def type_name(self) -> str:
        if self.nested:
            return "run folder" if self.nested == "run" else self.nested
        return "from facts only" if self.type is None else describe_type(self.type)


class Parameters(dict[str, Parameter]):
    """The parameters that a recipe may set, in order, by the names that recipes have for them."""

    @cached_property
    def model(self) -> Any:
        """The pydantic model of a table of them, without nested components. No field is required: facts may fill it."""
        from pydantic import ConfigDict, Field, create_model

        fields: dict[str, Any] = {
            PREFIX + parameter.name: (_labelled(parameter.type), Field(None, alias=key))
            for key, parameter in self.items()
            if parameter.is_checked
        }
        return create_model("Table", __config__=ConfigDict(strict=True, extra="forbid"), **fields)


@dataclass(frozen=True)
class Mistake:
    """One thing wrong with a table. `at` says whether its key or its value is."""

    code: str
    message: str
    path: Steps
    at: Literal["key", "value"] = "value"
    suggestion: str | None = None


def below(mistake: Mistake, *keys: str | int) -> Mistake:
    """Return a mistake of a table as one of what holds the table under `keys`."""
    return replace(mistake, path=(*keys, *mistake.path))


def parameters_of(function: Callable[..., Any], supplied: Iterable[str] = ()) -> Parameters:
    """Return the parameters that a recipe may set; those in `supplied` are the job's and left out.

    `*args` and `**kwargs` are left out: what they swallow would be typos.
    """
    read = _parameters if isinstance(function, collections.abc.Hashable) else _parameters.__wrapped__
    return read(function, tuple(supplied))


def check_table(table: Mapping[str, Any], parameters: Parameters, owner: str) -> list[Mistake]:
    """Return what is wrong with a table of parameters. `owner` names whose they are: "model `lenet`".

    Nested components are the caller's to check; parameters left out are not mistakes here, since facts may fill them.
    """
    plain = {key: value for key, value in table.items() if key not in parameters or not parameters[key].nested}
    errors = _errors(plain, parameters)
    mistakes = []
    for key, value in plain.items():
        if any(error.kind == "extra_forbidden" for error in errors[key]):
            mistakes.append(_extra_key(key, parameters, owner))
        elif unwritable := next(_unwritable(value), None):
            path, part, code, expected = unwritable
            mistakes.append(_wrong_part(owner, (key, *path), part, code, expected))
        elif errors[key]:
            mistakes.append(_wrong_value(owner, key, value, parameters[key].type, errors[key]))
    return mistakes


def convert(table: Mapping[str, Any], parameters: Parameters) -> dict[str, Any]:
    """Return the arguments that a checked table stands for, by Python's names: a list becomes a tuple, say.

    Left out are nested components, what only facts can say, and keys that are no parameters.
    """
    names = {key: parameters[key].name for key in table if key in parameters and parameters[key].is_checked}
    given = parameters.model.model_validate_json(json.dumps({key: table[key] for key in names}))
    return {name: getattr(given, PREFIX + name) for name in names.values()}


class _Error(NamedTuple):
    """What pydantic says of a value: the steps that lead to its wrong part, the type of the error, and its bounds.

    A step is an index, a key, or the label of a union's part.
    """

    steps: Steps
    kind: str
    bounds: Mapping[str, Any]


def _errors(table: Mapping[str, Any], parameters: Parameters) -> Mapping[str, list[_Error]]:
    """Return what pydantic says of a table, by key. It is given JSON, where a list may be a tuple."""
    import pydantic

    errors = defaultdict(list)
    try:
        parameters.model.model_validate_json(json.dumps(table, default=str))
    except pydantic.ValidationError as refused:
        for error in refused.errors(include_url=False, include_input=False):
            key, *steps = error["loc"]
            if error["type"] == "missing":  # an element of a tuple: the list is too short
                steps.pop()
            elif steps[-1:] == ["[key]"]:  # a key of a table is no integer, say: the table is wrong
                del steps[-2:]
            errors[str(key)].append(_Error(tuple(steps), error["type"], error.get("ctx", {})))
    return errors


def _unwritable(value: Any) -> Iterator[tuple[Steps, Any, str, str]]:
    """Yield the parts of a value that JSON has no words for: where each is, itself, a code, and what it should be."""
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from (((key, *path), *rest) for path, *rest in _unwritable(child))
    elif isinstance(value, float) and not math.isfinite(value):
        yield (), value, "wrong-value", "should be a finite number"
    elif value is not None and not isinstance(value, bool | int | float | str):
        yield (), value, "wrong-type", "cannot be a date or time"


def _extra_key(key: str, parameters: Parameters, owner: str) -> Mistake:
    if key not in parameters:
        return Mistake("unknown-key", f"unknown key `{key}` of {owner}", (key,), "key", nearest(key, parameters))
    message = f"`{key}` of {owner} cannot be written in a recipe; it comes from the dataset's facts"
    return Mistake("not-writable", message, (key,), "key")


def _wrong_value(owner: str, key: str, value: Any, type_: Any, errors: list[_Error]) -> Mistake:
    path, wanted, error = _innermost(type_, errors)
    part = reduce(operator.getitem, path, value)
    size = limit(wanted, error.kind, error.bounds)
    choices = choices_of(wanted) if isinstance(part, str) else []
    code = "wrong-value" if size or choices else "wrong-type"
    expected = size or f"should be {describe_type(wanted)}"
    return _wrong_part(owner, (key, *path), part, code, expected, nearest(part, choices) if choices else None)


def _wrong_part(owner: str, path: Steps, part: Any, code: str, expected: str, suggestion: str | None = None) -> Mistake:
    name = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    return Mistake(code, f"`{name}` of {owner} is {value_name(part)}; it {expected}", path, "value", suggestion)


def _innermost(type_: Any, errors: list[_Error]) -> tuple[Steps, Any, _Error]:
    """Return the keys that lead to the wrong part of a value, what that part should be, and the error that says so.

    Of a union, that one part counts which has the value's form: it refuses what is inside, or how large it is.
    """
    bare = typing.get_args(type_)[0] if typing.get_origin(type_) is Annotated else type_
    parts = typing.get_args(bare)
    if not errors[0].steps:
        return (), type_, errors[0]
    if is_union(bare):
        labels = {error.steps[0] for error in errors if error.steps[1:] or error.kind in LIMITS}
        if len(labels) != 1:
            return (), type_, errors[0]
        (label,) = labels
        return _innermost(parts[int(label)], _inside(errors, label))
    step = errors[0].steps[0]
    if isinstance(step, str):
        part = parts[1]
    else:
        part = parts[0] if ... in parts or typing.get_origin(bare) is not tuple else parts[step]
    path, part, error = _innermost(part, _inside(errors, step))
    return (step, *path), part, error


def _inside(errors: list[_Error], step: str | int) -> list[_Error]:
    return [error._replace(steps=error.steps[1:]) for error in errors if error.steps[:1] == (step,)]


def _labelled(type_: Any) -> Any:
    """Return a type the parts of whose unions are labelled by their number: so pydantic's errors say which refused."""
    from pydantic import Tag

    origin, parts = typing.get_origin(type_), typing.get_args(type_)
    if origin is Annotated:
        return Annotated[_labelled(parts[0]), *parts[1:]]
    if is_union(type_):
        return Union[tuple(Annotated[_labelled(part), Tag(str(index))] for index, part in enumerate(parts))]  # noqa: UP007
    return origin[tuple(map(_labelled, parts))] if origin in CONTAINERS else type_


@cache
def _parameters(function: Callable[..., Any], supplied: tuple[str, ...]) -> Parameters:
    names = _names_around(function)
    parameters = Parameters()
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) or parameter.name in supplied:
            continue
        annotation = _evaluated(parameter.annotation, names)
        nested = _nested_kind(annotation)
        if nested:
            type_: Any = str
        elif annotation in (Any, parameter.empty):
            type_ = _type_of_default(parameter.default)
        else:
            type_ = _writable(annotation)
        made = type(parameter.default).__name__ == "_HAS_DEFAULT_FACTORY_CLASS"
        default = MADE if made else parameter.default
        # `from_` is how Python writes a parameter that a recipe calls `from`.
        parameters[parameter.name.rstrip("_")] = Parameter(parameter.name, type_, default, nested)
    return parameters


def _names_around(function: Any) -> dict[str, Any]:
    """Return the names that a callable's module has, with which annotations that are strings are read."""
    function = getattr(function, "func", function)  # of a `functools.partial`
    function = function.__init__ if inspect.isclass(function) else function
    return dict(getattr(inspect.unwrap(function), "__globals__", {}))


def _evaluated(annotation: Any, names: dict[str, Any]) -> Any:
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, names)
    except Exception:  # it names something imported for type checkers only
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
    """Return the part of an annotation that TOML can write, or None."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is Any or annotation in PLAIN or origin is Literal:
        return annotation
    if origin is Annotated:
        type_ = _writable(parts[0])
        return None if type_ is None else Annotated[type_, *parts[1:]]
    if is_union(annotation):
        kept = tuple(part for part in map(_writable, parts) if part is not None)
        return Union[kept] if kept else None  # noqa: UP007
    if origin in CONTAINERS:
        types = tuple(part if part is ... else _writable(part) for part in parts)
        return None if None in types else origin[types]
    return None


def _type_of_default(default: Any) -> Any:
    if isinstance(default, bool | int | float | str):
        return type(default)
    if isinstance(default, tuple) and default and all(isinstance(part, int | float) for part in default):
        return tuple.__class_getitem__(tuple(map(type, default)))
    return Any
