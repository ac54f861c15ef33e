"""Nothing is ever unpickled, and no text becomes code: held by a look at every name that the sources use."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(file for folder in ("zoo", "plugins") for file in (ROOT / folder).rglob("*.py"))

MODULES = (
    "pickle",
    "_pickle",
    "cPickle",
    "pickletools",
    "marshal",
    "shelve",
    "dbm",
    "dill",
    "joblib",
    "cloudpickle",
    "jsonpickle",
    "torch.package",
    "torch.distributed.checkpoint",
    "torch.serialization",
)
CALLS = (
    "torch.load",
    "torch.save",
    "torch.hub.load",
    "torch.hub.load_state_dict_from_url",
    "torch.jit.load",
    "torch.export.load",
    "numpy.load",
    "numpy.save",
    "numpy.savez",
    "pandas.read_pickle",
    "yaml.load",
    "yaml.unsafe_load",
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
)
KEYWORDS = ("allow_pickle",)

# A plugin's own annotation that is a string, evaluated as typing.get_type_hints does; never a recipe's text.
STATED = {"zoo/recipes/schema.py": ["eval"]}


def offences(source: str) -> Iterator[str]:
    """What a source imports or calls that could turn data into code, whatever it names it."""
    tree = ast.parse(source)
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
                yield from _forbidden_module(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                yield from _forbidden_module(f"{node.module}.{alias.name}", node.lineno)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load):
            dotted = _dotted(node, names)
            if dotted in CALLS:
                yield f"line {node.lineno}: {dotted}"
            yield from _forbidden_module(dotted, node.lineno)
        elif isinstance(node, ast.keyword) and node.arg in KEYWORDS:
            yield f"line {node.value.lineno}: {node.arg}"
        elif isinstance(node, ast.Constant) and node.value in MODULES[:3]:
            yield f"line {node.lineno}: {node.value!r}"  # importlib.import_module("pickle")


def _forbidden_module(dotted: str, line: int) -> Iterator[str]:
    if any(dotted == module or dotted.startswith(module + ".") for module in MODULES):
        yield f"line {line}: {dotted}"


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    """`np.load` -> `numpy.load` where np is numpy; empty where it is no name."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value, names)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_nothing_is_unpickled_or_evaluated(file: Path) -> None:
    found = [offence.partition(": ")[2] for offence in offences(file.read_text())]
    assert found == STATED.get(str(file.relative_to(ROOT)), [])


def test_all_sources_are_looked_at() -> None:
    assert len(SOURCES) > 40
    assert {file.relative_to(ROOT).parts[0] for file in SOURCES} == {"zoo", "plugins"}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import pickle as p",
        "from pickle import loads",
        "from torch.distributed import checkpoint",
        "import torch.distributed.checkpoint as dcp",
        "import torch\ntorch.load('x')",
        "import torch as t\nload = t.load",
        "from torch import load as get\nget('x')",
        "import torch\ntorch.distributed.checkpoint.load('x')",
        "import numpy as np\nnp.load('x')",
        "from library import read\nread('x', allow_pickle=True)",
        "eval('1')",
        "exec(open('x').read())",
        "import importlib\nimportlib.import_module('pickle')",
        "import joblib",
        "import os\nos.system('ls')",
    ],
)
def test_the_look_sees(source: str) -> None:
    assert list(offences(source))


@pytest.mark.parametrize(
    "source", ["model.eval()", "model.compile()", "re.compile('x')", "json.load(file)", "zoo.load(1)"]
)
def test_the_look_does_not_see_ghosts(source: str) -> None:
    assert not list(offences(source))


def test_a_run_unpickles_nothing(tmp_path: Path, probe_parts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a library on its behalf: run, stop, resume, load and score with unpickling made an error."""
    import pickle

    import zoo
    from tests.zoo.training import resume, stopped, stops_at
    from zoo.jobs.score import score

    def refuse(*arguments: object, **keywords: object) -> None:
        raise AssertionError("something was unpickled")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    stopped(tmp_path, stops_at(6), {"optimizer": {"name": "adam"}, "schedule": "cosine"}, ema=0.9)
    resume(tmp_path)
    assert score(tmp_path)["figures"]
    assert zoo.load(tmp_path, "cpu").predict("1.0")
