"""A recipe is data: hostile ones execute nothing, and open nothing outside the declared roots."""

from __future__ import annotations

import os
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.zoo.conftest import Write
from tests.zoo.hostile_recipes import CODE, GOOD, HARMLESS, RECIPES
from zoo.errors import InputError
from zoo.jobs.opening import open_recipe
from zoo.jobs.recipe import run
from zoo.registry.catalog import Catalog

FORBIDDEN = (
    "os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.", "socket.", "urllib.", "pickle.",
    "ctypes.dlopen", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link",
    "os.symlink", "os.chmod", "os.truncate", "shutil.",
)  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Audit:
    """What a recipe made the interpreter do, as far as it must not. A hook cannot be taken away, but it can sleep."""

    def __init__(self) -> None:
        self.roots: tuple[str, ...] = ()
        self.text = ""
        self.seen: list[str] | None = None
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.seen is None:
            return
        if event.startswith(FORBIDDEN):
            self.seen.append(f"{event} {arguments}")
        elif event == "compile" and self._is_of_the_recipe(arguments[0]):
            self.seen.append(f"compile {arguments[0]!r:.80}")
        elif event == "open":
            path, mode, flags = arguments
            if isinstance(path, str | bytes | os.PathLike) and not self._may_open(path, mode, flags):
                self.seen.append(f"open {path!r} {mode!r}")

    def _is_of_the_recipe(self, source: Any) -> bool:
        text = source.decode("utf-8", "replace") if isinstance(source, bytes) else source
        return isinstance(text, str) and len(text) > 3 and text.strip() in self.text

    def _may_open(self, path: Any, mode: str | None, flags: int) -> bool:
        writes = (mode is not None and set(mode) & set("wax+")) or (mode is None and flags & WRITING)
        return not writes and os.path.realpath(os.fsdecode(path)).startswith(self.roots)

    @contextmanager
    def watch(self, roots: tuple[Path, ...], text: str) -> Iterator[list[str]]:
        self.roots, self.text = tuple(f"{os.path.realpath(root)}{os.sep}" for root in roots), text
        self.seen = seen = []
        try:
            yield seen
        finally:
            self.seen = None


@pytest.fixture(scope="session")
def audit() -> Audit:
    return Audit()


INSTALLED = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib"))


@pytest.fixture
def imported(write: Write) -> None:
    """Import what a run needs beforehand: an import may open files and compile, a recipe may not."""
    with pytest.raises(InputError):
        run(write("warm.toml", GOOD + 'freeze = ["none"]\n'))
    Path("warm.toml").unlink()


@pytest.mark.parametrize("text", RECIPES.values(), ids=[name[:60] for name in RECIPES])
@pytest.mark.usefixtures("imported")
def test_a_hostile_recipe_is_an_input_error(text: str | bytes, audit: Audit, write: Write) -> None:
    """It is run, not only checked, with `[quick]` where it has one. It must be refused, soon, with no trace left."""
    content = text if isinstance(text, bytes) else text.encode()
    Path("folder").mkdir()
    recipe = write("folder/recipe.toml", content)
    Path("secret.toml").write_text(GOOD)

    started = time.monotonic()
    roots = (Path("folder"), ROOT, *INSTALLED)
    with audit.watch(roots, content.decode("utf-8", "replace")) as seen, pytest.raises(InputError) as refused:
        run(recipe, quick=b"[quick]" in content)

    assert seen == []
    assert time.monotonic() - started < 60  # the slowest takes 4; a quadratic one took 260
    assert refused.value.exit_status == 2
    assert sorted(path.name for path in Path().rglob("*")) == ["folder", "recipe.toml", "secret.toml"]


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
@pytest.mark.usefixtures("imported")
def test_code_in_a_text_stays_a_text(text: str, audit: Audit, write: Write) -> None:
    recipe = write("recipe.toml", text)
    with audit.watch((Path(), ROOT, *INSTALLED), text) as seen:
        table = open_recipe(str(recipe), (), False, Catalog()).table
    assert seen == []
    assert CODE in str(table).replace('"', "")
    assert [path.name for path in Path().iterdir()] == ["recipe.toml"]


def test_there_are_a_hundred() -> None:
    assert len(RECIPES) >= 100


def test_the_audit_sees_what_it_should(audit: Audit, tmp_path: Path) -> None:
    """The guard itself: without this, the tests above could pass by watching nothing."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "read.txt").write_text("")
    with audit.watch((tmp_path / "mine",), "print(12345)") as seen:
        (tmp_path / "mine" / "read.txt").read_text()
        compile("other + text", "x", "eval")
        assert seen == []
        (tmp_path / "mine" / "write.txt").write_text("")
        os.close(os.open(tmp_path / "mine" / "raw.txt", os.O_WRONLY | os.O_CREAT))
        Path(__file__).read_text()
        compile("print(12345)", "x", "eval")
        os.system("true")
    assert [found.split(" ")[0] for found in seen] == ["open", "open", "open", "compile", "os.system"]
