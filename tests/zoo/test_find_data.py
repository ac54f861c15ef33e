"""Where data sets are found, and what is fetched when they are nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zoo import InputError, find_data

FILES = {"a.gz": "md5:1", "b.gz": "md5:2"}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ZOO_DATA", str(tmp_path / "data"))
    return tmp_path / "cache"


def test_zoo_data_goes_before_the_cache_and_that_before_other_places(cache: Path, tmp_path: Path) -> None:
    folders = [tmp_path / "data" / "set", cache / "set", tmp_path / "system"]
    for folder in reversed(folders):
        folder.mkdir(parents=True)
        assert find_data("set", places=[str(tmp_path / "system")]) == folder
    assert find_data("set", str(tmp_path)) == tmp_path


def test_what_is_nowhere_says_where_it_was_looked_for(cache: Path) -> None:
    with pytest.raises(InputError, match="is not at hand") as error:
        find_data("set", places=["/nowhere/set"], help="ask the author")
    assert all(part in str(error.value) for part in (str(cache), "/nowhere/set", "ask the author"))


def test_files_are_fetched_together_or_not_at_all(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = []

    def retrieve(url: str, known_hash: str, fname: str, path: Path) -> str:
        fetched.append((url, known_hash))
        if fname == "b.gz" and len(fetched) < 3:
            raise ConnectionError("offline")
        path.mkdir(parents=True, exist_ok=True)
        (path / fname).write_text(url)
        return str(path / fname)

    monkeypatch.setattr("pooch.retrieve", retrieve)
    arguments: dict[str, Any] = {"url": "https://example.org/set/", "files": FILES}
    with pytest.raises(InputError, match=r"set/b\.gz"):
        find_data("set", **arguments)
    assert [child.name for child in cache.iterdir()] == ["downloads"]
    folder = find_data("set", **arguments)
    assert {file.name: file.read_text() for file in folder.iterdir()} == {
        "a.gz": "https://example.org/set/a.gz",
        "b.gz": "https://example.org/set/b.gz",
    }
    assert fetched[-1] == ("https://example.org/set/b.gz", "md5:2")
    assert find_data("set", **arguments) == folder and len(fetched) == 4
