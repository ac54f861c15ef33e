"""From pairs of sentences to translations."""

from __future__ import annotations

import gzip
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sacrebleu
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo as zoo_package
from tests.conftest import Command
from tests.reference import texts as reference
from zoo import InputError
from zoo_seq.translation.decoding import beam_search, greedy
from zoo_seq.translation.metrics import BLEU, BookBLEU, ChrF
from zoo_seq.translation.number_words import english, french, number_words
from zoo_seq.translation.pairs import by_length, translation_data
from zoo_seq.translation.parallel_text import held_out, parallel_text
from zoo_seq.translation.seq2seq import Seq2Seq
from zoo_seq.translation.task import Translation
from zoo_seq.translation.transformer import Transformer

BEGIN, END, VOCAB = 1, 2, 6


def some_model(seed: int, kind: str) -> Any:
    torch.manual_seed(seed)
    if kind == "transformer":
        return Transformer(VOCAB, VOCAB, 0, 40, width=16, layers=1, heads=2).eval()
    return Seq2Seq(VOCAB, VOCAB, 0, width=16, layers=2, attention=kind, bidirectional=kind == "dot").eval()  # type: ignore[arg-type]


kinds = st.sampled_from(["transformer", "none", "additive", "dot"])


def sharpened(model: Any) -> Any:
    """Weights of a fresh network make all tokens alike; these have preferences, and so do beams."""
    with torch.no_grad():
        model.out.weight.mul_(6)
    return model


@given(st.integers(0, 200), kinds)
@settings(deadline=None, max_examples=25)
def test_a_beam_of_one_is_greedy_and_a_wider_one_no_worse(seed: int, kind: str) -> None:
    model = sharpened(some_model(seed, kind))
    source = torch.randint(3, VOCAB, (5, 7))
    source[2, 3:] = 0
    with torch.inference_mode():
        tokens, score = greedy(model, source, BEGIN, END, 12)
        one, its = beam_search(model, source, BEGIN, END, 12, 1)
        _, wide = beam_search(model, source, BEGIN, END, 12, 4)
    assert torch.equal(tokens, one)
    torch.testing.assert_close(score, its)
    assert bool((wide >= score - 1e-4).all())


@given(st.integers(0, 200))
@settings(deadline=None, max_examples=5)
def test_a_beam_wide_enough_finds_the_best(seed: int) -> None:
    model = sharpened(some_model(seed, "none"))
    source = torch.randint(3, VOCAB, (1, 4))
    with torch.inference_mode():
        _, found = beam_search(model, source, BEGIN, END, 3, VOCAB**2)
        best = reference.best_translation(model, source, BEGIN, END, 3, VOCAB)
    assert float(found[0]) == pytest.approx(best, abs=1e-4)


@given(st.integers(0, 50), st.sampled_from(["none", "additive", "dot"]))
@settings(deadline=None, max_examples=15)
def test_a_recurrent_decoder_goes_step_by_step_as_all_at_once(seed: int, kind: str) -> None:
    """And padding changes nothing: the state is that of the sentence's end."""
    model = some_model(seed, kind)
    source, target = torch.randint(3, VOCAB, (3, 6)), torch.randint(3, VOCAB, (3, 5))
    source[0, 2:] = 0
    whole = model(source, target)
    state = model.begin(source)
    for place, token in enumerate(target.unbind(1)):
        logits, state = model.step(token, state)
        torch.testing.assert_close(logits, whole[:, place], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model(source[:1, :2], target[:1]), whole[:1], rtol=1e-4, atol=1e-5)
    weights = model.attention_weights(source, target)
    assert (weights is None) == (kind == "none")
    if weights is not None:
        torch.testing.assert_close(weights.sum(-1), torch.ones(3, 1, 5))
        assert weights[0, ..., 2:].max() == 0


# Data


@given(st.lists(st.integers(1, 30), min_size=1, max_size=80), st.integers(1, 16), st.integers(0, 9))
def test_batches_of_like_length_hold_every_pair_once(lengths: list[int], size: int, seed: int) -> None:
    of = torch.tensor(lengths)
    batches, others = (by_length(of, size, torch.Generator().manual_seed(seed + more)) for more in (0, 1))
    assert sorted(torch.cat(batches).tolist()) == list(range(len(lengths)))
    assert len(batches) == len(others)
    budget = size * sum(lengths) / len(lengths)
    for batch in batches:
        assert len(batch) == 1 or len(batch) * int(of[batch].max()) <= budget


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.text("xyz", max_size=2)), min_size=2), st.integers(1, 10))
def test_no_source_is_in_two_splits(pairs: list[tuple[str, str]], size: int) -> None:
    train, val = held_out(pairs, size, 0)
    assert Counter(train + val) == Counter(pairs)
    assert not {source for source, _ in train} & {source for source, _ in val}


def test_pairs_have_their_marks_and_the_long_ones_are_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence that is too long is left out; cut short, it would have no end (a trap of the course's code)."""
    pairs = {"train": [("a b", "x y"), ("a b a b a", "x"), ("", "x")], "val": [("b a b a b a", "y x")]}
    data = translation_data(pairs, "pairs", "word", "none", 1, None, False, 5)
    assert [data.splits[name].references for name in ("train", "val")] == [["x y"], ["y x"]]
    assert data.splits["train"].names == ["1"]
    vocab = data.assets["target_vocab"]["tokens"]
    assert [vocab[index] for index in data.splits["train"][0]["target"]] == ["<bos>", "x", "y", "<eos>"]
    assert data.facts["max_length"] >= 7
    told = capsys.readouterr().err
    assert "1 pairs of `train` have an empty side" in told and "1 pairs are longer than 5 tokens" in told


def write(folder: Path, name: str, text: str, zipped: bool = False) -> None:
    folder.joinpath(name).write_bytes(gzip.compress(text.encode()) if zipped else text.encode())


def test_files_may_be_gzipped(tmp_path: Path) -> None:
    write(tmp_path, "some.en.gz", "one\ntwo\n" * 5, zipped=True)
    write(tmp_path, "some.fr", "un\ndeux\n" * 5)
    data = parallel_text(("some.en", "some.fr"), root=str(tmp_path), splitter="word", val_size=1)
    assert len(data.splits["train"]) == len(data.splits["val"]) == 5


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
    assert data.splits["train"].references == ["un", "deux"]
    assert "\r" not in data.assets["source_vocab"]["tokens"]


def test_the_share_of_unknown_tokens_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    pairs = {"train": [("a a", "x x")] * 4, "val": [("a b", "x x")]}
    translation_data(pairs, "pairs", "word", "none", 1, None, False, None)
    assert "pairs: 33.33% of the source tokens of `val` are not in the vocab" in capsys.readouterr().err


NUMBERS = {
    0: "zéro", 1: "un", 16: "seize", 17: "dix-sept", 21: "vingt et un", 22: "vingt-deux", 61: "soixante et un",
    70: "soixante-dix", 71: "soixante et onze", 72: "soixante-douze", 80: "quatre-vingts", 81: "quatre-vingt-un",
    91: "quatre-vingt-onze", 99: "quatre-vingt-dix-neuf", 100: "cent", 101: "cent un", 200: "deux cents",
    201: "deux cent un", 280: "deux cent quatre-vingts", 1000: "mille", 1001: "mille un", 2000: "deux mille",
    80_000: "quatre-vingt mille", 200_000: "deux cent mille", 200_200: "deux cent mille deux cents",
    999_999: "neuf cent quatre-vingt-dix-neuf mille neuf cent quatre-vingt-dix-neuf",
}  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_in_french(number: int) -> None:
    """As the traditional spelling has them (Grevisse, Le bon usage, on numerals)."""
    assert french(number) == NUMBERS[number]


def test_numbers_in_english() -> None:
    assert english(91_280) == "ninety-one thousand two hundred eighty"
    assert len({english(number) for number in range(3000)}) == len({french(number) for number in range(3000)}) == 3000


def test_no_number_is_in_two_splits() -> None:
    data = number_words(size=900, val_size=100, below=1000)
    assert not set(data.splits["train"].references) & set(data.splits["val"].references)


# Scores


def test_scores_are_sacrebleus_and_signed() -> None:
    found, wanted = ["the cat sat on a mat", "hello there"], ["the cat sat on the mat", "hello there you"]
    bleu, chrf = BLEU(), ChrF()
    for metric, whole in ((bleu, sacrebleu.corpus_bleu), (chrf, sacrebleu.corpus_chrf)):
        for pair in zip(found, wanted, strict=True):
            metric.update([pair[0]], [pair[1]])
        assert float(metric.compute()) == pytest.approx(whole(found, [wanted]).score)
    assert "tok:13a" in bleu.signature and "version:" in chrf.signature


def test_the_books_bleu_by_hand() -> None:
    """Precision 4/5 of words and 3/4 of pairs, no penalty: 0.8^(1/2) x 0.75^(1/4); a word alone has no pair."""
    metric = BookBLEU()
    metric.update(["a b c d e"], ["a b c d"])
    assert float(metric.compute()) == pytest.approx(0.8**0.5 * 0.75**0.25)
    metric.reset()
    metric.update(["a", "", "va!"], ["a b", "a", "va !"])
    assert metric.scores == pytest.approx([math.exp(-1), 0, 1])


# Runs


def test_the_heat_map_of_a_long_sentence_is_no_poster() -> None:
    data = translation_data({"train": [("a " * 300, "b " * 300)]}, "pairs", "word", "none", 1, None, False, None)
    task = Translation(**data.assets)
    model = Transformer(5, 5, 0, 900, width=16, layers=1, heads=16).eval()
    batch = task.collate([data.splits["train"][0]])
    with torch.inference_mode():
        picture = task.pictures(model, batch)["attention"]
    assert max(picture.size) < 10_000


@pytest.mark.parametrize("model", ["transformer", "seq2seq"])
def test_a_run_translates(tmp_path: Path, zoo: Command, model: str) -> None:
    """Numbers below a hundred are learned in seconds; the run folder is all that a translation needs."""
    settings = {
        "dataset.below": 100, "dataset.size": 90, "dataset.val_size": 10, "model": {"name": model, "width": 64},
        "train.epochs": 60, "train.evaluate_every_epochs": 60, "train.batch_size": 16, "train.device": "cpu",
    }  # fmt: skip
    results = zoo_package.run("transformer", settings, quick=True, out=tmp_path / "run")
    assert results["figures"]["val/chrf"] > 50
    assert results["signatures"]["bleu"].startswith("nrefs:1")
    run = zoo_package.load(tmp_path / "run")
    assert run.predict("twenty-two")["text"] == "vingt-deux"
    assert zoo_package.load(tmp_path / "run", task={"beam": 4}).predict("twenty-two")["text"] == "vingt-deux"
    assert run.predict("twenty-million")["unknown"] == pytest.approx(0.3333)
    # What stands in for the model takes the facts of the data at hand: other positions, here.
    recipe = tmp_path / "again.toml"
    recipe.write_text(
        f'[init]\nfrom = "{tmp_path / "run"}"\n[dataset]\nname = "number_words"\nsize = 900\n'
        '[optimizer]\nname = "sgd"\nlr = 0.1\n[train]\nsteps = 2\n'
    )
    zoo_package.run(recipe, out=tmp_path / "again")
    refused = zoo("predict", tmp_path / "run", "two " * 400)
    assert (refused.status, "positions" in refused.stderr) == ((2, True) if model == "transformer" else (0, False))
    assert "<table class=texts><tr><th>source" in (tmp_path / "run" / "report.html").read_text()
    split = [json.loads(line) for line in zoo("predict", tmp_path / "run", "--split", "val").stdout.splitlines()]
    assert [line["input"] for line in split] == [str(number) for number in range(1, 11)]
