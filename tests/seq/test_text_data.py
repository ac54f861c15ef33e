"""A text cut into windows; and texts that cannot be."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Command
from zoo import InputError
from zoo.training.batches import make_batches
from zoo_seq.language.text_file import text_file
from zoo_seq.language.timemachine import timemachine
from zoo_seq.language.windows import IGNORED, random_windows, scored_windows, sequential_windows

CPU = torch.device("cpu")
TEXT = "It was a dark and stormy night; the rain fell in torrents, except at occasional intervals.\n" * 20

lengths = st.integers(12, 200)
steps = st.integers(2, 10)


def batches_of(split: Any, size: int) -> list[dict[str, torch.Tensor]]:
    return list(make_batches(split, size, CPU, lambda samples: {}, seed=0, training=True).epoch(0))


@given(lengths, steps)
def test_labels_come_one_place_later(length: int, steps: int) -> None:
    tokens = torch.arange(length)
    for split in (random_windows(tokens, steps), sequential_windows(tokens, steps)):
        for batch in batches_of(split, 3):
            assert torch.equal(batch["label"], batch["input"] + 1)
            assert torch.equal(batch["input"], batch["input"][:, :1] + torch.arange(steps))


@given(lengths, steps, st.integers(1, 5))
def test_a_row_goes_on_where_it_ended(length: int, steps: int, size: int) -> None:
    batches = batches_of(sequential_windows(torch.arange(length), steps), size)
    for before, after in pairwise(batches):
        assert torch.equal(after["input"][:, 0], before["label"][:, -1])
        assert torch.equal(after["window"], before["window"] + 1)


@given(lengths, steps)
def test_every_token_but_the_first_is_scored_once_and_in_context(length: int, steps: int) -> None:
    split = scored_windows(torch.arange(length), steps)
    inputs, labels = split.tensors["input"], split.tensors["label"]
    kept = labels != IGNORED
    assert sorted(labels[kept].tolist()) == list(range(1, length))
    assert torch.equal(labels[kept], inputs[kept] + 1)
    assert bool(kept.any(dim=1).all())  # no window scores nothing
    context = torch.arange(inputs.shape[1]).expand_as(inputs)[1:][kept[1:]]
    assert len(context) == 0 or int(context.min()) >= steps // 2


def test_random_windows_move_from_epoch_to_epoch() -> None:
    """By up to a window, each by itself, so that any place may begin one; the same again by the same seed."""
    split = random_windows(torch.arange(100), 8)
    batches, again, other = (
        make_batches(split, 4, CPU, lambda samples: {}, seed=seed, training=True) for seed in (0, 0, 1)
    )

    def starts(batches: Any, epoch: int) -> list[int]:
        return [int(row[0]) for batch in batches.epoch(epoch) for row in batch["input"]]

    assert starts(batches, 0) != starts(batches, 1) and starts(batches, 0) != starts(other, 0)
    assert starts(batches, 0) == starts(again, 0)
    drawn = [starts(batches, epoch) for epoch in range(60)]
    assert {start % 8 for row in drawn for start in row} == set(range(8))
    assert {start for row in drawn for start in row} == set(range(92))  # the last window ends where the text does
    for row in drawn:
        assert all(tile <= start < tile + 8 for tile, start in zip(range(0, 81, 8), sorted(row), strict=False))


def test_draws_are_those_of_the_generator_that_is_given() -> None:
    """Not of torch's global one: a resumed epoch draws what the unbroken one drew."""
    split = random_windows(torch.arange(100), 8)
    batch = {name: value[:9] for name, value in split.tensors.items()}
    first, second = (split.transform(batch, torch.Generator().manual_seed(3))["input"] for _ in "12")
    assert torch.equal(first, second)


@given(lengths, steps)
def test_random_windows_are_scored_where_they_tile_the_text(length: int, steps: int) -> None:
    """`zoo eval RUN --split train`."""
    split = random_windows(torch.arange(length), steps)
    batches = make_batches(split, 3, CPU, lambda samples: {}, training=False)
    found = torch.cat([batch["input"].flatten() for batch in batches.epoch(0)])
    assert torch.equal(found, torch.arange((length - 1) // steps * steps))


def test_the_held_out_part_is_the_texts_end(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("a" * 900 + "b" * 100)
    data = text_file(str(file), num_steps=10)
    assert data.assets["vocab"]["tokens"] == ["<unk>", "a"]
    assert set(data.splits["val"].tensors["input"].flatten().tolist()) == {0}


def test_windows_of_a_text_by_hand() -> None:
    """Ten letters in windows of four that overlap by two: half of each but the first was scored before."""
    split = scored_windows(torch.arange(10), 4)
    assert split.tensors["input"].tolist() == [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7], [5, 6, 7, 8]]
    ignored = IGNORED
    assert split.tensors["label"].tolist() == [
        [1, 2, 3, 4], [ignored, ignored, 5, 6], [ignored, ignored, 7, 8], [ignored, ignored, ignored, 9],
    ]  # fmt: skip
    rows = sequential_windows(torch.arange(30), 4)
    assert rows.tensors["input"].shape == (7, 4) and rows.tensors["window"].tolist() == list(range(7))
    assert [batch["window"].tolist() for batch in batches_of(rows, 2)] == [[0, 3], [1, 4], [2, 5]]
    assert [batch["window"].tolist() for batch in batches_of(rows, 99)] == [list(range(7))]


def text_of(tmp_path: Path, text: str = TEXT) -> str:
    (tmp_path / "text.txt").write_text(text)
    return str(tmp_path / "text.txt")


def test_facts_and_settings_of_a_text(tmp_path: Path) -> None:
    """Each setting arrives where it is used, and nowhere else."""
    file = text_of(tmp_path)
    plain = text_file(file)
    size = len(set(TEXT)) + 1
    assert plain.facts == {"vocab_size": size, "num_classes": size, "max_length": 32, "ignore_index": IGNORED}
    assert plain.splits["train"].tensors["input"].shape[1] == plain.splits["val"].tensors["input"].shape[1] == 32
    assert plain.assets["vocab"]["splitter"] == "char" and "window" not in plain.splits["train"].tensors
    longer = text_file(file, num_steps=16, held_out_steps=40, sampling="sequential")
    assert longer.facts["max_length"] == 40 and "window" in longer.splits["train"].tensors
    assert [longer.splits[name].tensors["input"].shape[1] for name in ("train", "val")] == [16, 40]
    assert text_file(file, num_steps=40, held_out_steps=16).facts["max_length"] == 40
    rare = text_file(file, min_count=41).assets["vocab"]["tokens"]
    train = TEXT[: round(len(TEXT) * 0.9)]
    assert set(rare[1:]) == {letter for letter in TEXT if train.count(letter) >= 41}
    assert len(text_file(file, max_vocab=7).assets["vocab"]["tokens"]) == 7
    words = text_file(file, splitter="word", normalize="lower").assets["vocab"]
    assert (words["splitter"], words["normalize"], "it" in words["tokens"]) == ("word", "lower", True)
    halves = text_file(file, held_out=0.5, num_steps=8)
    letters = plain.assets["vocab"]["tokens"]
    assert "".join(letters[index] for index in halves.splits["val"].tensors["input"][0]) in TEXT[len(TEXT) // 2 :]
    count = int((halves.splits["val"].tensors["label"] != IGNORED).sum())
    assert count == len(TEXT) - round(len(TEXT) / 2) - 1


def test_the_time_machine_is_letters(tmp_path: Path) -> None:
    """The book's: a to z and the space, one character a token; settings arrive as for any text."""
    (tmp_path / "timemachine.txt").write_text(TEXT)
    data = timemachine(root=str(tmp_path))
    letters = {letter for letter in TEXT.lower() if "a" <= letter <= "z"}
    assert set(data.assets["vocab"]["tokens"]) == {"<unk>", " ", *letters}
    assert (data.assets["vocab"]["splitter"], data.facts["max_length"]) == ("char", 32)
    data = timemachine(
        root=str(tmp_path), splitter="word", normalize="none", min_count=2, max_vocab=9, num_steps=8, held_out=0.3,
        held_out_steps=12, sampling="sequential",
    )  # fmt: skip
    vocab = data.assets["vocab"]
    assert (vocab["splitter"], vocab["normalize"], len(vocab["tokens"])) == ("word", "none", 9)
    assert [data.splits[name].tensors["input"].shape[1] for name in ("train", "val")] == [8, 12]
    assert "window" in data.splits["train"].tensors
    kept = timemachine(root=str(tmp_path), vocab={"tokens": ["<unk>", "a"], "splitter": "char", "normalize": "lower"})
    assert kept.assets["vocab"]["tokens"] == ["<unk>", "a"] and kept.assets["vocab"]["normalize"] == "lower"
    with pytest.raises(InputError, match=r"no timemachine\.txt"):
        timemachine(root=str(tmp_path.parent))


def test_without_a_file_it_is_pythons_help() -> None:
    from pydoc_data.topics import topics

    data = text_file(splitter="word", max_vocab=50)
    assert len(data.splits["train"]) * 32 > 0.8 * 0.9 * sum(len(text.split()) for text in topics.values())


def test_weights_bring_their_vocab(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is fine-tuned keeps its tokens; what they lack is unknown, and the share is said."""
    file = tmp_path / "text.txt"
    file.write_text(TEXT)
    vocab = {"tokens": ["<unk>", "a", "t"], "splitter": "char", "normalize": "none"}
    data = text_file(str(file), vocab=vocab)
    assert data.assets["vocab"]["tokens"] == ["<unk>", "a", "t"]
    assert "% of the tokens of `train` are not in the vocab" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no text to train on"),
        (b" \n" * 99, "no text to train on"),
        (b"one line\n", "too short: its `train` part has 8 tokens and needs 33"),
        ("d\xe9j\xe0 vu".encode("latin-1"), "is not text in utf-8: byte 1 does not fit"),
    ],
)
def test_a_text_that_will_not_do(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "text.txt"
    file.write_bytes(content)
    with pytest.raises(InputError, match=message):
        text_file(str(file))


def test_a_text_that_is_not_there(tmp_path: Path, zoo: Command) -> None:
    finished = zoo("run", "gru", "--quick", f"dataset.path={tmp_path / 'nothing.txt'}", "--out", tmp_path / "run")
    assert finished.status == 2
    assert "nothing.txt cannot be read: No such file" in finished.stderr
    assert not (tmp_path / "run").exists()


def test_the_mark_of_a_byte_order_is_no_character(tmp_path: Path) -> None:
    """Windows' editors begin a file with it."""
    file = tmp_path / "text.txt"
    file.write_text(TEXT, encoding="utf-8-sig")
    assert "\ufeff" not in text_file(str(file)).assets["vocab"]["tokens"]


def test_another_encoding_can_be_named(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_bytes(("déjà vu " * 50).encode("latin-1"))
    assert "é" in text_file(str(file), encoding="latin-1").assets["vocab"]["tokens"]
    with pytest.raises(InputError, match="no encoding"):
        text_file(str(file), encoding="klingon")
