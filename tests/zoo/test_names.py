"""Short names of components and recipes: installing a plugin changes no recipe that worked."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

import zoo as public
from tests.conftest import Command
from tests.zoo.conftest import Install, Write
from zoo import Data, Task, TensorSplit
from zoo.errors import InputError
from zoo.jobs.opening import open_recipe
from zoo.recipes.check import check
from zoo.recipes.explain import explained
from zoo.recipes.locate import RecipeError
from zoo.recipes.recipe import load_recipe
from zoo.recipes.shipped import find_recipe, shipped_recipes
from zoo.registry.catalog import Catalog, UnknownComponent
from zoo.registry.plugins import DISTRIBUTION, installed
from zoo.runs.folder import Folder

HERE = "tests.zoo.test_names"


def points() -> Data:
    """Corners of a square, told apart; the fact `shape` is a tuple."""
    split = TensorSplit(input=torch.eye(4).repeat(8, 1), target=torch.arange(4).repeat(8))
    return Data({"train": split, "val": split}, {"num_classes": 4, "shape": (2, (2, 3))})


class Net(nn.Module):
    def __init__(
        self,
        num_classes: int = 9,
        shape: tuple[int, tuple[int, int]] = (1, (1, 1)),
        rate: float | torch.Tensor = 0.5,
        part: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.num_classes, self.part = num_classes, part
        self.layer = nn.Linear(4, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)


class Crossed(nn.CrossEntropyLoss):
    """A loss that says whose it is."""


class OwnLoss(Task):
    loss = "cross_entropy"
    metrics = ({"name": "hits"},)


class Hits:
    higher_is_better = True

    def __init__(self, num_classes: int = 4) -> None:
        self.reset()

    def update(self, predictions: torch.Tensor, target: torch.Tensor) -> None:
        self.count += int((predictions.argmax(-1) == target).sum())

    def compute(self) -> float:
        return float(self.count)

    def reset(self) -> None:
        self.count = 0


PLUGIN = """
from pathlib import Path
from zoo import dataset, hookimpl, loss, metric, model, task
@hookimpl
def zoo_components():
    return [
        dataset("corners", "{here}:points"), model("net", "{here}:Net"), model("lenet", "{here}:Net"),
        task("own_loss", "{here}:OwnLoss"), loss("cross_entropy", "{here}:Crossed"), metric("hits", "{here}:Hits"),
    ]
@hookimpl
def zoo_recipes():
    return Path({recipes!r})
"""
RECIPE = """
task = "own_loss"
model = "lenet"
dataset = "corners"
optimizer = { name = "sgd", lr = 0.1 }
train = { epochs = 1, batch_size = 8 }
"""


@pytest.fixture(autouse=True)
def no_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing them takes longer than all the rest of these runs."""
    monkeypatch.setattr("zoo.jobs.report._curves", lambda events: [("curves", b"a picture")])


@pytest.fixture
def mine(tmp_path: Path, install: Install) -> Callable[..., Path]:
    """`mine("other", corners=text)`: an installed plugin `other`, or else `mine`, with that recipe; its folder."""

    def installs(*plugins: str, **recipes: str) -> Path:
        for plugin in plugins or ("mine",):
            folder = tmp_path / f"recipes-{plugin}"
            folder.mkdir()
            for name, text in recipes.items():
                (folder / f"{name}.toml").write_text(text)
            install(**{plugin: PLUGIN.format(here=HERE, recipes=str(folder))})
        return folder

    return installs


def test_first_party_plugins_come_with_the_core() -> None:
    """No list of names says so: the core states its distribution, and pyproject.toml has the same."""
    project = tomllib.loads(Path(public.__file__).parents[1].joinpath("pyproject.toml").read_text())["project"]
    assert project["name"] == DISTRIBUTION
    own = {plugin.name for plugin in installed().plugins if plugin.first_party}
    assert own == set(project["entry-points"]["zoo"])
    assert "tiny" not in own


def test_a_short_name_means_the_home_then_the_first_party_one(mine: Callable[..., Path]) -> None:
    mine("mine", "other", corners=RECIPE)
    catalog = Catalog()
    assert catalog.get("model", "lenet").plugin == "vision"
    assert catalog.get("model", "lenet", "mine").plugin == "mine"
    assert catalog.get("model", "lenet", "tiny").plugin == "vision"  # which has none
    assert catalog.get("model", "other/lenet", "mine").plugin == "other"
    assert catalog.get("model", "net", "other").plugin == "other"
    with pytest.raises(UnknownComponent, match="`mine/net`, `other/net`"):
        catalog.get("model", "net")


def test_a_recipe_of_a_plugin_means_the_plugin_s_components(mine: Callable[..., Path], tmp_path: Path) -> None:
    """Also where another plugin offers all of the names, and where the recipe is run as a file or is overridden."""
    file = mine("mine", "other", corners=RECIPE) / "corners.toml"
    for recipe, plugin in (("mine/corners", "mine"), (str(file), "other")):
        out = tmp_path / f"run-{plugin}"
        public.run(recipe, {"model.name": "net"}, out=out)
        written = tomllib.loads((out / "recipe.toml").read_text())
        names = {kind: written[kind]["name"] for kind in ("task", "dataset", "model", "loss", "optimizer")}
        assert names == {
            "task": f"{plugin}/own_loss", "dataset": f"{plugin}/corners", "model": f"{plugin}/net",
            "loss": f"{plugin}/cross_entropy", "optimizer": "basics/sgd",
        }  # fmt: skip
        assert [metric["name"] for metric in written["eval"]["metrics"]] == [f"{plugin}/hits"]
        assert "val/hits" in json.loads((out / "results.json").read_text())["figures"]
        assert public.load(out).predict_batch([{"input": torch.zeros(4)}]).shape == (1, 4)


def test_a_task_s_own_loss_is_of_its_plugin(mine: Callable[..., Path], write: Write, tmp_path: Path) -> None:
    """A recipe of nobody's names the task; the short names that the task brings along mean what its author meant."""
    mine(corners=RECIPE)
    file = write("mine.toml", RECIPE.replace("lenet", "net"))
    public.run(file, out=tmp_path / "run")
    written = tomllib.loads((tmp_path / "run" / "recipe.toml").read_text())
    assert (written["loss"]["name"], written["eval"]["metrics"][0]["name"]) == ("mine/cross_entropy", "mine/hits")
    public.run(file, ["loss=cross_entropy"], out=tmp_path / "stated")
    written = tomllib.loads((tmp_path / "stated" / "recipe.toml").read_text())
    assert (written["loss"]["name"], written["eval"]["metrics"][0]["name"]) == (
        "basics/cross_entropy",
        "mine/hits",
    )


def test_a_value_that_a_child_inherits_means_what_its_parent_meant(mine: Callable[..., Path], write: Write) -> None:
    mine("mine", "other", corners=RECIPE)
    catalog = Catalog()
    shipped = shipped_recipes(catalog.recipe_folders)
    child = load_recipe(write("child.toml", 'extends = "mine/corners"\n[model]\nrate = 0.1\n'), shipped=shipped)
    assert check(child, catalog) == []
    child = load_recipe(write("child.toml", 'extends = "mine/corners"\nmodel = "net"\n'), shipped=shipped)
    [problem] = check(child, catalog)
    assert (problem.code, problem.line, problem.column) == ("ambiguous-name", 2, 9)


def test_explain_shows_the_parameters_of_the_plugin_s_own(mine: Callable[..., Path]) -> None:
    """vision's lenet has no parameter `rate`."""
    file = mine(corners=RECIPE) / "corners.toml"
    catalog = Catalog()
    keys = [key for key, _, _ in explained(open_recipe(str(file), {}, False, catalog), catalog)]
    assert "model.rate" in keys


def test_an_old_run_folder_is_read_although_a_twin_is_installed(
    mine: Callable[..., Path], zoo: Command, tmp_path: Path
) -> None:
    """Written with short names, as run folders were; `mine` offers a second lenet and cross_entropy afterwards."""
    out = tmp_path / "run"
    public.run("digits", ["train.epochs=1"], out=out)
    recipe = (out / "recipe.toml").read_text()
    assert 'name = "vision/' in recipe
    for plugin in ("vision", "basics"):
        recipe = recipe.replace(f'name = "{plugin}/', 'name = "')
    Folder(out).commit({"recipe.toml": [recipe.encode()]})
    before = zoo("eval", out, "--json").stdout
    mine(corners=RECIPE)
    assert json.loads(zoo("eval", out, "--json").stdout) == json.loads(before)


def test_recipes_of_one_name(mine: Callable[..., Path], zoo: Command) -> None:
    """The shipped one goes first, a line says that there is another, and full names tell them apart."""
    mine(lenet="nonsense = 1\n")
    shipped = shipped_recipes(Catalog().recipe_folders)
    assert "lenet" in shipped
    assert "mine/lenet" in shipped
    assert list(shipped).count("lenet") == 1
    assert "tiny_curve" in list(shipped)
    assert "tiny/tiny_curve" not in list(shipped)
    assert len(list(shipped)) == len(shipped)
    assert shipped["tiny/tiny_curve"] == shipped["tiny_curve"]
    assert shipped["zoo/lenet"] == shipped["lenet"] != shipped["mine/lenet"]
    first = zoo("check", "lenet")
    assert (first.status, first.stderr) == (
        0,
        "note: `lenet` means `zoo/lenet`; there is `mine/lenet`, too\n1 recipe is right\n",
    )
    assert zoo("check", "zoo/lenet").stderr == "1 recipe is right\n"
    second = zoo("check", "mine/lenet")
    assert second.status == 2
    assert "recipes-mine/lenet.toml:1:1" in second.stderr
    with pytest.raises(InputError) as unknown:
        find_recipe("mine/lenett", shipped)
    assert unknown.value.help == "did you mean `mine/lenet`?"


def test_recipes_of_several_plugins(mine: Callable[..., Path], write: Write) -> None:
    """The short name of two is none, but inside of a plugin's own recipe."""
    other = mine("mine", "other", corners='extends = "base"\n', base=RECIPE)
    shipped = shipped_recipes(Catalog().recipe_folders)
    assert {"mine/corners", "other/corners"} <= set(shipped)
    assert "corners" not in list(shipped)
    with pytest.raises(InputError, match="several plugins ship a recipe `corners`: `mine/corners`, `other/corners`"):
        find_recipe("corners", shipped)
    source = load_recipe(other / "corners.toml", shipped=shipped).origins[("model",)].source
    assert Path(source.name).parent == other
    with pytest.raises(RecipeError, match="several plugins ship a recipe `base`"):
        open_recipe(str(write("child.toml", 'extends = "base"\n')), {}, False, Catalog())


FACTS = RECIPE.replace('"lenet"', '"net"')


@pytest.mark.parametrize(
    "override",
    ['model.part={name="net", num_classes=7}', "model.shape=[2, [2, 3]]", "model.num_classes=4"],
    ids=["of a part", "a tuple as a list", "the same"],
)
def test_what_a_recipe_states_may_stand_beside_a_fact(override: str, mine: Callable[..., Path], tmp_path: Path) -> None:
    mine(corners=FACTS)
    public.run("corners", [override], out=tmp_path / "run")
    model = public.load(tmp_path / "run").model
    assert model.num_classes == 4
    assert model.part is None or model.part.num_classes == 7


@pytest.mark.parametrize(
    "override, said",
    [
        ("model.num_classes=5", "`num_classes` of model `net` is 5, and the data says 4"),
        ("model.shape=[2, [2, 4]]", "`shape` of model `net` is [2, [2, 4]], and the data says (2, (2, 3))"),
        (
            "eval.metrics=[{name='mine/hits', num_classes=5}]",
            "`num_classes` of metric `hits` is 5, and the data says 4",
        ),
        ("model.rate=0.1", "`rate` of model `net` is 0.1, and the data says a Tensor"),
    ],
)
def test_a_recipe_and_a_fact_that_differ(
    override: str, said: str, mine: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_tensor() -> Data:
        data = original()
        return Data(data.splits, {**data.facts, **({"rate": torch.ones(2)} if "rate" in override else {})})

    original = points
    monkeypatch.setattr(sys.modules[HERE], "points", with_tensor)
    mine(corners=FACTS)
    with pytest.raises(RecipeError) as refused:
        public.run("corners", [override])
    assert [problem.code for problem in refused.value.problems] == ["fact-conflict"]
    assert said in str(refused.value)
