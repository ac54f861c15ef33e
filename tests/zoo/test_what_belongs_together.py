"""Weights, vocab, data and the folders that a run names: what does not belong together is refused or said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import zoo as public
from tests.conftest import Command
from tests.zoo.training import heard_by, resume, run, stopped, stops_at, weights
from zoo import InputError, RunFailed, Stopped
from zoo.jobs.score import score
from zoo.runs.folder import WEIGHTS, Folder

pytestmark = pytest.mark.usefixtures("probe_parts")


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    monkeypatch.chdir(tmp_path)
    return lambda words: Path("text.txt").write_text(f"{words} " * 60)  # type: ignore[return-value]


def language_recipe() -> Path:
    Path("lm.toml").write_text(
        'task = "language_model"\nmodel = { name = "rnn", width = 8 }\n'
        'dataset = { name = "text_file", path = "text.txt", sampling = "sequential", num_steps = 8 }\n'
        'optimizer = { name = "sgd", lr = 0.1 }\ntrain = { steps = 6, batch_size = 8 }\n'
    )
    return Path("lm.toml")


def test_a_changed_data_set_is_refused_until_it_is_meant(text: Callable[[str], None]) -> None:
    """The same letters, so the same vocab, in another order; both on resume and for figures."""
    text("the quick brown fox jumps over the lazy dog.")
    with heard_by(stops_at(3)), pytest.raises(Stopped):
        public.run(language_recipe(), out="run")
    shutil.copytree("run", "same")
    resume("same")
    text("the lazy dog jumps over the quick brown fox.")
    with pytest.raises(InputError, match=r"data set is not the one that run was begun with: split `train`"):
        resume("run")
    with pytest.raises(InputError, match="--changed-data"):
        score("same")
    assert score("same", changed_data=True)["figures"]
    resume("run", changed_data=True)
    assert score("run")["figures"]  # the new fingerprint is the run's now


def test_other_data_may_be_scored(text: Callable[[str], None], zoo: Command) -> None:
    """`zoo eval RUN dataset.path=...` says that they are meant, and the vocab stays that of the weights."""
    text("the quick brown fox jumps over the lazy dog.")
    public.run(language_recipe(), out="run")
    Path("other.txt").write_text("a dog jumps over a fox. " * 60)
    finished = zoo("eval", "run", "dataset.path=other.txt", "--json")
    assert finished.status == 0, finished.stderr
    assert json.loads(finished.stdout)["figures"] != score("run")["figures"]
    assert zoo("eval", "run", "dataset.pathh=other.txt").status == 2


def test_facts_that_the_weights_settled_are_not_settled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A translator of short sentences is scored on longer ones: sine positions have no end."""
    monkeypatch.chdir(tmp_path)
    words = ["one", "two", "three", "four"]
    for name, length in (("short", 3), ("long", 9)):
        lines = [[words[(start + place) % 4] for place in range(1 + start % length)] for start in range(40)]
        Path(f"{name}.en").write_text("\n".join(" ".join(line) for line in lines))
        Path(f"{name}.fr").write_text("\n".join(" ".join(line) for line in lines))
    Path("r.toml").write_text(
        'task = "translation"\nmodel = { name = "transformer", width = 8, heads = 2, layers = 1, hidden = 8 }\n'
        "[dataset]\n"
        'name = "parallel_text"\ntrain = ["short.en", "short.fr"]\nval = ["short.en", "short.fr"]\n'
        '[optimizer]\nname = "adam"\n[train]\nsteps = 2\nbatch_size = 8\n[eval]\nmetrics = []\n'
    )
    public.run("r.toml", out="run")
    figures = score("run", ['dataset.val=["long.en", "long.fr"]'])["figures"]
    assert figures["val/loss"] > 0


# The vocab belongs to its weights


def test_weights_are_not_trained_on_with_another_vocab(text: Callable[[str], None]) -> None:
    """Of the same size, so every tensor fits; refused before one is read, with hashes and the first difference."""
    text("abcdefgh")
    public.run(language_recipe(), out="first")
    vocab = json.loads(Path("first/vocab.json").read_text())
    shutil.copytree("first", "other")
    tokens = vocab["tokens"]
    tokens[-1], tokens[-2] = tokens[-2], tokens[-1]
    other = Folder(Path("other"))
    other.commit({"vocab.json": [json.dumps(vocab, indent=1).encode()]})
    with pytest.raises((InputError, RunFailed), match="belong"):
        public.run(language_recipe(), {"init.from": "other"}, out="second")


@pytest.fixture
def with_assets(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have the probe's dataset bring other assets from here on."""
    from zoo_tiny import curve

    made = curve.sine_curve

    def assets(**values: Any) -> None:
        def other(size: int = 72) -> Any:
            data = made(size)
            data.assets = {"preprocess": {"scale": 1.0}, **values}
            return data

        monkeypatch.setattr(curve, "sine_curve", other)

    return assets


def test_assets_of_one_name_are_compared(tmp_path: Path, with_assets: Callable[..., None]) -> None:
    with_assets(vocab={"tokens": ["a", "b", "c"]})
    run(tmp_path / "first", epochs=1)
    with_assets(vocab={"tokens": ["a", "c", "b"]})
    message = (
        r"`vocab` of the dataset is not what .*first was trained with: sha256 \w+\.\.\. of the weights, \w+\.\.\. of "
    )
    with pytest.raises(InputError, match=message + r'the dataset; `vocab\.tokens\[1\]` is "b" there and "c" here'):
        run(tmp_path / "second", {"init.from": str(tmp_path / "first")})
    assert not (tmp_path / "second").exists()


def test_a_file_s_metadata_is_compared_too(tmp_path: Path, with_assets: Callable[..., None]) -> None:
    with_assets(vocab={"tokens": ["a", "b", "c"]})
    run(tmp_path / "first", epochs=1)
    shutil.copy(tmp_path / "first" / WEIGHTS, tmp_path / "w.safetensors")
    run(tmp_path / "same", {"init.from": str(tmp_path / "w.safetensors")}, epochs=1)
    with_assets(vocab={"tokens": ["a", "c", "b"]})
    with pytest.raises(InputError, match=r"`vocab` of the dataset is not what .*w\.safetensors was trained with"):
        run(tmp_path / "second", {"init.from": str(tmp_path / "w.safetensors")})


def test_a_part_s_vocab_is_compared_too(tmp_path: Path, with_assets: Callable[..., None]) -> None:
    with_assets(vocab={"tokens": ["a", "b", "c"]})
    run(tmp_path / "first", epochs=1)
    with_assets(vocab={"tokens": ["a", "c", "b"]})
    with pytest.raises(InputError, match="`vocab` of the dataset"):
        run(tmp_path / "second", {"init.from": str(tmp_path / "first"), "init.into": "body"})


def test_classes_and_preprocessing_may_change_with_a_note(
    tmp_path: Path, with_assets: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    """In training; figures of weights under other classes would be wrong in silence."""
    with_assets(classes=["cat", "dog"], preprocess={"scale": 1.0})
    run(tmp_path / "first", epochs=1)
    with_assets(classes=["dog", "cat"], preprocess={"scale": 2.0})
    run(tmp_path / "second", {"init.from": str(tmp_path / "first")}, epochs=1)
    said = caplog.text
    assert "`classes` changes: sha256" in said and '`classes[0]` is "cat" there and "dog" here' in said
    assert "`preprocess` changes" in said
    with pytest.raises(InputError, match="`classes` of the dataset is not what"):
        score(tmp_path / "first", changed_data=True)


def test_weights_that_say_nothing_of_a_vocab_are_taken_with_a_word(
    tmp_path: Path, with_assets: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    from safetensors.torch import save_file

    run(tmp_path / "first", epochs=1)
    save_file(
        {name: tensor.clone() for name, tensor in weights(tmp_path / "first").items()}, tmp_path / "w.safetensors"
    )
    with_assets(vocab={"tokens": ["a"]})
    run(tmp_path / "second", {"init.from": str(tmp_path / "w.safetensors")}, epochs=1)
    assert "does not say which `vocab` it was trained with" in caplog.text


def test_an_asset_cannot_take_the_name_of_another_file(tmp_path: Path, with_assets: Callable[..., None]) -> None:
    for name in ("environment", "results", "manifest", "../outside"):
        with_assets(**{name: {}})
        with pytest.raises(InputError, match="cannot be a file's name"):
            run(tmp_path / "run")


def test_a_run_folder_names_another_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started with a relative path, resumed from another working folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    run(Path("first"), epochs=1)
    stopped(Path("second"), stops_at(3), {"init.from": "first"})
    monkeypatch.chdir(tmp_path)
    assert resume("here/second")["figures"]
