"""How a recipe is put together: parents, `[quick]`, the command line, and where each value came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Command
from tests.zoo.conftest import Write
from zoo.errors import InputError
from zoo.recipes.recipe import Recipe, load_recipe
from zoo.recipes.shipped import find_recipe, shipped_recipes
from zoo.recipes.source import MergeError
from zoo.registry.catalog import Catalog

BASE = """\
summary = "base"
task = "curve"
dataset = "sine_curve"
optimizer = "adam"

[model]
name = "tiny_mlp"
width = 32
dropout = 0.5

[train]
epochs = 10
seed = 1

[expect]
"val/loss" = { max = 0.1 }

[quick]
"train.epochs" = 2
"""


@pytest.fixture
def base(write: Write) -> Path:
    return write("base.toml", BASE)


def child(write: Write, text: str, **options: Any) -> Recipe:
    return load_recipe(write("child.toml", 'extends = "base.toml"\n' + text), **options)


def test_a_component_is_a_name_or_a_table(write: Write) -> None:
    short = load_recipe(write("a.toml", 'model = "m"\n')).table
    assert short == load_recipe(write("b.toml", '[model]\nname = "m"\n')).table == {"model": {"name": "m"}}


def test_what_the_parent_reached_is_not_expected_of_the_child(write: Write) -> None:
    write("base.toml", BASE + '[quick.expect]\n"val/loss" = { max = 2 }\n')
    for quick in (False, True):
        assert "expect" in load_recipe(Path("base.toml"), quick=quick).table
        child = load_recipe(write("child.toml", 'extends = "base.toml"\n'), quick=quick)
        assert "expect" not in child.table and not any("expect" in keys for keys in child.origins)
    own = load_recipe(write("child.toml", 'extends = "base.toml"\n[expect]\n"val/loss" = { min = 0 }\n'))
    assert own.table["expect"] == {"val/loss": {"min": 0}}


def test_extends_merges_tables_key_by_key(base: Path, write: Write) -> None:
    table = child(write, "[model]\nwidth = 8\n[train]\nseed = 2\n").table
    assert table["model"] == {"name": "tiny_mlp", "width": 8, "dropout": 0.5}
    assert table["train"] == {"epochs": 10, "seed": 2}
    assert "extends" not in table


def test_lists_are_replaced_not_joined(base: Path, write: Write) -> None:
    write("base.toml", BASE.replace("seed = 1", 'freeze = ["a", "b"]'))
    assert child(write, '[train]\nfreeze = ["c"]\n').table["train"]["freeze"] == ["c"]


def test_a_chain_of_parents(base: Path, write: Write) -> None:
    write("child.toml", 'extends = "base.toml"\n[train]\nseed = 2\n[model]\nwidth = 4\n')
    table = load_recipe(write("grandchild.toml", 'extends = "child.toml"\n[train]\nseed = 3\n')).table
    assert (table["train"], table["model"]["width"]) == ({"epochs": 10, "seed": 3}, 4)


def test_parents_in_a_circle(write: Write) -> None:
    write("a.toml", 'extends = "b.toml"\n')
    write("b.toml", 'extends = "c.toml"\n')
    with pytest.raises(MergeError, match=r"a\.toml extends b\.toml extends c\.toml extends a\.toml"):
        load_recipe(write("c.toml", 'extends = "a.toml"\n').with_name("a.toml"))


def test_a_parent_may_be_a_shipped_recipe(write: Write) -> None:
    shipped = shipped_recipes(Catalog().plugins.recipe_folders())
    table = load_recipe(write("mine.toml", 'extends = "tiny_curve"\n[train]\nepochs = 1\n'), shipped=shipped).table
    assert (table["train"]["epochs"], table["train"]["batch_size"]) == (1, 32)


REPLACING = ['model = "other"\n', '[model]\nname = "other"\n', 'model = { name = "other" }\n', 'model.name = "other"\n']


@pytest.mark.parametrize("text", REPLACING)
def test_another_component_takes_no_parameters_of_the_one_before(text: str, base: Path, write: Write) -> None:
    assert child(write, text).table["model"] == {"name": "other"}


def test_the_same_component_named_again_keeps_its_parameters(base: Path, write: Write) -> None:
    assert child(write, 'model = "tiny_mlp"\n').table["model"] == {"name": "tiny_mlp", "width": 32, "dropout": 0.5}


@pytest.mark.parametrize(
    "overrides",
    [
        ["model=other", "model.width=3"],
        ["model.width=3", "model=other"],
        ["model.width=3", "model.name=other"],
        ['model={name="other", width=3}'],
        {"model.width": 3, "model": "other"},
    ],
)
def test_an_override_of_a_component_in_any_order(overrides: Any, base: Path) -> None:
    """The order on the command line says nothing: the name goes first, or its parameters would go with the old one."""
    assert load_recipe(base, overrides).table["model"] == {"name": "other", "width": 3}


@pytest.mark.parametrize("text", ['name = "other"\nwidth = 3\n', 'width = 3\nname = "other"\n'])
def test_quick_may_replace_a_component(text: str, write: Write) -> None:
    file = write("a.toml", BASE.replace('[quick]\n"train.epochs" = 2\n', "[quick.model]\n" + text))
    assert load_recipe(file, quick=True).table["model"] == {"name": "other", "width": 3}


NESTED = BASE.replace("[model]\n", '[model]\nbackbone = { name = "old", depth = 4 }\n')


@pytest.mark.parametrize(
    "override",
    [
        'model.backbone={name="other", width=3}',
        '[quick]\n"model.backbone" = { width = 3, name = "other" }\n',
        '[quick]\n"model.backbone.width" = 3\n"model.backbone.name" = "other"\n',
        "[quick.model.backbone]\nwidth = 3\nname = 'other'\n",
    ],
)
def test_a_component_inside_of_another_is_replaced_whole_too(override: str, write: Write) -> None:
    if override.startswith("["):
        file = write("a.toml", NESTED.replace('[quick]\n"train.epochs" = 2\n', override))
        found = load_recipe(file, quick=True)
    else:
        found = load_recipe(write("a.toml", NESTED), [override])
    assert found.table["model"]["backbone"] == {"name": "other", "width": 3}
    assert found.table["model"]["name"] == "tiny_mlp"


def test_a_child_replaces_a_component_inside_of_another(write: Write) -> None:
    write("base.toml", NESTED)
    found = child(write, '[model]\nbackbone = { name = "other", width = 3 }\n')
    assert found.table["model"]["backbone"] == {"name": "other", "width": 3}


QUICK_FORMS = ['[quick]\n"train.epochs" = 2\n', "[quick]\ntrain.epochs = 2\n", "[quick.train]\nepochs = 2\n"]


@pytest.mark.parametrize("form", QUICK_FORMS)
def test_quick_is_written_dotted_or_as_tables(form: str, write: Write) -> None:
    file = write("a.toml", BASE[: BASE.index("[quick]")] + form)
    assert load_recipe(file).table["train"]["epochs"] == 10
    assert load_recipe(file, quick=True).table["train"] == {"epochs": 2, "seed": 1}


def test_quick_has_its_own_expectations_or_none(base: Path, write: Write) -> None:
    """What the full recipe reaches says nothing of the quick one."""
    assert "expect" not in load_recipe(base, quick=True).table
    own = write("own.toml", BASE + '[quick.expect]\n"val/mse" = { max = 1 }\n')
    assert load_recipe(own, quick=True).table["expect"] == {"val/mse": {"max": 1}}
    assert load_recipe(own).table["expect"] == {"val/loss": {"max": 0.1}}


def test_quick_is_inherited_and_merged(base: Path, write: Write) -> None:
    recipe = child(write, '[quick]\n"train.seed" = 9\n', quick=True)
    assert recipe.table["train"] == {"epochs": 2, "seed": 9}


def test_quick_without_a_table_is_an_error(write: Write) -> None:
    with pytest.raises(InputError, match=r"has no \[quick\]"):
        load_recipe(write("a.toml", "[train]\nepochs = 1\n"), quick=True)


VALUES = {
    "train.epochs=3": 3,
    "train.epochs=3.5": 3.5,
    "train.epochs=true": True,
    'train.epochs="3"': "3",
    "train.epochs=[1, 2]": [1, 2],
    "train.epochs=cuda:0": "cuda:0",
    "train.epochs=a=b": "a=b",
    "train.epochs=": "",
    " train.epochs =3": 3,
    "train.epochs=1_000": 1000,
    "train.epochs=1e-3": 0.001,
    "train.epochs=True": "True",
}


@pytest.mark.parametrize("text", VALUES)
def test_overrides_are_toml_values_or_else_strings(text: str, base: Path) -> None:
    found = load_recipe(base, [text]).table["train"]["epochs"]
    assert found == VALUES[text]
    assert type(found) is type(VALUES[text])


def test_the_command_line_is_over_quick_is_over_the_file_is_over_its_parent(base: Path, write: Write) -> None:
    text = '[train]\nseed = 2\nbatch_size = 2\n[quick]\n"train.seed" = 3\n"train.batch_size" = 3\n'
    recipe = child(write, text, quick=True, overrides=["train.seed=4"])
    assert recipe.table["train"] == {"epochs": 2, "batch_size": 3, "seed": 4}


def test_a_bare_name_is_found_among_the_shipped(write: Write) -> None:
    shipped = shipped_recipes(Catalog().plugins.recipe_folders())
    assert find_recipe("tiny_curve", shipped).name == "tiny_curve.toml"
    assert find_recipe(str(write("tiny_curve.toml", "")), shipped) == Path("tiny_curve.toml")
    with pytest.raises(InputError, match="did you mean `tiny_curve`"):
        find_recipe("tiny_curv", shipped)


def test_the_name_is_stated_or_the_file_s(base: Path) -> None:
    assert load_recipe(base).name == "base"
    assert load_recipe(base, ["name=mine-2"]).name == "mine-2"
    assert load_recipe(base, ["name=../mine"]).name == "base"  # and `zoo check` reports it


def test_explain_says_where_each_value_came_from(base: Path, write: Write, zoo: Command) -> None:
    write("child.toml", 'extends = "base.toml"\n\n[train]\nseed = 2\n')
    finished = zoo("check", "child.toml", "--explain", "--quick")
    assert finished.status == 0, finished.stderr
    rows = {line.split()[0]: line.split()[1:] for line in finished.stdout.splitlines()[1:]}
    assert rows["summary"] == ['"base"', "base.toml:1"]
    assert rows["model.width"] == ["32", "base.toml:8"]
    assert rows["train.seed"] == ["2", "child.toml:4"]
    assert rows["train.epochs"] == ["2", "base.toml:19"]
    assert rows["train.batch_size"] == ["32", "default"]
    assert rows["model.num_inputs"][:3] == ["from", "the", "data,"]
