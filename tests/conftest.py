"""What every test needs: the third-party plugin at hand without an install, and the command line in this process."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.distributions import THIRD_PARTY, make_third_party

ROOT = Path(__file__).parent.parent


class Finished(NamedTuple):
    """A command that is over."""

    status: int
    stdout: str
    stderr: str


Command = Callable[..., Finished]


@pytest.fixture(scope="session", autouse=True)
def third_party(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """`zoo_tiny` with its entry point, here and in subprocesses."""
    from zoo.registry.plugins import installed

    folder = tmp_path_factory.mktemp("installed")
    make_third_party(folder)
    paths = [str(folder), str(THIRD_PARTY), str(ROOT), str(ROOT / "plugins")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*paths, *sys.path])
        patch.setenv("PYTHONPATH", os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep))
        patch.delenv("ZOO_PLUGINS", raising=False)
        installed.cache_clear()
        yield
        installed.cache_clear()


@pytest.fixture
def zoo(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """`zoo("check", "x.toml")` runs a command in this process, as the entry point does."""

    def command(*arguments: str | Path) -> Finished:
        from zoo.cli import main

        monkeypatch.setattr(sys, "argv", ["zoo", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit:
            main()
        return Finished(exit.value.code or 0, *capsys.readouterr())

    return command
