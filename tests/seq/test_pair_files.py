"""Files of sentences: two with a line each, and Tatoeba's."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.seq.test_pairs import words
from zoo import InputError
from zoo_seq.tokenizing import WORDS
from zoo_seq.translation.fra_eng import fra_eng
from zoo_seq.translation.number_words import number_words
from zoo_seq.translation.parallel_text import parallel_text


def write(folder: Path, name: str, text: str, zipped: bool = False) -> None:
    folder.joinpath(name).write_bytes(gzip.compress(text.encode()) if zipped else text.encode())


def test_files_may_be_gzipped(tmp_path: Path) -> None:
    write(tmp_path, "some.en.gz", "one\ntwo\n" * 5, zipped=True)
    write(tmp_path, "some.fr", "un\ndeux\n" * 5)
    data = parallel_text(("some.en", "some.fr"), root=str(tmp_path), splitter="word", val_size=1)
    assert (len(data.splits["train"]), data.splits["val"].references) == (5, [["un"]])


def test_each_split_is_its_own_files(tmp_path: Path) -> None:
    """Line n translates line n, twice in a file or not; of the options each arrives."""
    for split, texts in {"train": "a b\nC\n", "val": "d\nd\n", "test": "e\n"}.items():
        write(tmp_path, f"{split}.en", texts)
        write(tmp_path, f"{split}.fr", texts.replace("a b", "x y").replace("d", "z"))
    named = {split: (f"{split}.en", f"{split}.fr") for split in ("train", "val", "test")}
    data = parallel_text(**named, root=str(tmp_path), splitter="word")  # type: ignore[arg-type]
    assert {name: split.references for name, split in data.splits.items()} == {
        "train": [["x y"], ["C"]], "val": [["z"], ["z"]], "test": [["e"]],
    }  # fmt: skip
    assert data.facts["one_vocab"]
    assert data.assets["source_vocab"]["tokens"][4:] == ["C", "a", "b", "x", "y"]
    more: dict[str, Any] = {"splitter": "word", "normalize": "lower", "joint": False, "longest": 3, "max_vocab": 5}
    apart = parallel_text(**named, root=str(tmp_path), **more)  # type: ignore[arg-type]
    assert apart.splits["train"].references == [["c"]]
    assert [apart.assets[f"{side}_vocab"]["tokens"][4:] for side in ("source", "target")] == [["a"], ["c"]]
    assert parallel_text(**named, root=str(tmp_path)).assets["source_vocab"]["splitter"] == "bpe"  # type: ignore[arg-type]


VOCABS: dict[str, Any] = {
    f"{side}_vocab": {"tokens": ["<pad>", "<unk>", "<bos>", "<eos>", side], "splitter": "word", "normalize": "none"}
    for side in ("source", "target")
}


def test_weights_bring_their_vocabs_to_every_set(tmp_path: Path) -> None:
    write(tmp_path, "a", "one\ntwo\n")
    files = ("a", "a")
    assert parallel_text(files, files, root=str(tmp_path), **VOCABS).assets == VOCABS
    assert fra_eng(root=fra_txt(tmp_path), val_size=1, **VOCABS).assets == VOCABS
    assert number_words(size=10, val_size=1, **VOCABS).assets == VOCABS


def test_where_files_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder under $ZOO_DATA, a folder anywhere, or paths."""
    (tmp_path / "mine").mkdir()
    write(tmp_path / "mine", "a", "one\ntwo\n")
    files, paths = ("a", "a"), (str(tmp_path / "mine" / "a"),) * 2
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))
    for given in ({"folder": "mine"}, {"root": str(tmp_path / "mine")}):
        assert len(parallel_text(files, files, splitter="word", **given).splits["train"]) == 2  # type: ignore[arg-type]
    assert len(parallel_text(paths, paths, splitter="word").splits["train"]) == 2
    (tmp_path / "fra-eng").mkdir()
    fra_txt(tmp_path / "fra-eng")
    assert len(fra_eng(val_size=1).splits["val"]) == len(fra_eng(root=str(tmp_path), val_size=1).splits["val"]) == 1


def test_sources_that_are_held_out_hang_on_the_seed(tmp_path: Path) -> None:
    """Two of twenty, with what else translates them; the mark of a byte order is no word."""
    write(tmp_path, "a", "\ufeff" + "\n".join(f"s{number % 20}" for number in range(30)))
    write(tmp_path, "b", "\n".join(f"t{number}" for number in range(30)))

    def held(**more: int) -> list[list[str]]:
        return parallel_text(("a", "b"), root=str(tmp_path), splitter="word", **more).splits["val"].references  # type: ignore[arg-type,no-any-return]

    assert held(val_size=2) == held(val_size=2, seed=0) != held(val_size=2, seed=1)
    assert len(held(val_size=2)) == 2 and sorted(len(texts) for texts in held(val_size=19))[-1] == 2
    with pytest.raises(InputError, match="no pair of sentences in `train`"):
        held(val_size=20)


def test_lines_of_tatoeba_have_a_tab(tmp_path: Path) -> None:
    (tmp_path / "fra.txt").write_text("Go.\tVa !\n\nRun.\n")
    with pytest.raises(InputError, match=r"fra\.txt, line 3 has no tab"):
        fra_eng(root=str(tmp_path))
    (tmp_path / "fra.txt").unlink()
    with pytest.raises(InputError, match="there is no fra"):
        fra_eng(root=str(tmp_path))


def test_lines_end_where_the_files_have_line_feeds(tmp_path: Path) -> None:
    """Not at a form feed, nor at a separator of Unicode, which `str.splitlines` takes for ends."""
    write(tmp_path, "a", "one\x0ctwo\u2028three\nfour")
    write(tmp_path, "b", "un\ndeux")
    data = parallel_text(("a", "b"), ("a", "b"), root=str(tmp_path), splitter="word")
    assert len(data.splits["train"]) == 2


def fra_txt(folder: Path) -> str:
    """Ten English sentences with two and three French ones each, shortest first, and what Tatoeba says of them."""
    lines = []
    for number in range(10):
        lines += [f"{chr(97 + number) * (number + 1)} Go!\t{text}{number}\u202f!\tCC-BY" for text in ("Va", "Vas\xa0y")]
        lines += [f"{chr(97 + number) * (number + 1)} Go!\tAllez{number}\tCC-BY"] * (number % 2)
    (folder / "fra.txt").write_text("\n".join(lines), encoding="utf-8")
    return str(folder)


def test_english_sentences_are_held_out_with_all_their_translations(tmp_path: Path) -> None:
    """Narrow spaces are spaces, words are lower-case and occur twice; the third column is not read."""
    data = fra_eng(root=fra_txt(tmp_path), val_size=3)
    train, val = data.splits["train"], data.splits["val"]
    assert len(val) == 3 and len(train) + sum(map(len, val.references)) == 25
    for texts in val.references:
        number = texts[0][2]
        assert texts == [f"va{number} !", f"vas y{number} !", *([f"allez{number}"] if int(number) % 2 else [])]
    assert words(data, "source", val[0]["source"])[-3:] == ["go", "!", "<eos>"]
    assert {"go", "!"} <= set(data.assets["source_vocab"]["tokens"]) and not data.facts["one_vocab"]
    trained_on = {text for texts in train.references for text in texts}
    assert not trained_on & {text for texts in val.references for text in texts}
    counts = Counter(word for text in trained_on for word in WORDS.findall(text))
    assert set(data.assets["target_vocab"]["tokens"][4:]) == {word for word, count in counts.items() if count >= 2}
    other = fra_eng(root=fra_txt(tmp_path), val_size=3, seed=1)
    assert other.splits["val"].references != val.references


def test_the_first_pairs_are_trained_on_where_a_size_is_stated(tmp_path: Path) -> None:
    """As in the book; what follows is held out, without the sentence that the cut goes through."""
    data = fra_eng(root=fra_txt(tmp_path), size=3, val_size=2)
    assert data.splits["train"].references == [["va0 !"], ["vas y0 !"], ["va1 !"]]
    assert [texts[0] for texts in data.splits["val"].references] == ["va2 !", "va3 !"]
    assert list(map(len, data.splits["val"].references)) == [2, 3]


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (b"one\ntwo\n", b"un\n", "2 lines and .* 1: they do not go together"),
        (b"\xff\xfe", b"un\n", "is not text in utf-8"),
        (b"", b"", "no pair of sentences in `train`"),
        (b"one\n", b"\x1f\x8b", "cannot be read"),
    ],
)
def test_files_that_do_not_go_together(tmp_path: Path, source: bytes, target: bytes, message: str) -> None:
    (tmp_path / "a").write_bytes(source)
    name = "b.gz" if target.startswith(b"\x1f\x8b") else "b"
    (tmp_path / name).write_bytes(gzip.compress(b"un" * 99)[:15] + b"\xff" * 9 if name == "b.gz" else target)
    with pytest.raises(InputError, match=message):
        parallel_text(("a", name), ("a", name), root=str(tmp_path), splitter="word")


def test_lines_may_end_as_in_windows(tmp_path: Path) -> None:
    write(tmp_path, "a", "one\r\ntwo\r\n")
    write(tmp_path, "b", "un\r\ndeux\r\n")
    data = parallel_text(("a", "b"), ("a", "b"), root=str(tmp_path), splitter="char")
    assert data.splits["train"].references == [["un"], ["deux"]]
    assert "\r" not in data.assets["source_vocab"]["tokens"]
