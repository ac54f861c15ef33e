"""Where data sets are found, and what is fetched when they are nowhere."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from zoo import InputError, find_data
from zoo.kit.finding import cached_tensors

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


@pytest.mark.parametrize("name", ["../set", "a/../../set", "/etc"])
def test_a_name_leads_nowhere_else(cache: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "set").mkdir()
    with pytest.raises(InputError, match="is no name of a folder"):
        find_data(name)


def test_a_root_that_is_no_folder(cache: Path, tmp_path: Path) -> None:
    """It is not looked for elsewhere, though the set is at hand."""
    (cache / "set").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    for root in ("gone", "file"):
        with pytest.raises(InputError, match=rf"`root` is `.*{root}`, and there is no such folder\n.*ask"):
            find_data("set", tmp_path / root, help="ask")


@pytest.fixture
def archived(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`archived(kind)`: an archive of one file, which is what the next fetch finds."""

    def make(kind: str, member: str = "set.csv") -> str:
        file = tmp_path / f"set.{kind}"
        if kind == "zip":
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr(member, "1,2")
        else:
            with tarfile.open(file, "w:gz") as archive:
                info = tarfile.TarInfo(member)
                info.size = 3
                archive.addfile(info, io.BytesIO(b"1,2"))
        monkeypatch.setattr("pooch.retrieve", lambda *_, **__: str(file))
        return f"https://example.org/set.{kind}"

    return make


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_an_archive_is_unpacked_into_the_cache(archived: Any, cache: Path, kind: str) -> None:
    folder = find_data("set", url=archived(kind), hash="sha256:1")
    assert folder == cache / "set"
    assert [(file.name, file.read_text()) for file in folder.iterdir()] == [("set.csv", "1,2")]
    assert [child.name for child in cache.iterdir()] == ["set"]


def test_an_archive_cannot_write_elsewhere(archived: Any, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(tarfile.OutsideDestinationError):
        find_data("set", url=archived("tar.gz", "../../outside.csv"))
    assert not (tmp_path / "outside.csv").exists()


def test_where_another_process_was_first_its_folder_is_taken(
    archived: Any, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = archived("zip")
    rename = Path.rename

    def late(partial: Path, folder: Path) -> Path:
        folder.mkdir()
        (folder / "theirs.csv").write_text("3")
        return rename(partial, folder)

    monkeypatch.setattr(Path, "rename", late)
    assert [file.name for file in find_data("set", url=url).iterdir()] == ["theirs.csv"]
    assert [child.name for child in cache.iterdir()] == ["set"]


def test_a_file_that_is_not_the_one_it_should_be(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def differs(*_: Any, **__: Any) -> str:
        raise ValueError("SHA256 differs")

    monkeypatch.setattr("pooch.retrieve", differs)
    with pytest.raises(InputError, match=r"set\.zip is not the file it should be \(SHA256 differs\)"):
        find_data("set", url="https://example.org/set.zip", hash="sha256:1")


def test_tensors_are_made_once(cache: Path) -> None:
    """And made anew where their file is cut short, or another is asked for."""
    made: list[int] = []

    def make() -> dict[str, torch.Tensor]:
        made.append(1)
        return {"x": torch.arange(3) * len(made)}

    first = [cached_tensors("key", make)["x"].tolist() for _ in range(3)]
    assert first == [[0, 1, 2]] * 3
    assert cached_tensors("other", make)["x"].tolist() == [0, 2, 4]
    for file in cache.rglob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:-1])
    assert cached_tensors("key", make)["x"].tolist() == [0, 3, 6]
