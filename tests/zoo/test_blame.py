"""An error in a plugin's code is one line with plugin, component and method, and has an exit status of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Command
from tests.distributions import make_distribution
from zoo.cli import app
from zoo.errors import PluginFailed
from zoo.registry.blame import blame
from zoo.registry.plugins import installed

PLUGIN = """
from zoo import hookimpl, loss, model, task
@hookimpl
def zoo_components():
    return [
        model("thin", "blamed.parts:Thin"), model("thick", "blamed.parts:Thick"), model("made", "blamed_made:make"),
        model("refuses", "blamed.parts:Refuses"), model("line", "torch.nn:Linear"), loss("gap", "blamed.parts:Gap"),
    ]
@hookimpl
def zoo_commands(app):
    @app.command()
    def stumble():
        {}["nothing"]
    @app.command()
    def slip():
        from blamed import helpers
        helpers.apply(None, 0)
    @app.command()
    def tumble():
        from blamed import parts
        parts.fall()
    @app.command()
    def leave():
        raise SystemExit(5)
"""
PARTS = """
import torch
from torch import nn
from blamed import helpers
def fall():
    raise LookupError
class Thin(nn.Module):
    def __init__(self, num_outputs: int = 4):
        super().__init__()
        self.layer = nn.Linear(4, 4)
    def forward(self, x):
        return helpers.apply(self.layer, x[:, :3])
class Thick(Thin):
    def forward(self, x):
        raise ValueError("two\\nlines \\x1b[31m")
class Gap:
    def __call__(self, outputs, target):
        return outputs.no_such_thing
class Refuses(nn.Module):
    def __init__(self, kind: str):
        raise getattr(__import__("builtins"), kind)("not so")
"""
MADE = """
from torch import nn
class Net(nn.Linear):
    def forward(self, x):
        return 1 / 0
def make():
    return Net(4, 4)
"""


@pytest.fixture
def blamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The installed plugin `mine`, whose every component goes wrong at another place."""
    site = tmp_path / "site"
    make_distribution(site, "blamed", {"mine": "blamed"}, {"blamed_made": MADE})
    (site / "blamed").mkdir()
    for name, text in {
        "__init__": PLUGIN,
        "parts": PARTS,
        "helpers": "def apply(layer, x):\n    return layer(x)\n",
    }.items():
        (site / "blamed" / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(site)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(app, "registered_commands", list(app.registered_commands))
    installed.cache_clear()
    yield
    installed.cache_clear()
    for module in [name for name in sys.modules if name.startswith("blamed")]:
        del sys.modules[module]


@pytest.mark.parametrize(
    "override, line",
    [
        ("model=thin", "error: model `mine/thin` (forward): RuntimeError: "),
        ("model=thick", "error: model `mine/thick` (forward): ValueError: two lines \\x1b[31m\n"),
        ("model=made", "error: model `mine/made` (Net.forward): ZeroDivisionError: division by zero\n"),
        (
            "loss=gap",
            "error: loss `mine/gap` (__call__): AttributeError: 'Tensor' object has no attribute 'no_such_thing'",
        ),
    ],
    ids=["in a helper", "in a subclass", "in what a function made", "in a loss"],
)
@pytest.mark.usefixtures("blamed")
def test_an_error_in_a_component_names_it(override: str, line: str, zoo: Command) -> None:
    """The shape error arises in torch, below a plugin's helper: blamed is the model that called it, and not torch."""
    finished = zoo("run", "sine", override, "--out", "run")
    assert finished.status == PluginFailed.exit_status == 4
    assert line in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize(
    "kind, status",
    [("ValueError", 2), ("TypeError", 2), ("KeyError", 2), ("AssertionError", 2), ("ImportError", 2),
     ("RuntimeError", 4), ("OSError", 4), ("ZeroDivisionError", 4), ("SystemExit", 4), ("KeyboardInterrupt", 4)],
)  # fmt: skip
@pytest.mark.usefixtures("blamed")
def test_a_constructor_refuses_a_value_or_is_broken(kind: str, status: int, zoo: Command) -> None:
    """Statuses 2 and 4: the person should change the recipe, or cannot help it."""
    finished = zoo("run", "sine", "model=refuses", f"model.kind={kind}", "--out", "run")
    assert finished.status == status
    assert f"error: model `mine/refuses` could not be built: {kind}: " in finished.stderr
    assert "zoo show model/mine/refuses" in finished.stderr
    assert not Path("run").exists()


@pytest.mark.usefixtures("blamed")
def test_an_error_in_a_command_of_a_plugin_names_it(zoo: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    finished = zoo("stumble")
    assert finished.status == 4
    assert finished.stderr.startswith("error: plugin `mine` (zoo_commands.<locals>.stumble): KeyError: 'nothing'\n")
    assert "error: plugin `mine` (apply): TypeError: " in zoo("slip").stderr  # in its package, and no component's
    assert "error: plugin `mine` (fall): LookupError\n" in zoo("tumble").stderr  # in a module of several
    assert zoo("leave").status == 5  # as its author says
    monkeypatch.setenv("ZOO_TRACEBACK", "1")
    with pytest.raises(KeyError):
        zoo("stumble")


def test_nobody_is_blamed_for_an_error_of_the_core() -> None:
    """Nor is the plugin that registers a library's class for what happens inside of that library."""
    import torch

    with pytest.raises(RuntimeError) as caught:
        torch.nn.functional.linear(torch.zeros(1, 2), torch.zeros(3, 4))
    assert blame(caught.value, installed()) is None
    with pytest.raises(ValueError, match="batch_size") as refused:
        torch.nn.CrossEntropyLoss()(torch.zeros(2, 3), torch.zeros(3))
    assert blame(refused.value, installed()) is None
