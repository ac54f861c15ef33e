"""Strangers' packages, installed for the tests that ask for them."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.distributions import make_distribution
from zoo.registry.plugins import installed

HERE = Path(__file__).parent
PACKAGES = tuple(sorted(file.parent.name for file in HERE.glob("*/pyproject.toml")))


@contextmanager
def strangers(folder: Path, *packages: str) -> Iterator[None]:
    """Packages of this folder as if pip had installed them into `folder`, here and in subprocesses."""
    paths = [str(folder), *(str(HERE / package) for package in packages)]
    for package in packages:
        project = tomllib.loads((HERE / package / "pyproject.toml").read_text())["project"]
        make_distribution(folder, project["name"], project["entry-points"]["zoo"], version=project["version"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*paths, *sys.path])
        patch.setenv("PYTHONPATH", os.pathsep.join([*paths, os.environ["PYTHONPATH"]]))
        installed.cache_clear()
        yield
    installed.cache_clear()


@pytest.fixture(scope="module", autouse=True)
def installed_strangers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a test module names in `STRANGERS = ("zoo_gan",)` is installed while its tests run."""
    with strangers(tmp_path_factory.mktemp("strangers"), *getattr(request.module, "STRANGERS", ())):
        yield
