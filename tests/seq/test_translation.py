"""The task `translation`, and runs that translate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo as zoo_package
from tests.conftest import Command
from tests.seq.test_pairs import some_data
from zoo import InputError
from zoo_seq.translation import heat_maps
from zoo_seq.translation import task as module
from zoo_seq.translation.seq2seq import Seq2Seq
from zoo_seq.translation.task import Translation
from zoo_seq.translation.transformer import Transformer

DATA = some_data()


def some_task(**more: Any) -> Translation:
    return Translation(**DATA.assets, **more)


def encoded(text: str) -> list[int]:
    return [DATA.assets["target_vocab"]["tokens"].index(word) for word in text.split()]


@pytest.mark.parametrize("beam", [1, 3])
@pytest.mark.parametrize(("positions", "size", "longest"), [(None, 5, 20), (12, 5, 12), (99, 5, 20), (None, 90, 190)])
def test_a_prediction_is_searched_for_as_the_task_is_told(
    beam: int, positions: int | None, size: int, longest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice the length of the longest source and ten, or as many tokens as the model has positions."""
    calls = []

    def search(*arguments: Any) -> Any:
        calls.append(arguments)
        return torch.tensor([encoded("<bos> x y <eos> z"), encoded("x <pad> z y x")]), None

    monkeypatch.setattr(module, "greedy" if beam == 1 else "beam_search", search)
    model = torch.nn.Module()
    if positions is not None:
        model.max_length = positions  # type: ignore[assignment]
    source = torch.ones(2, size, dtype=torch.int64)
    found = some_task(beam=beam, length_penalty=0.7).predict(model, {"source": source})
    assert found == ["x y", "x z y x"]
    begin, end = encoded("<bos> <eos>")
    expected = (model, source, begin, end, longest)
    assert calls == [expected if beam == 1 else (*expected, 3, 0.7)]


def test_a_text_longer_than_the_positions_is_an_error() -> None:
    model = Transformer(7, 7, 0, 4, width=8, layers=1, heads=2, positions="learned").eval()
    assert len(some_task().predict(model, {"source": torch.full((1, 4), 4)})) == 1
    with pytest.raises(InputError, match="the text has 5 tokens, and the model 4 positions"):
        some_task().predict(model, {"source": torch.full((1, 5), 4)})


class Told:
    """A metric that notes what it is given."""

    def __init__(self, takes_outputs: bool) -> None:
        self.takes_outputs = takes_outputs

    def update(self, *given: Any) -> None:
        self.given = given


def test_metrics_get_texts_and_references_or_logits_and_tokens() -> None:
    batch, logits = DATA.splits["val"].batch(torch.arange(2)), torch.rand(4, 7)
    texts, tokens = Told(False), Told(True)
    for metric in (texts, tokens):
        some_task().update("name", metric, None, batch, logits, ["x", "y"])
    assert texts.given == (["x", "y"], [["x", "z y"], ["y"]])
    assert tokens.given[0] is logits and torch.equal(tokens.given[1], batch["target"][:, 1:].flatten())


def test_a_raw_text_is_a_sample_and_says_what_it_lacks() -> None:
    task = some_task()
    sample = task.sample("a q c")
    assert [DATA.assets["source_vocab"]["tokens"][index] for index in sample["source"]] == ["a", "<unk>", "c", "<eos>"]
    assert task.describe(sample, "x") == {"text": "x", "unknown": 0.3333}
    assert task.describe(task.sample("a"), "x") == {"text": "x"}
    with pytest.raises(InputError, match="no token to translate"):
        task.sample("  ")


def test_difficulty_is_the_share_of_words_that_differ() -> None:
    """By hand: of a b and b c d one of four words is shared; the nearest reference counts."""
    task = some_task()
    assert task.difficulty({"references": ["b c d"]}, "a b") == pytest.approx(3 / 4)
    assert task.difficulty({"references": ["b c d", "a b c"]}, "a b") == pytest.approx(1 / 3)
    assert task.difficulty({"references": ["a"]}, "") == 1
    assert task.difficulty({"references": ["a b"]}, "b a") == 0


def test_texts_of_a_report() -> None:
    task, sample = some_task(), DATA.splits["val"][0]
    assert task.texts(sample, "y") == {"source": "b", "truth": "x / z y", "prediction": "y"}
    assert task.answer("y") == "y"


@pytest.mark.parametrize("attention", ["none", "additive", "transformer"])
def test_pictures_show_the_first_sentence(attention: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are the target's tokens, from the first that is predicted to its end; columns the source's, no padding."""
    drawn = []
    monkeypatch.setattr(module, "attention_map", lambda *arguments: drawn.append(arguments) or "map")
    monkeypatch.setattr(module, "position_map", lambda code: drawn.append(code) or "code")
    torch.manual_seed(0)
    model: Any = (
        Transformer(7, 7, 0, 9, width=8, layers=1, heads=2) if attention == "transformer" else
        Seq2Seq(7, 7, 0, width=8, attention=attention)
    ).eval()  # fmt: skip
    batch = DATA.splits["train"].batch(torch.tensor([0, 1]))
    pictures = some_task().pictures(model, batch)
    assert (
        pictures.keys()
        == {"none": set(), "additive": {"attention"}, "transformer": {"attention", "positions"}}[attention]
    )
    if attention != "none":
        weights, columns, rows = drawn[0]
        assert (columns, rows) == (["a", "b", "c", "<eos>"], ["x", "y", "<eos>"])
        expected = model.attention_weights(batch["source"][:1, :4], batch["target"][:1, :3])[0]
        torch.testing.assert_close(weights, expected)
    if attention == "transformer":
        assert torch.equal(drawn[1], model.target.code)
    assert some_task().pictures(torch.nn.Module(), batch) == {}  # another plugin's model, say


def test_pictures_show_the_first_forty_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    monkeypatch.setattr(module, "attention_map", lambda *arguments: drawn.append(arguments))
    data = some_data({"train": [("a " * 50, "b " * 60)], "val": [("a", "b")]})
    Translation(**data.assets).pictures(
        Seq2Seq(5, 5, 0, width=4, attention="dot").eval(), data.splits["train"].batch(torch.arange(1))
    )
    weights, columns, rows = drawn[0]
    assert (weights.shape, columns, rows) == ((1, 40, 40), ["a"] * 40, ["b"] * 40)


def test_a_heat_map_has_a_panel_a_head(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the first eight: its own weights, rows and columns named, from 0 to 1."""
    from matplotlib.axes import Axes

    shown, plain = [], Axes.imshow
    monkeypatch.setattr(
        Axes, "imshow", lambda self, values, **more: shown.append((self, values, more)) or plain(self, values, **more)
    )
    weights = torch.rand(9, 2, 3)
    heat_maps.attention_map(weights, ["a", "b", "c"], ["Ġx", "$"])
    assert len(shown) == heat_maps.HEADS == 8
    for head, (axes, values, more) in enumerate(shown):
        assert values.tolist() == weights[head].tolist() and (more["vmin"], more["vmax"]) == (0, 1)
        assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "c"]
        assert [label.get_text() for label in axes.get_yticklabels()] == (["_x", "\\$"] if head == 0 else ["", ""])
    assert [axes.get_title() for axes, *_ in shown] == [f"head {number}" for number in range(1, 9)]
    heat_maps.attention_map(weights[:1], ["a", "b", "c"], ["x", "y"])
    assert shown[-1][0].get_title() == "attention"
    assert max(heat_maps.attention_map(torch.rand(9, 40, 40), ["a"] * 40, ["b"] * 40).size) < 10_000  # no poster
    heat_maps.position_map(-weights[0])
    assert shown[-1][1].tolist() == (-weights[0]).tolist() and shown[-1][2]["vmin"] == -1


# Runs


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
    assert zoo("predict", tmp_path / "run", "two " * 60).status == 0  # sine waves have no end
    assert "<table class=texts><tr><th>source" in (tmp_path / "run" / "report.html").read_text()
    split = [json.loads(line) for line in zoo("predict", tmp_path / "run", "--split", "val").stdout.splitlines()]
    assert [line["input"] for line in split] == [str(number) for number in range(1, 11)]
