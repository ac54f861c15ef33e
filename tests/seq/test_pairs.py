"""Pairs of sentences: where they come from, their marks, their padding, and which are held out."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from zoo import InputError
from zoo_seq.translation.pairs import Ragged, by_length, gathered, translation_data
from zoo_seq.translation.parallel_text import held_out
from zoo_seq.translation.seq2seq import Seq2Seq
from zoo_seq.translation.task import Translation
from zoo_seq.translation.transformer import Transformer

PLAIN: dict[str, Any] = {
    "name": "pairs", "splitter": "word", "normalize": "none", "min_count": 1, "max_vocab": None, "joint": False,
    "longest": None,
}  # fmt: skip
PAIRS = {"train": [("a b c", "x y"), ("a b", "x y z x"), ("c", "y")], "val": [("b", "x", "z y"), ("b b a c", "y")]}


def some_data(pairs: Any = None, **more: Any) -> Any:
    return translation_data({name: list(own) for name, own in (pairs or PAIRS).items()}, **{**PLAIN, **more})


def words(data: Any, side: str, tokens: torch.Tensor) -> list[str]:
    vocab = data.assets[f"{side}_vocab"]["tokens"]
    return [vocab[index] for index in tokens.tolist()]


def test_pairs_have_their_marks() -> None:
    """A source ends with <eos>; a target begins with <bos>, too; shorter ones are filled up with <pad>."""
    data = some_data()
    sample = data.splits["train"][0]
    assert words(data, "source", sample["source"]) == ["a", "b", "c", "<eos>"]
    assert words(data, "target", sample["target"]) == ["<bos>", "x", "y", "<eos>"]
    batch = data.splits["train"].batch(torch.tensor([2, 0]))
    assert [words(data, "source", row) for row in batch["source"]] == [
        ["c", "<eos>", "<pad>", "<pad>"], ["a", "b", "c", "<eos>"],
    ]  # fmt: skip
    assert [words(data, "target", row) for row in batch["target"]] == [
        ["<bos>", "y", "<eos>", "<pad>"], ["<bos>", "x", "y", "<eos>"],
    ]  # fmt: skip
    assert batch["references"] == [["y"], ["x y"]]


def test_samples_are_put_together_as_whole_batches_are() -> None:
    """By the task, for what comes one by one: raw texts, and splits of other plugins."""
    data = some_data()
    split, task = data.splits["train"], Translation(**data.assets)
    whole, collated = split.batch(torch.arange(3)), task.collate([split[index] for index in range(3)])
    assert whole.keys() == collated.keys()
    for name in ("source", "target"):
        assert torch.equal(whole[name], collated[name])
    assert whole["references"] == collated["references"]
    assert task.collate([{"source": torch.tensor([4, 3])}]).keys() == {"source"}


def test_facts_are_those_of_both_languages() -> None:
    """Three and three words beside four marks; half as many positions again as the longest text has tokens."""
    data = some_data({**PAIRS, "train": [*PAIRS["train"], ("d", "x")]})
    assert data.facts == {
        "source_vocab_size": 8, "target_vocab_size": 7, "num_classes": 7, "vocab_size": 7, "pad_index": 0,
        "ignore_index": 0, "one_vocab": False, "max_length": 10,
    }  # fmt: skip
    assert data.assets["source_vocab"]["tokens"] == ["<pad>", "<unk>", "<bos>", "<eos>", "a", "b", "c", "d"]
    assert data.assets["target_vocab"]["tokens"] == ["<pad>", "<unk>", "<bos>", "<eos>", "x", "y", "z"]
    assert some_data({"train": [("a", "x x x x x x x")], "val": [("a", "x")]}).facts["max_length"] == int(1.5 * 9) + 1


def test_vocabs_are_counted_in_what_is_trained_on() -> None:
    """By hand: d is held out, and c occurs once."""
    pairs = {"train": [("a a b b c", "x x")], "val": [("d d", "z")]}
    assert some_data(pairs).assets["source_vocab"]["tokens"][4:] == ["a", "b", "c"]
    assert some_data(pairs, min_count=2).assets["source_vocab"]["tokens"][4:] == ["a", "b"]
    assert some_data(pairs, max_vocab=5).assets["source_vocab"]["tokens"][4:] == ["a"]
    joint = some_data(pairs, joint=True)
    assert joint.assets["source_vocab"] == joint.assets["target_vocab"] and joint.facts["one_vocab"]
    assert joint.assets["source_vocab"]["tokens"][4:] == ["a", "b", "x", "c"]


def test_weights_bring_their_vocabs() -> None:
    source, target = some_data({"train": [("b a", "q")], "val": [("b", "q")]}).assets.values()
    data = some_data(vocabs=(source, target))
    assert data.assets == {"source_vocab": source, "target_vocab": target}
    assert words(data, "target", data.splits["train"][0]["target"]) == ["<bos>", "<unk>", "<unk>", "<eos>"]


def test_references_are_normalised_as_the_target_is() -> None:
    data = some_data({"train": [("A b", "X y!")], "val": [("A", "X", "Y Z")]}, normalize="lower")
    assert data.splits["train"].references == [["x y!"]]
    assert data.splits["val"].references == [["x", "y z"]]
    assert words(data, "target", data.splits["val"][0]["target"]) == ["<bos>", "x", "<eos>"]


@given(st.lists(st.lists(st.integers(1, 9), max_size=5), min_size=1, max_size=6), st.integers(0, 99))
def test_ragged_rows_are_lists(rows: list[list[int]], seed: int) -> None:
    """Padded, chosen, and chosen and padded, against lists of Python."""
    generator = torch.Generator().manual_seed(seed)
    ragged, lists = Ragged([torch.tensor(row, dtype=torch.int64) for row in rows], 7, 8), [[7, *row, 8] for row in rows]
    for _ in range(2):
        assert [ragged[index].tolist() for index in range(len(lists))] == lists
        assert ragged.lengths.tolist() == list(map(len, lists))
        chosen = torch.randint(len(lists), (4,), generator=generator)
        own = [lists[index] for index in chosen.tolist()]
        assert ragged.padded(chosen).tolist() == [row + [0] * (max(map(len, own)) - len(row)) for row in own]
        ragged = ragged.rows(chosen)
        lists = own


@pytest.mark.parametrize("model", ["transformer", "seq2seq"])
def test_the_loss_of_a_padded_batch_is_that_of_its_sentences(model: str) -> None:
    """Weighted by their tokens; padding counts nowhere, in whichever batch a sentence stands."""
    torch.manual_seed(0)
    data = some_data()
    facts = {name: data.facts[name] for name in ("source_vocab_size", "target_vocab_size", "pad_index")}
    network: Any = (
        Transformer(**facts, max_length=20, width=8, layers=1, heads=2) if model == "transformer" else
        Seq2Seq(**facts, width=8, attention="additive")
    ).eval()  # fmt: skip
    task, split = Translation(**data.assets), data.splits["train"]
    loss = nn.CrossEntropyLoss(ignore_index=data.facts["ignore_index"])
    total, count = 0.0, 0
    for index in range(3):
        batch = split.batch(torch.tensor([index]))
        tokens = batch["target"].shape[1] - 1
        total += float(loss(task.forward(network, batch), task.target(batch)).detach()) * tokens
        count += tokens
    batch = split.batch(torch.arange(3))
    assert loss(task.forward(network, batch), task.target(batch)).item() == pytest.approx(total / count, rel=1e-5)
    logits = task.forward(network, batch).view(3, -1, data.facts["target_vocab_size"])
    assert logits.shape[1] == batch["target"].shape[1] - 1
    torch.testing.assert_close(logits, network(batch["source"], batch["target"][:, :-1]))
    assert torch.equal(task.target(batch).view(3, -1), batch["target"][:, 1:])


@given(st.lists(st.integers(1, 30), min_size=1, max_size=80), st.integers(1, 16), st.integers(0, 9))
def test_batches_of_like_length_hold_every_pair_once(lengths: list[int], size: int, seed: int) -> None:
    of = torch.tensor(lengths)
    batches, others = (by_length(of, size, torch.Generator().manual_seed(seed + more)) for more in (0, 1))
    assert sorted(torch.cat(batches).tolist()) == list(range(len(lengths)))
    assert len(batches) == len(others)
    budget = size * sum(lengths) / len(lengths)
    for batch in batches:
        assert len(batch) == 1 or len(batch) * int(of[batch].max()) <= budget
    batches.sort(key=lambda batch: (int(of[batch].min()), int(of[batch].max()), -len(batch)))
    for batch, after in pairwise(batches):  # and no batch has room for the next sentence
        assert (len(batch) + 1) * int(of[after].min()) > budget


def test_batches_of_like_length_are_drawn_anew_in_each_epoch() -> None:
    """Their order, and which of equal length are together; the same again by the same generator."""
    lengths = torch.tensor([3, 5] * 20)
    drawn = [by_length(lengths, 4, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert [batch.tolist() for batch in drawn[0]] == [batch.tolist() for batch in drawn[1]]
    assert {frozenset(batch.tolist()) for batch in drawn[0]} != {frozenset(batch.tolist()) for batch in drawn[2]}
    order = [int(lengths[batch].max()) for batch in drawn[0]]
    assert order != sorted(order)
    pairs = some_data({"train": [("a " * n, "x " * n) for n in (1, 1, 1, 9)], "val": [("a", "x")]}).splits["train"]
    assert sorted(map(len, pairs.batching(3, torch.Generator()))) == [1, 3]  # the long one by itself


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.text("xyz", max_size=2)), min_size=2), st.integers(1, 10))
def test_a_source_that_is_held_out_takes_all_its_translations_along(pairs: list[tuple[str, str]], size: int) -> None:
    """`size` sources, each once, with the texts that differ; no pair that is trained on has one of them."""
    train, val = held_out(pairs, size, 0)
    sources = [source for source, *_ in val]
    assert len(sources) == len(set(sources)) == min(size, len({source for source, _ in pairs}))
    assert Counter(train) == Counter(pair for pair in pairs if pair[0] not in sources)
    for source, *texts in val:
        assert sorted(texts) == sorted({text for its, text in pairs if its == source})


def test_which_sources_are_held_out_hangs_on_the_seed() -> None:
    pairs = [(str(number), "x") for number in range(100)]
    first, again, other = (held_out(pairs, 10, seed)[1] for seed in (0, 0, 1))
    assert first == again != other
    assert first == sorted(first, key=lambda pair: int(pair[0]))  # in the order of the file


def test_translations_are_gathered_in_their_order() -> None:
    pairs = [("a", "z"), ("b", "q"), ("a", "x"), ("a", "z"), ("a", "y", "x")]
    assert gathered(pairs) == [("a", "z", "x", "y"), ("b", "q")]


def test_long_pairs_are_left_out_and_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """Cut short, a sentence would have no end (a trap of the course's code). What is scored is not left out."""
    pairs = {
        "train": [("a b a b a", "x"), ("a b", "x y"), ("", "x"), ("a b", "x y x"), ("a", " "), ("b", "x y x y")],
        "val": [("b a b a b a", "y x")],
    }
    data = some_data(pairs, longest=5)
    assert [data.splits[name].references for name in ("train", "val")] == [[["x y"], ["x y x"]], [["y x"]]]
    assert data.splits["train"].names == ["2", "3"]
    assert len(data.splits["train"]) == 2 and data.splits["train"].lengths.tolist() == [4, 5]
    assert words(data, "target", data.splits["train"][1]["target"]) == ["<bos>", "x", "y", "x", "<eos>"]
    assert data.facts["max_length"] == int(1.5 * 7) + 1
    told = capsys.readouterr().err
    assert "2 pairs of `train` have an empty side" in told and "2 pairs are longer than 5 tokens" in told
    with pytest.raises(InputError, match="no pair has at most 2 tokens"):
        some_data(longest=2)


def test_the_share_of_unknown_tokens_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    some_data({"train": [("a a", "x x")] * 4, "val": [("a b", "x x")]})
    assert "pairs: 33.33% of the source tokens of `val` are not in the vocab" in capsys.readouterr().err
