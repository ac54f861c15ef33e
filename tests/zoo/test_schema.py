"""A signature is a schema: what TOML may write for each kind of parameter, and what the callable is given."""

from __future__ import annotations

import collections.abc
import json
import math
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
import torch
from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen, MultipleOf
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.zoo.conftest import Write
from tests.zoo.fake_parts import Parts
from zoo.errors import InputError
from zoo.recipes.build import Builder
from zoo.recipes.recipe import load_recipe
from zoo.recipes.schema import MADE, Parameter, Parameters, check_table, convert, parameters_of
from zoo.recipes.settings import Init, Train
from zoo.recipes.wording import describe_type, value_name
from zoo.registry.catalog import Catalog

if TYPE_CHECKING:
    from decimal import Decimal

PARTS = parameters_of(Parts)

ACCEPTED = [
    ("flag", True, True),
    ("width", 3, 3),
    ("rate", 3, 3.0),
    ("rate", 0.25, 0.25),
    ("title", "3", "3"),
    ("sizes", [1, 2], [1, 2]),
    ("shape", [1, 2], (1, 2)),
    ("shades", {"a": 1}, {"a": 1.0}),
    ("mode", "bilinear", "bilinear"),
    ("either", 2, 2.0),
    ("from", "there", "there"),
    ("untyped", 4, 4),
    ("untyped_pair", [0.5, 0.6], (0.5, 0.6)),
    ("anything", [1, "a", {"b": True}], [1, "a", {"b": True}]),
]

REFUSED = [
    ("flag", 1), ("flag", "true"), ("width", True), ("width", 3.0), ("width", "3"), ("rate", True), ("rate", "0.5"),
    ("title", 3), ("sizes", 1), ("shape", [1]), ("shape", [1, 2, 3]),
    ("shape", "12"), ("shades", []), ("mode", "cubic"), ("mode", 1), ("either", "x"),
    ("either", True), ("untyped", 4.5), ("untyped", True), ("untyped_pair", [0.5]),
]  # fmt: skip


@pytest.mark.parametrize("name, written, given", ACCEPTED)
def test_what_is_written_becomes_what_the_callable_asks_for(name: str, written: Any, given: Any) -> None:
    assert check_table({name: written}, PARTS, "model `parts`") == []
    converted = convert({name: written}, PARTS)[PARTS[name].name]
    assert converted == given
    assert type(converted) is type(given)


# A value, and the keys that lead to its wrong part.
WRONG_INSIDE = [
    ("sizes", [1.5], 0), ("sizes", [1, True], 1), ("shape", [1, "x"], 1), ("shades", {"b": 1, "a": "x"}, "a"),
    ("untyped_pair", [0.5, "x"], 1), ("sizes", [1, math.nan], 1), ("shades", {"a": math.inf}, "a"),
    ("sizes", [1, date(1979, 5, 27)], 1), ("anything", [1, [date(1979, 5, 27)]], (1, 0)), ("sizes", [1, [2]], 1),
]  # fmt: skip


@pytest.mark.parametrize("name, written", REFUSED)
def test_types_are_strict(name: str, written: Any) -> None:
    """`true` is no integer, an integer in quotes is none, and a list has the length that its tuple states."""
    mistakes = list(check_table({name: written}, PARTS, "model `parts`"))
    assert [(one.path, one.at) for one in mistakes] == [((name,), "value")]


@pytest.mark.parametrize("name, written, inside", WRONG_INSIDE)
def test_the_wrong_part_of_a_value_is_named(name: str, written: Any, inside: Any) -> None:
    (mistake,) = check_table({name: written}, PARTS, "model `parts`")
    assert mistake.path == (name, *(inside if isinstance(inside, tuple) else (inside,)))


@pytest.mark.parametrize("name", ["rate", "either", "anything"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_are_finite(name: str, value: float) -> None:
    (mistake,) = check_table({name: value}, PARTS, "model `parts`")
    assert (mistake.code, mistake.path) == ("wrong-value", (name,))
    assert f"`{name}` of model `parts` is {value}; it should be a finite number" == mistake.message


@given(st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3), st.lists, max_leaves=4))
def test_an_integer_is_an_integer_and_nothing_else(value: Any) -> None:
    """For any value: accepted as `int` just where Python says that it is one and no bool."""
    accepted = not check_table({"width": value}, PARTS, "model `parts`")
    assert accepted == (type(value) is int)


def test_what_a_callable_swallows_is_out_of_reach() -> None:
    """`*args` and `**kwargs` would take any typo for a parameter."""
    assert not {"rest", "options", "self"} & set(PARTS)
    assert [one.code for one in check_table({"opitons": 1, "rest": []}, PARTS, "x")] == ["unknown-key"] * 2


def test_a_tensor_cannot_be_written_but_a_union_with_one_can() -> None:
    assert (PARTS["table"].type, PARTS["table"].type_name) == (None, "from facts only")
    assert (PARTS["either"].type_name, PARTS["sizes"].type_name) == ("a number", "a list of integers")
    assert [one.code for one in check_table({"table": [1]}, PARTS, "x")] == ["not-writable"]


def _of_parts(
    pair: float | tuple[float, float],
    count: Annotated[int, Ge(0)] | Literal["auto"],
    large: Annotated[int | float, Ge(1)],
    rows: list[int | list[str]],
    tables: dict[str, str | dict[str, int]],
    lists: list[int] | list[str],
    lengths: tuple[int, int] | tuple[int, int, int],
    row: tuple[int, str],
    numbers: tuple[int, ...],
    some: Annotated[list[int | list[str]], MinLen(1)],
    by_class: dict[int, str],
    sequence: collections.abc.Sequence[int],
    mapping: collections.abc.Mapping[str, bool],
) -> None:
    """A component whose parameters may be one thing or another, or hold others."""


# A parameter, a value, the keys that lead to its wrong part, and what is said of that part: worked out by hand.
OF_PARTS = [
    ("pair", "x", (), "wrong-type", "should be a number or a list of 2 values: a number, a number"),
    ("pair", [1, "x"], (1,), "wrong-type", "should be a number"),
    ("pair", [1], (), "wrong-type", "should be a number or a list of 2 values: a number, a number"),
    ("pair", ["x"], (), "wrong-type", "should be a list of 2 values: a number, a number"),
    ("pair", [1, 2, 3], (), "wrong-type", "should be a list of 2 values: a number, a number"),
    ("count", -1, (), "wrong-value", "should be at least 0"),
    ("count", 1.5, (), "wrong-type", 'should be an integer or one of "auto"'),
    ("count", "atuo", (), "wrong-value", 'should be an integer or one of "auto"'),
    ("large", 0, (), "wrong-value", "should be at least 1"),
    ("large", "x", (), "wrong-type", "should be an integer or a number"),
    ("rows", [1, 2.5], (1,), "wrong-type", "should be an integer or a list of strings"),
    ("rows", [1, ["a", 3]], (1, 1), "wrong-type", "should be a string"),
    ("rows", [1, 2.5, "x"], (1,), "wrong-type", "should be an integer or a list of strings"),
    ("rows", [2.5, ["a", 3]], (0,), "wrong-type", "should be an integer or a list of strings"),
    ("some", [1, ["a", 3]], (1, 1), "wrong-type", "should be a string"),
    ("row", ["x"], (), "wrong-type", "should be a list of 2 values: an integer, a string"),
    ("row", [1, 2], (1,), "wrong-type", "should be a string"),
    ("numbers", [1, "x"], (1,), "wrong-type", "should be an integer"),
    ("tables", {"0": "x", "1": {"0": "x"}}, ("1", "0"), "wrong-type", "should be an integer"),
    ("lists", [1, "x"], (), "wrong-type", "should be a list of integers or a list of strings"),
    ("lists", [1.5], (), "wrong-type", "should be a list of integers or a list of strings"),
    ("by_class", {"1": "x", "a": "y"}, (), "wrong-type", "should be a table of strings"),
    ("by_class", {"1": 2}, ("1",), "wrong-type", "should be a string"),
    ("sequence", [1, "x"], (1,), "wrong-type", "should be an integer"),
    ("sequence", "12", (), "wrong-type", "should be a list of integers"),
    ("mapping", {"a": 1}, ("a",), "wrong-type", "should be true or false"),
    ("lengths", [1] * 4, (), "wrong-type", "should be a list of 2 values: an integer, an integer or "
     "a list of 3 values: an integer, an integer, an integer"),
]  # fmt: skip


@pytest.mark.parametrize("name, value, path, code, expected", OF_PARTS)
def test_one_mistake_is_made_of_all_that_is_said_of_a_value(
    name: str, value: Any, path: tuple[str | int, ...], code: str, expected: str
) -> None:
    """A union is one expectation, unless one part of it has the value's form: then what is inside is wrong."""
    (mistake,) = check_table({name: value}, parameters_of(_of_parts), "it")
    assert (mistake.path, mistake.code) == ((name, *path), code)
    assert mistake.message.endswith(f"; it {expected}")


def test_the_parts_of_a_union_are_told_apart_in_each_type() -> None:
    """Python holds `int | str` and `str | int` for equal, and pydantic numbers their parts in the order of the type."""
    for type_ in (list[int] | Annotated[float, Ge(1)], Annotated[float, Ge(1)] | list[int]):
        parameters = Parameters(x=Parameter("x", list[type_]))  # type: ignore[valid-type]
        (mistake,) = check_table({"x": [[1], [2, "a"]]}, parameters, "it")
        assert (mistake.path, mistake.message) == (
            ("x", 1, 1),
            '`x[1][1]` of it is the string "a"; it should be an integer',
        )


SIZES = {
    "should be more than 0": (Annotated[float, Gt(0)], 0),
    "should be at least 1": (Annotated[int, Ge(1)], 0),
    "should be less than 1": (Annotated[float, Lt(1)], 1.0),
    "should be at most 0.25": (Annotated[float, Le(0.25)], 0.5),
    "should be a multiple of 32": (Annotated[int, MultipleOf(32)], 33),
    "should have a length of at least 1": (Annotated[tuple[int, ...], MinLen(1)], []),
    "should have a length of at most 2": (Annotated[list[int], MaxLen(2)], [1, 2, 3]),
    "should have a length of at least 2": (Annotated[str, MinLen(2)], "x"),
    "should have a length of at most 1": (Annotated[str, MaxLen(1)], "xy"),
}


@pytest.mark.parametrize("words", SIZES)
def test_how_large_a_value_should_be_is_said_in_zoo_s_words(words: str) -> None:
    """Pydantic's own sentence for the empty tuple is about a "tuple after validation"."""
    type_, value = SIZES[words]
    (mistake,) = check_table({"x": value}, Parameters(x=Parameter("x", type_)), "y")
    assert (mistake.code, mistake.message) == ("wrong-value", f"`x` of y is {value_name(value)}; it {words}")


def test_each_key_has_its_own_mistake() -> None:
    """A number that JSON cannot write hides nothing of what stands beside it; an unknown key may have any value."""
    table = {"rate": math.inf, "flag": 1, "colour": date(1979, 5, 27), "width": 3}
    mistakes = check_table(table, PARTS, "it")
    assert [(mistake.code, mistake.path) for mistake in mistakes] == [
        ("wrong-value", ("rate",)), ("wrong-type", ("flag",)), ("unknown-key", ("colour",)),
    ]  # fmt: skip


def test_a_nested_component_is_the_caller_s_to_check() -> None:
    table = {"backbone": {"name": "tiny_mlp", "rate": math.nan}, "criterion": 3, "width": 2}
    assert check_table(table, PARTS, "it") == []


def test_what_no_recipe_may_write_is_no_argument() -> None:
    """A run folder's recipe is read without a check: what it has of a fact passes by, as the name does."""
    assert convert({"name": "parts", "table": [1], "width": 2}, PARTS) == {"width": 2}
    assert convert({"from": "there"}, PARTS) == {"from_": "there"}


def _named_like_pydantic(copy: int, model_config: int, json: int, _hidden: int, model_fields: int = 0) -> None:
    """A component with parameters that are names of pydantic's, or that pydantic refuses."""


def test_any_name_may_be_a_parameter() -> None:
    parameters = parameters_of(_named_like_pydantic)
    table = {"copy": 1, "model_config": 2, "json": 3, "_hidden": 4}
    assert convert(table, parameters) == table
    assert [mistake.path for mistake in check_table(dict.fromkeys(table, "x"), parameters, "it")] == [
        (name,) for name in table
    ]


def test_a_signature_is_one_model_made_once() -> None:
    assert parameters_of(Parts).model is PARTS.model
    assert set(PARTS.model.model_fields) == {f"given_{part.name}" for part in PARTS.values() if part.type is not None}
    assert parameters_of(Parts, ["width"]).model is not PARTS.model


def _bounded(rate: Annotated[float | torch.Tensor | None, Ge(0)], table: Annotated[torch.Tensor, Ge(0)]) -> None:
    """A component with a bound on what TOML can write in part, and not at all."""


def test_a_bound_holds_for_what_can_be_written() -> None:
    parameters = parameters_of(_bounded)
    assert (parameters["rate"].type_name, parameters["table"].type_name) == ("a number", "from facts only")
    (mistake,) = check_table({"rate": -1.0}, parameters, "it")
    assert mistake.message == "`rate` of it is -1.0; it should be at least 0"


def _of_strangers(known: int, there: Decimal, many: list[torch.Tensor]) -> None:
    """A component that names a type which its module imports for type checkers only."""


def test_a_type_that_cannot_be_read_or_written_comes_from_facts() -> None:
    parameters = parameters_of(_of_strangers)
    assert [parameter.type for parameter in parameters.values()] == [int, None, None]


def test_what_a_factory_makes_is_no_default_to_show() -> None:
    assert parameters_of(Train)["groups"].default is MADE


def test_a_callable_with_some_parameters_given_has_the_types_of_the_whole() -> None:
    parameters = parameters_of(partial(Parts, num_inputs=4))
    assert (parameters["width"].type, parameters["num_inputs"].default) == (int, 4)


def test_a_literal_suggests() -> None:
    (mistake,) = check_table({"mode": "neerest"}, PARTS, "model `parts`")
    assert (mistake.code, mistake.suggestion) == ("wrong-value", "nearest")
    assert mistake.message.endswith('is the string "neerest"; it should be one of "nearest", "bilinear"')


def test_a_trailing_underscore_is_python_s_not_the_recipe_s() -> None:
    assert parameters_of(Init)["from"].name == "from_"
    assert "from_" not in PARTS


def test_what_the_job_supplies_is_left_out() -> None:
    assert "params" in parameters_of(torch.optim.SGD)
    assert "params" not in parameters_of(torch.optim.SGD, ["params"])


def test_nested_kinds() -> None:
    kinds = {name: PARTS[name].nested for name in ("backbone", "criterion", "teacher", "width")}
    assert kinds == {"backbone": "model", "criterion": "loss", "teacher": "run", "width": ""}


@pytest.mark.parametrize("function", [nn.CrossEntropyLoss, torch.optim.Adam, torch.optim.Muon, nn.Linear])
def test_pytorch_s_own_classes_have_a_schema(function: Any) -> None:
    """Registered as they are: every parameter has a type that can be described, or is said to come from facts."""
    assert all(parameter.type_name for parameter in parameters_of(function).values())


DESCRIBED = {
    "an integer": int,
    "a number or a list of 2 values: a number, a number": float | tuple[float, float],
    "a list of strings": list[str],
    "a table of numbers": dict[str, float],
    'one of "a", "b"': Literal["a", "b"],
    "a list of values, each a list of integers": list[list[int]],
    "a list of lists": list[list],
    "a list": tuple,
    "a table of any values": dict[str, Any],
}


@pytest.mark.parametrize("words", DESCRIBED)
def test_types_in_words(words: str) -> None:
    assert describe_type(DESCRIBED[words]) == words


@pytest.mark.usefixtures("fake_parts")
class TestBuild:
    """Signatures and facts meet in the builder."""

    def build(self, write: Write, model: str, **facts: Any) -> tuple[Any, dict[str, Any]]:
        builder = Builder(load_recipe(write("r.toml", f'[model]\nname = "parts"\n{model}')), Catalog())
        builder.offer(facts, {})
        return builder.component("model").arguments, builder.spelled["model"]

    def test_facts_fill_what_is_left_out_and_defaults_are_spelled_out(self, write: Write) -> None:
        table = torch.ones(2)
        arguments, spelled = self.build(write, "shape = [2, 3]\n", num_inputs=4, table=table)
        assert (arguments["num_inputs"], arguments["shape"]) == (4, (2, 3))
        assert arguments["table"] is table
        assert (spelled["num_inputs"], spelled["shape"], spelled["mode"]) == (4, [2, 3], "nearest")
        assert not {"table", "teacher", "options", "rest"} & set(spelled)
        json.dumps(spelled)

    def test_what_a_run_folder_s_recipe_states_of_a_fact_is_used(self, write: Write) -> None:
        assert self.build(write, "num_inputs = 4\ntable = [1]\n")[0]["table"] == [1]

    def test_a_parameter_that_is_a_component(self, write: Write) -> None:
        nested = 'criterion = "mse"\nbackbone = { name = "tiny_mlp", width = 3 }\n'
        arguments, spelled = self.build(write, nested, num_inputs=1)
        assert arguments["backbone"].hidden.out_features == 3
        assert arguments["criterion"](torch.ones(1), torch.zeros(1)) == 1
        assert spelled["backbone"] == {"name": "tiny/tiny_mlp", "width": 3, "num_inputs": 1, "dropout": 0.0}

    def test_a_parameter_that_is_a_run_folder(self, write: Write, tmp_path: Path) -> None:
        from zoo.jobs.recipe import run

        run("tiny_curve", ["train.epochs=1", "model.width=5", "expect={}"], out=tmp_path / "teacher")
        arguments, spelled = self.build(write, 'teacher = "teacher"\n', num_inputs=1)  # from here
        assert arguments["teacher"] is None  # nothing is trained
        assert spelled["teacher"] == str(tmp_path / "teacher")

    def test_a_value_against_a_fact(self, write: Write) -> None:
        assert self.build(write, "num_inputs = 4\n", num_inputs=4)[0]["num_inputs"] == 4
        with pytest.raises(InputError, match=r"`num_inputs` of model `parts` is 3, and the data says 4"):
            self.build(write, "num_inputs = 3\n", num_inputs=4)

    def test_what_nothing_fills(self, write: Write) -> None:
        with pytest.raises(InputError, match="needs `num_inputs`, and the dataset states no such fact"):
            self.build(write, "")
