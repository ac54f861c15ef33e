"""The command line: what goes to stdout, what to stderr, with which status; completion; and what is not imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Command
from zoo import __version__
from zoo.recipes.shipped import Shipped, ShippedRecipe
from zoo.registry.plugins import BLOCKED, installed

KINDS = ["model", "dataset", "loss", "optimizer", "schedule", "metric", "task", "recipe"]


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from zoo.jobs.recipe import run

    folder = tmp_path_factory.mktemp("runs") / "run"
    run("tiny_curve", ["train.epochs=1", "expect={}"], out=folder)
    return folder


def test_list_json(zoo: Command) -> None:
    finished = zoo("list", "--json")
    rows = json.loads(finished.stdout)
    assert finished.status == 0
    assert {tuple(row) for row in rows} == {("kind", "name", "plugin", "tasks", "summary", "reference")}
    assert {
        "kind": "model", "name": "tiny_mlp", "plugin": "tiny", "tasks": ["curve"],
        "summary": "A perceptron with one hidden layer", "reference": "zoo_tiny.mlp:TinyMLP",
    } in rows  # fmt: skip
    assert {row["kind"] for row in rows} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_list_of_one_kind(kind: str, zoo: Command) -> None:
    rows = json.loads(zoo("list", kind, "--json").stdout)
    assert {row["kind"] for row in rows} == {kind}
    table = zoo("list", kind).stdout
    assert all(row["name"] in table for row in rows)


def test_list_has_the_recipes_of_the_core_and_of_plugins(zoo: Command) -> None:
    rows = {row["name"]: row for row in json.loads(zoo("list", "recipe", "--json").stdout)}
    file = ROOT / "tests" / "third_party" / "zoo_tiny" / "recipes" / "tiny_curve.toml"
    assert rows["tiny_curve"] == {
        "kind": "recipe", "name": "tiny_curve", "plugin": "tiny", "tasks": ["curve"],
        "summary": "A perceptron learns a sine", "reference": str(file),
    }  # fmt: skip
    assert rows["lenet"]["tasks"] == ["classification"], "its own task is its parent's"
    assert (rows["lenet"]["plugin"], rows["lenet"]["reference"]) == ("zoo", str(ROOT / "recipes" / "lenet.toml"))
    assert list(rows) == sorted(rows)
    assert set(rows) == {file.stem for file in (ROOT / "recipes").glob("*.toml")} | {"tiny_curve"}


def test_list_says_what_is_wrong_with_a_recipe(zoo: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("summary = ")
    shipped = Shipped([ShippedRecipe("zoo", tmp_path / "broken.toml")])
    monkeypatch.setattr("zoo.recipes.shipped.shipped_recipes", lambda folders: shipped)
    (row,) = json.loads(zoo("list", "recipe", "--json").stdout)
    assert (row["summary"], row["tasks"]) == ("cannot be read: Invalid value (at end of document)", [])


def test_list_warns_of_what_is_broken_and_not_of_what_is_blocked(zoo: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for error, warning in ((BLOCKED, ""), ("no", "warning: plugin `tiny` is left out: no (zoo plugins)\n")):
        (plugin,) = (plugin for plugin in installed().plugins if plugin.name == "tiny")
        monkeypatch.setattr(plugin, "error", error)
        assert zoo("list", "task").stderr == warning


def test_list_is_in_the_order_of_kinds_and_names(zoo: Command) -> None:
    rows = json.loads(zoo("list", "--json").stdout)
    assert rows == sorted(rows, key=lambda row: (KINDS.index(row["kind"]), row["name"]))


@pytest.mark.parametrize("text", ["hidden LAYER", "TINY_m"])
def test_search_looks_at_names_and_summaries(text: str, zoo: Command) -> None:
    """Whatever the case: the perceptron's summary is "A perceptron with one hidden layer"."""
    rows = json.loads(zoo("list", "--search", text, "--json").stdout)
    assert "tiny_mlp" in {row["name"] for row in rows}
    assert all(text.lower() in f"{row['name']}\n{row['summary']}".lower() for row in rows)


def test_a_table_is_aligned_and_has_no_colours_in_a_file(zoo: Command) -> None:
    lines = zoo("list", "task", "--search", "number for").stdout.splitlines()
    assert lines == [
        "kind  name   plugin  tasks  summary",
        "task  curve  tiny           A number for a number",
    ]


def test_plugins_json(zoo: Command) -> None:
    rows = {row["name"]: row for row in json.loads(zoo("plugins", "--json").stdout)}
    assert rows["tiny"] == {
        "name": "tiny", "module": "zoo_tiny", "distribution": "zoo-tiny", "version": "0.3.0", "components": 3,
        "error": None,
    }  # fmt: skip


def test_show_json(zoo: Command) -> None:
    (shown,) = json.loads(zoo("show", "tiny_mlp", "--json").stdout)
    assert (shown["kind"], shown["plugin"], shown["tasks"]) == ("model", "tiny", ["curve"])
    assert shown["parameters"] == [
        {"name": "num_inputs", "type": "an integer", "default": "required, or from the data"},
        {"name": "width", "type": "an integer", "default": "16"},
        {"name": "dropout", "type": "a number", "default": "0.0"},
    ]


def test_show_says_what_is_in_a_data_set(zoo: Command) -> None:
    shown = zoo("show", "sine_curve").stdout.splitlines()
    contents = ["split train: 256", "split val: 64", "fact num_inputs: 1", 'asset preprocess: {"scale": 1.0}']
    assert [line for line in shown if line.partition(" ")[0] in ("split", "fact", "asset")] == contents
    (as_json,) = json.loads(zoo("show", "sine_curve", "--json").stdout)
    assert (as_json["splits"], as_json["facts"]) == ({"train": 256, "val": 64}, {"num_inputs": 1})


def test_show_fetches_nothing(zoo: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    monkeypatch.delenv("ZOO_DATA", raising=False)
    monkeypatch.setattr("zoo.kit.finding._fetched", lambda *given: pytest.fail("it fetches"))
    shown = zoo("show", "cifar10")
    assert shown.status == 0 and "what is in dataset `cifar10` is not known here" in shown.stderr


@pytest.mark.parametrize("name", ["tiny_mlp", "model/tiny_mlp", "tiny/tiny_mlp", "model/tiny/tiny_mlp"])
def test_show_knows_every_way_to_write_a_name(name: str, zoo: Command) -> None:
    assert "zoo_tiny.mlp:TinyMLP" in zoo("show", name).stdout


def test_show_prints_a_shipped_recipe(zoo: Command) -> None:
    recipe = (ROOT / "tests" / "third_party" / "zoo_tiny" / "recipes" / "tiny_curve.toml").read_text()
    assert zoo("show", "tiny_curve").stdout == recipe
    assert zoo("show", "recipe/tiny_curve").stdout == recipe
    (shown,) = json.loads(zoo("show", "recipe/tiny_curve", "--json").stdout)
    assert (shown["kind"], shown["name"], shown["text"]) == ("recipe", "tiny_curve", recipe)


def test_show_has_the_components_of_a_name_and_then_the_recipe(zoo: Command) -> None:
    recipe = (ROOT / "recipes" / "lenet.toml").read_text()
    shown = zoo("show", "lenet").stdout
    assert shown.startswith("model vision/lenet  (zoo_vision.lenet:LeNet)\nTwo convolutions with pooling")
    assert " 'sigmoid'\n" in shown
    assert shown.endswith(f"\n# recipe lenet\n{recipe}")
    assert [row["kind"] for row in json.loads(zoo("show", "lenet", "--json").stdout)] == ["model", "recipe"]
    assert recipe not in zoo("show", "model/lenet").stdout
    assert zoo("show", "recipe/lenet").stdout == recipe


@pytest.mark.parametrize(
    "name, meant",
    [("SSD", "`ssd`"), ("Tiny_MLP", "`tiny_mlp`"), ("recipe/LeNett", "`recipe/lenet`"),
     ("model/tiny_mpl", "`tiny_mlp`"), ("recipe/zzzzzzz", "zoo list recipe"), ("zzzzzzz", "zoo list")],
)  # fmt: skip
def test_show_suggests_the_nearest_of_components_and_recipes(name: str, meant: str, zoo: Command) -> None:
    finished = zoo("show", name)
    assert (finished.status, finished.stdout) == (2, "")
    assert name.removeprefix("model/") in finished.stderr.splitlines()[0]
    assert meant in finished.stderr.splitlines()[1]


def test_version(zoo: Command) -> None:
    assert zoo("--version") == (0, f"zoo {__version__}\n", "")


def test_run_prints_figures_on_stdout_and_the_rest_on_stderr(zoo: Command, tmp_path: Path) -> None:
    finished = zoo("run", "tiny_curve", "train.epochs=1", "expect={}", "--out", tmp_path / "run")
    assert finished.status == 0
    name, value = finished.stdout.split()
    assert (name, float(value) > 0) == ("val/loss", True)
    assert "run folder:" in finished.stderr


def test_run_json(zoo: Command, tmp_path: Path) -> None:
    finished = zoo("run", "tiny_curve", "train.epochs=1", "expect={}", "--out", tmp_path / "run", "--json")
    results = json.loads(finished.stdout)
    assert results == json.loads((tmp_path / "run" / "results.json").read_text())
    assert {"folder", "figures", "expect", "seconds"} <= set(results)


def test_a_missed_figure_is_status_1(zoo: Command, tmp_path: Path) -> None:
    """The run is done and its results are there; the status says that they are not good enough."""
    expect = 'expect={"val/loss" = {max = 1e-9}}'
    finished = zoo("run", "tiny_curve", "train.epochs=1", expect, "--out", tmp_path / "run")
    assert finished.status == 1
    assert finished.stdout.startswith("val/loss\t")
    assert "and should be at most 1e-09" in finished.stderr
    verdicts = json.loads((tmp_path / "run" / "results.json").read_text())["expect"]
    assert not any(verdict["met"] for verdict in verdicts.values())


def test_a_dry_run_leaves_nothing(zoo: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    finished = zoo("run", "tiny_curve", "--dry-run")
    assert (finished.status, finished.stdout) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_eval_json(zoo: Command, run_folder: Path) -> None:
    finished = zoo("eval", run_folder, "--json")
    trained = json.loads((run_folder / "results.json").read_text())["figures"]
    assert json.loads(finished.stdout) == {"figures": pytest.approx(trained), "split": "val"}


def test_predict_prints_a_line_of_json_for_each_input(zoo: Command, run_folder: Path) -> None:
    lines = [json.loads(line) for line in zoo("predict", run_folder, "0.5", "1e0").stdout.splitlines()]
    assert [line["input"] for line in lines] == ["0.5", "1e0"]
    assert all(isinstance(line["value"], float) for line in lines)


WRONG = [
    ("list", "modle"), ("list", "model", "dataset"), ("show", "tiny_mpl"), ("check",), ("run", "none.toml"),
    ("run", "tiny_curve", "train.epochs"), ("run", "tiny_curve", "--quick"), ("run", "tiny_curve", "--device", "tpu"),
    ("run", "tiny_curve", "--out", "/dev/null"), ("eval", "none"), ("predict", "none", "x"), ("resume", "none"),
    ("eval", "."), ("nonsense",), ("list", "--nonsense"),
]  # fmt: skip


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_a_mistake_on_the_command_line_is_status_2(arguments: tuple[str, ...], zoo: Command) -> None:
    finished = zoo(*arguments)
    assert (finished.status, finished.stdout) == (2, "")
    assert finished.stderr
    assert "Traceback" not in finished.stderr


def test_inputs_of_a_run_that_are_wrong(zoo: Command, run_folder: Path) -> None:
    for arguments in (("predict", run_folder, "many"), ("eval", run_folder, "--split", "vall"),
                      ("resume", run_folder), ("eval", run_folder, "--device", "tpu"),
                      ("run", "tiny_curve", "--out", run_folder)):  # fmt: skip
        finished = zoo(*arguments)
        assert (finished.status, finished.stdout, "Traceback" in finished.stderr) == (2, "", False), arguments


@pytest.mark.parametrize(
    "options, meant",
    [
        (["--epochs", "2"], "train.epochs=2"),
        (["--batch-size=64"], "train.batch_size=64"),
        (["--optimizer.lr", "0.1"], "optimizer.lr=0.1"),
        (["--quick", "--train.seed", "1"], "train.seed=1"),
        (["--epochs"], "train.epochs=VALUE"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("command", ["run", "sweep", "preview"])
def test_an_option_that_is_a_setting_is_told_so(command: str, options: list[str], meant: str, zoo: Command) -> None:
    finished = zoo(command, "tiny_curve", *options)
    option = next(option for option in options if option != "--quick").partition("=")[0]
    lines = f"error: there is no option `{option}`\n  help: did you mean `{meant}`?\n"
    assert finished == (2, "", lines)


def test_an_option_that_is_there_may_have_an_equals_sign(zoo: Command) -> None:
    """`device` is a key of [train] as well."""
    assert "there is no option" not in zoo("run", "tiny_curve", "--device=tpu").stderr


@pytest.mark.parametrize("option", ["--nonsense", "--no.table", "--out"])
def test_another_option_is_the_parsers_business(option: str, zoo: Command) -> None:
    finished = zoo("run", "tiny_curve", option)
    assert (finished.status, "did you mean `" in finished.stderr) == (2, False)


def test_a_value_may_look_like_an_option_behind_two_dashes(zoo: Command) -> None:
    assert "`--epochs=2` is no override" not in zoo("run", "tiny_curve", "--dry-run").stderr
    assert "there is no option" not in zoo("run", "tiny_curve", "--", "--epochs=2").stderr


@pytest.mark.parametrize(
    "name, help",
    [("gpu", "did you mean `cuda`?"), ("GPU:1", "did you mean `cuda:1`?"), ("tpu", "auto, cpu, cuda or cuda:N"),
     ("mps", "auto, cpu, cuda or cuda:N"), ("cuda:x", "auto, cpu, cuda or cuda:N")],
)  # fmt: skip
def test_a_device_that_is_none(name: str, help: str, zoo: Command, run_folder: Path) -> None:
    finished = zoo("predict", run_folder, "0.5", "--device", name)
    assert finished == (2, "", f"error: there is no device `{name}`\n  help: --device: {help}\n")


def completed(words: str, cwd: Path) -> set[str]:
    environment = {
        **os.environ,
        "_ZOO_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    code = "import sys; sys.argv = ['zoo']; from zoo.cli import main; main()"
    command = [sys.executable, "-c", code]
    finished = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=True)
    return set(finished.stdout.split())


@pytest.mark.parametrize(
    "words, offered",
    [("zoo pl", {"plugins"}), ("zoo list da", {"dataset"}), ("zoo run tiny_c", {"tiny_curve"}),
     ("zoo check tiny_c", {"tiny_curve"}), ("zoo show tiny_m", {"tiny_mlp"}), ("zoo show tiny_c", {"tiny_curve"}),
     ("zoo list rec", {"recipe"})],
)  # fmt: skip
def test_shell_completion(words: str, offered: set[str], tmp_path: Path) -> None:
    assert completed(words, tmp_path) == offered


def test_the_script_for_a_shell_is_shown(zoo: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its option is a flag where the shell is detected, and has a name where it is not."""
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    assert "_COMPLETE=complete_bash" in zoo("--show-completion", "bash").stdout


@pytest.mark.parametrize(
    "code, absent",
    [
        ("import zoo", ("torch", "numpy", "pydantic", "typer", "rich")),
        (
            "from zoo.cli import complete_app as a; a()(['list'], standalone_mode=False)",
            ("torch", "numpy", "pydantic", "tree_sitter", "rich"),
        ),
        (
            "from zoo.cli import complete_app as a; a()(['list', 'model', '--search', 'lenet'], standalone_mode=False)",
            ("torch", "numpy", "pydantic", "tree_sitter", "rich"),
        ),
        (
            "from zoo.cli import complete_app as a; a()(['plugins'], standalone_mode=False)",
            ("torch", "numpy", "pydantic"),
        ),
    ],
    ids=["import zoo", "zoo list", "zoo list model", "zoo plugins"],
)
def test_start_up_imports_little(code: str, absent: tuple[str, ...]) -> None:
    """Seconds of start-up are at stake; a subprocess, since this one has imported everything."""
    code += f"\nimport sys; sys.stderr.write(' '.join(name for name in {absent} if name in sys.modules))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")


def test_recipes_that_extend_each_other_in_a_circle_are_listed(
    zoo: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The list says what the recipe states; `zoo check` says what is wrong."""
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{name}.toml").write_text(f'summary = "of {name}"\nextends = "{other}.toml"\n')
    shipped = Shipped([ShippedRecipe("zoo", tmp_path / "a.toml")])
    monkeypatch.setattr("zoo.recipes.shipped.shipped_recipes", lambda folders: shipped)
    (row,) = json.loads(zoo("list", "recipe", "--json").stdout)
    assert row["summary"] == "of a"
