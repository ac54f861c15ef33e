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
from functools import cache, cached_property, partial, reduce
from pathlib import Path
from typing import Annotated, Any, Literal, Union

from zoo.errors import nearest
from zoo.recipes.wording import LIMITS, choices_of, describe_type, is_union, limit, value_name

MADE = object()  # the default of a dataclass field that a factory makes
CONTAINERS = (list, tuple, dict, collections.abc.Sequence, collections.abc.Mapping)
PLAIN = (bool, int, float, str, list, dict, tuple, Path)
PREFIX = "given_"  # of a model's fields: `copy`, `_x` and others are no names for them, but may be parameters

Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class Nested:
    """Marks a parameter that is itself a component: `Annotated[Any, Nested("loss")]`. `nn.Module` means a model."""

    kind: str


FIGURE = object()
Figure = Annotated[str, FIGURE]  # the type of a parameter that names a figure of the run: "val/accuracy"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a component, as a recipe sees it.

    `type` is what a recipe may write: None where TOML cannot write it (such a parameter comes from facts only), and
    anything where `nested` says which kind of component it takes, or "run" for a run folder.
    """

    name: str
    type: Any
    default: Any = inspect.Parameter.empty
    nested: str = ""

    @property
    def required(self) -> bool:
        return self.default is inspect.Parameter.empty

    @property
    def names_figure(self) -> bool:
        return any(FIGURE in getattr(part, "__metadata__", ()) for part in self._parts)

    @property
    def is_table(self) -> bool:
        """Whether it may be a table whose keys are the author's."""
        return any(dict in (part, typing.get_origin(part)) for part in self._parts)

    @property
    def _parts(self) -> tuple[Any, ...]:
        return typing.get_args(self.type) if is_union(self.type) else (self.type,)

    @property
    def type_name(self) -> str:
        if self.nested:
            return "run folder" if self.nested == "run" else self.nested
        return "from facts only" if self.type is None else describe_type(self.type)


class Parameters(dict[str, Parameter]):
    """The parameters that a recipe may set, in order, by the names that recipes have for them."""

    @cached_property
    def model(self) -> Any:
        """The pydantic model of a table of them. No field is required: facts may fill it."""
        from pydantic import ConfigDict, Field, create_model

        fields: dict[str, Any] = {
            PREFIX + parameter.name: (_labelled(parameter.type), Field(None, alias=key))
            for key, parameter in self.items()
            if parameter.type is not None
        }
        return create_model("Table", __config__=ConfigDict(strict=True, extra="forbid"), **fields)


@dataclass(frozen=True)
class Mistake:
    """One thing wrong with a table.

    Attributes:
        code: the sort of mistake: `unknown-key`, `wrong-type`, `wrong-value` ...
        path: the keys that lead to it in the table.
        at: whether the last key is wrong, or its value.
        suggestion: what was meant.
        help: what to do.
    """

    code: str
    message: str
    path: Steps
    at: Literal["key", "value"] = "value"
    suggestion: str | None = None
    help: str = ""


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
    errors = _errors(table, parameters)
    mistakes = []
    for key, value in table.items():
        if errors[key] and errors[key][0]["type"] == "extra_forbidden":
            mistakes.append(_extra_key(key, parameters, owner))
        elif parameters[key].nested:
            continue
        elif unwritable := next(_unwritable(value), None):
            path, part, code, expected = unwritable
            mistakes.append(_wrong_part(owner, (key, *path), part, code, expected))
        elif errors[key]:
            mistakes.append(_wrong_value(owner, key, value, parameters[key].type, errors[key]))
    return mistakes


def convert(table: Mapping[str, Any], parameters: Parameters) -> dict[str, Any]:
    """Return the arguments that a checked table stands for, by Python's names: a list becomes a tuple, say.

    What only facts can say, and keys that are no parameters, are left out.
    """
    names = {key: parameters[key].name for key in table if key in parameters and parameters[key].type is not None}
    given = parameters.model.model_validate_json(json.dumps({key: table[key] for key in names}))
    return {name: getattr(given, PREFIX + name) for name in names.values()}


def _errors(table: Mapping[str, Any], parameters: Parameters) -> dict[str, list[Any]]:
    """Return pydantic's errors about a table, by key. It is given JSON, where a list may be a tuple.

    An error's `loc` holds keys, indices and labels of the parts of unions, as `_labelled` names them.
    """
    import pydantic

    errors = defaultdict(list)
    try:
        parameters.model.model_validate_json(json.dumps(table, default=str))
    except pydantic.ValidationError as refused:
        for error in refused.errors(include_url=False, include_input=False):
            if error["type"] == "missing":  # an element of a tuple: the list is too short
                error["loc"] = error["loc"][:-1]
            elif error["loc"][-1] == "[key]":  # a key of a table is no integer, say: the table is wrong
                error["loc"] = error["loc"][:-2]
            errors[str(error["loc"][0])].append(error)
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


def _wrong_value(owner: str, key: str, value: Any, type_: Any, errors: list[Any]) -> Mistake:
    path, wanted, error = _innermost(type_, errors)
    part = reduce(operator.getitem, path, value)
    size = limit(wanted, error)
    choices = choices_of(wanted) if isinstance(part, str) else []
    code = "wrong-value" if size or choices else "wrong-type"
    expected = size or f"should be {describe_type(wanted)}"
    return _wrong_part(owner, (key, *path), part, code, expected, nearest(part, choices) if choices else None)


def _wrong_part(owner: str, path: Steps, part: Any, code: str, expected: str, suggestion: str | None = None) -> Mistake:
    name = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    return Mistake(code, f"`{name}` of {owner} is {value_name(part)}; it {expected}", path, "value", suggestion)


def _innermost(type_: Any, errors: list[Any], depth: int = 1) -> tuple[Steps, Any, Any]:
    """Return the keys that lead to the wrong part of a value, what that part should be, and the error that says so.

    Of a union, that one part counts which has the value's form: it refuses what is inside, or how large it is.

    Args:
        depth: how much of each error's `loc` leads to the value.
    """
    whole = [error for error in errors if not error["loc"][depth:]]
    if whole:
        return (), type_, whole[0]
    bare = typing.get_args(type_)[0] if typing.get_origin(type_) is Annotated else type_
    parts = typing.get_args(bare)
    if is_union(bare):
        formed = {error["loc"][depth] for error in errors if error["loc"][depth + 1 :] or error["type"] in LIMITS}
        if len(formed) != 1:
            return (), type_, errors[0]
        step = formed.pop()
        part = parts[int(step)]
    else:
        step = errors[0]["loc"][depth]
        of_several_types = typing.get_origin(bare) is tuple and ... not in parts
        part = parts[step] if of_several_types else parts[1] if isinstance(step, str) else parts[0]
    path, part, error = _innermost(part, [error for error in errors if error["loc"][depth] == step], depth + 1)
    return path if is_union(bare) else (step, *path), part, error


def _labelled(type_: Any) -> Any:
    """Return a type whose unions label their parts by number, so that an error's `loc` says which part refused."""
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
        typed = annotation not in (Any, parameter.empty)
        type_ = Any if nested else _writable(annotation) if typed else _type_of_default(parameter.default)
        made = type(parameter.default).__name__ == "_HAS_DEFAULT_FACTORY_CLASS"
        default = MADE if made else parameter.default
        # `from_` is Python's spelling of what a recipe calls `from`.
        parameters[parameter.name.rstrip("_")] = Parameter(parameter.name, type_, default, nested)
    return parameters


def _names_around(function: Any) -> dict[str, Any]:
    """Return the names of a callable's module, which the callable's annotations are written in."""
    function = function.func if isinstance(function, partial) else function
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
