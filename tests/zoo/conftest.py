"""Recipes in a temporary folder, and a plugin with every kind of parameter."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.distributions import make_distribution
from zoo.registry.plugins import Plugins, installed

Write = Callable[..., Path]
Install = Callable[..., Plugins]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """`write("a.toml", text)` writes a recipe into an empty working folder."""
    monkeypatch.chdir(tmp_path)

    def written(name: str, text: str | bytes) -> Path:
        Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return Path(name)

    return written


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """`install(entry="text of its module")`: distributions of one plugin each, beside those there are."""
    modules: list[str] = []
    monkeypatch.syspath_prepend(tmp_path)

    def installs(**texts: str) -> Plugins:
        for name, text in texts.items():
            module = f"fake_{name}_{len(modules)}"
            modules.append(module)
            make_distribution(tmp_path, f"fake-{name}", {name: module}, {module: text})
        installed.cache_clear()
        return installed()

    yield installs
    installed.cache_clear()
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture
def fake_parts() -> Iterator[None]:
    """The plugins `fake` and `fake_twin` beside the installed ones."""
    from tests.zoo.fake_parts import PLUGIN, TWIN

    plugins = installed()
    plugins.register(PLUGIN, "fake")
    plugins.register(TWIN, "fake_twin")
    yield
    plugins.unregister("fake")
    plugins.unregister("fake_twin")


@pytest.fixture
def probe_parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The plugin `probe` beside the installed ones, on one thread, since small sums gain nothing from more.

    The report's curves are left out: drawing them takes three times as long as the rest of such a run.
    """
    import torch

    from tests.zoo.probe_parts import PLUGIN

    plugins = installed()
    plugins.register(PLUGIN, "probe")
    monkeypatch.setattr("zoo.jobs.report._curves", lambda events: [("curves", b"a picture")])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    plugins.unregister("probe")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Made by the first test that asks for a `folder`: the parts are a fixture of each test."""
    return {"base": tmp_path_factory.mktemp("made")}


@pytest.fixture
def folder(made: dict[str, Path], tmp_path: Path, probe_parts: None) -> Path:
    """A run that was stopped after its first evaluation: it has weights, an asset and a checkpoint."""
    from tests.zoo.training import stopped, stops_at

    if "run" not in made:
        stopped(made["base"] / "run", stops_at(7))
        made["run"] = made["base"] / "run"
    return Path(shutil.copytree(made["run"], tmp_path / "run"))
