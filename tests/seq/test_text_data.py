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
from zoo.batches import make_batches
from zoo_seq.language.text_file import text_file
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
    context = torch.arange(inputs.shape[1]).expand_as(inputs)[1:][kept[1:]]
    assert len(context) == 0 or int(context.min()) >= steps // 2


def test_random_windows_move_from_epoch_to_epoch() -> None:
    split = random_windows(torch.arange(100), 8)
    batches = make_batches(split, 4, CPU, lambda samples: {}, seed=0, training=True)
    starts = [{int(row[0]) for batch in batches.epoch(epoch) for row in batch["input"]} for epoch in (0, 1)]
    assert starts[0] != starts[1]


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


def test_another_encoding_can_be_named(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_bytes(("déjà vu " * 50).encode("latin-1"))
    assert "é" in text_file(str(file), encoding="latin-1").assets["vocab"]["tokens"]
    with pytest.raises(InputError, match="no encoding"):
        text_file(str(file), encoding="klingon")
