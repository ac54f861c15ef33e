"""The command line: what goes to stdout, what to stderr, with which status; completion; and what is not imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Command

KINDS = ["model", "dataset", "loss", "optimizer", "schedule", "metric", "task"]


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


@pytest.mark.parametrize("name", ["tiny_mlp", "model/tiny_mlp", "tiny/tiny_mlp", "model/tiny/tiny_mlp"])
def test_show_knows_every_way_to_write_a_name(name: str, zoo: Command) -> None:
    assert "zoo_tiny.mlp:TinyMLP" in zoo("show", name).stdout


def test_show_prints_a_shipped_recipe(zoo: Command) -> None:
    assert zoo("show", "tiny_curve").stdout.startswith('summary = "A perceptron learns a sine"\n')


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
    expect = 'expect={"val/loss" = {max = 1e-9}, "val/los" = {min = 0}}'
    finished = zoo("run", "tiny_curve", "train.epochs=1", expect, "--out", tmp_path / "run")
    assert finished.status == 1
    assert finished.stdout.startswith("val/loss\t")
    assert "and should be at most 1e-09" in finished.stderr
    assert "the run has no such figure; did you mean `val/loss`?" in finished.stderr
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
     ("zoo check tiny_c", {"tiny_curve"}), ("zoo show tiny_m", {"tiny_mlp"})],
)  # fmt: skip
def test_shell_completion(words: str, offered: set[str], tmp_path: Path) -> None:
    assert completed(words, tmp_path) == offered


@pytest.mark.parametrize(
    "code, absent",
    [
        ("import zoo", ("torch", "numpy", "pydantic", "typer", "rich")),
        (
            "from zoo.cli import app; app(['list'], standalone_mode=False)",
            ("torch", "numpy", "pydantic", "tree_sitter"),
        ),
        ("from zoo.cli import app; app(['plugins'], standalone_mode=False)", ("torch", "numpy")),
    ],
    ids=["import zoo", "zoo list", "zoo plugins"],
)
def test_start_up_imports_little(code: str, absent: tuple[str, ...]) -> None:
    """Seconds of start-up are at stake; a subprocess, since this one has imported everything."""
    code += f"\nimport sys; sys.stderr.write(' '.join(name for name in {absent} if name in sys.modules))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")
