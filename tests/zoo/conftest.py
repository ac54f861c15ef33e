"""Recipes in a temporary folder, and a plugin with every kind of parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """`write("a.toml", text)` writes a recipe into an empty working folder."""
    monkeypatch.chdir(tmp_path)

    def written(name: str, text: str | bytes) -> Path:
        Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return Path(name)

    return written


@pytest.fixture
def fake_parts() -> Iterator[None]:
    """The plugins `fake` and `fake_twin` beside the installed ones."""
    from tests.zoo.fake_parts import PLUGIN, TWIN
    from zoo.plugins import installed

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
    from zoo.plugins import installed

    plugins = installed()
    plugins.register(PLUGIN, "probe")
    monkeypatch.setattr("zoo.report._curves", lambda events: [("curves", b"a picture")])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    plugins.unregister("probe")
