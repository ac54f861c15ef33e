"""Installed distributions made by hand: a folder on sys.path with modules and the metadata that pip would write."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

THIRD_PARTY = Path(__file__).parent / "third_party"


def make_distribution(
    folder: Path,
    name: str,
    entry_points: Mapping[str, str],
    modules: Mapping[str, str] | None = None,
    version: str = "1",
) -> None:
    """Write what `pip install` leaves of a distribution: `entry_points` of the group `zoo`, `modules` by name."""
    metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [f"{entry} = {module}" for entry, module in entry_points.items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[zoo]", *lines, ""]))
    for module, text in (modules or {}).items():
        (folder / f"{module}.py").write_text(text)


def make_third_party(folder: Path) -> None:
    """The plugin in tests/third_party as if it were installed; its modules stay where they are."""
    project = tomllib.loads((THIRD_PARTY / "pyproject.toml").read_text())["project"]
    make_distribution(folder, project["name"], project["entry-points"]["zoo"], version=project["version"])
