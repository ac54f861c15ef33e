"""A signature is a schema: what TOML may write for each kind of parameter, and what the callable is given."""

from __future__ import annotations

import json
import math
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import torch
from annotated_types import Ge, Lt
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.zoo.conftest import Write
from tests.zoo.fake_parts import Parts
from zoo.build import Builder
from zoo.catalog import Catalog
from zoo.errors import InputError
from zoo.predictor import load_network
from zoo.recipe import load_recipe
from zoo.schema import Parameter, Parameters, check_table, convert, parameters_of
from zoo.settings import Init
from zoo.wording import describe_type

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
    assert PARTS["either"].type_name == "a number"
    assert [one.code for one in check_table({"table": [1]}, PARTS, "x")] == ["not-writable"]


def test_a_literal_suggests() -> None:
    (mistake,) = check_table({"mode": "neerest"}, PARTS, "model `parts`")
    assert (mistake.code, mistake.suggestion) == ("wrong-value", "nearest")


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
}


@pytest.mark.parametrize("words", DESCRIBED)
def test_types_in_words(words: str) -> None:
    assert describe_type(DESCRIBED[words]) == words


def test_a_constraint_is_named() -> None:
    parameters = Parameters(x=Parameter("x", Annotated[float, Ge(0), Lt(1)]))
    (mistake,) = check_table({"x": 2.0}, parameters, "y")
    assert (mistake.code, mistake.message) == ("wrong-value", "`x` of y is 2.0; it should be less than 1")


@pytest.mark.usefixtures("fake_parts")
class TestBuild:
    """Signatures and facts meet in the builder."""

    def build(self, write: Write, model: str, **facts: Any) -> tuple[Any, dict[str, Any]]:
        builder = Builder(load_recipe(write("r.toml", f'[model]\nname = "parts"\n{model}')), Catalog(), load_network)
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
        assert arguments["teacher"].hidden.out_features == 5
        assert spelled["teacher"] == str(tmp_path / "teacher")

    def test_a_value_against_a_fact(self, write: Write) -> None:
        assert self.build(write, "num_inputs = 4\n", num_inputs=4)[0]["num_inputs"] == 4
        with pytest.raises(InputError, match=r"`num_inputs` of model `parts` is 3, and the data says 4"):
            self.build(write, "num_inputs = 3\n", num_inputs=4)

    def test_what_nothing_fills(self, write: Write) -> None:
        with pytest.raises(InputError, match="needs `num_inputs`, and the dataset states no such fact"):
            self.build(write, "")
