"""What zoo_seq offers, by name; and that a figure does not hang on how samples are batched."""

from __future__ import annotations

import inspect
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import zoo as zoo_package
import zoo_seq

REFERENCES = {
    "task/forecasting": "Forecasting", "task/language_model": "LanguageModel", "task/translation": "Translation",
    "model/ar_mlp": "AutoregressiveMLP", "model/gpt": "GPT", "model/seq2seq": "Seq2Seq",
    "model/transformer": "Transformer", "metric/step_error": "StepError", "metric/bleu": "BLEU", "metric/chrf": "ChrF",
    "metric/book_bleu": "BookBLEU",
}  # fmt: skip
TASKS = {
    "forecasting": {"ar_mlp", "sine", "series_csv", "step_error"},
    "language_model": {"rnn", "gru", "lstm", "gpt", "text_file", "timemachine"},
    "translation": {
        "seq2seq", "transformer", "number_words", "fra_eng", "parallel_text", "bleu", "chrf", "book_bleu",
    },
}  # fmt: skip


def test_a_name_means_what_it_says() -> None:
    """Classes as they are listed, functions of the component's own name."""
    components = {f"{part.kind}/{part.name}": part for part in zoo_seq.zoo_components()}
    assert len(components) == len(zoo_seq.zoo_components()) == 21
    for name, component in components.items():
        assert component.load().__name__ == REFERENCES.get(name, component.name), name


def test_a_component_serves_its_task() -> None:
    parts = [part for part in zoo_seq.zoo_components() if part.kind != "task"]
    assert {task: {part.name for part in parts if task in part.tasks} for task in TASKS} == TASKS
    assert all(len(part.tasks) == 1 for part in parts)


RECURRENT = {"width": 256, "layers": 1, "dropout": 0.0, "tied": False, "cells": "torch", "bidirectional": False}
DEFAULTS: dict[str, dict[str, Any]] = {
    "task/forecasting": {"steps": 16},
    "task/language_model": {"length": 100, "temperature": 0.8, "top_k": None, "top_p": None, "seed": 0},
    "task/translation": {"beam": 1, "length_penalty": 0.6},
    "model/ar_mlp": {"widths": (10, 10), "half_life": None},
    **{f"model/{kind}": RECURRENT for kind in ("rnn", "gru", "lstm")},
    "model/gpt": {
        "width": 128, "layers": 4, "heads": 4, "dropout": 0.1, "positions": "learned", "pre_norm": True,
        "norm": "layer", "combine": "concat",
    },
    "model/seq2seq": {"width": 256, "layers": 2, "dropout": 0.2, "attention": "none", "bidirectional": False},
    "model/transformer": {
        "width": 256, "layers": 3, "heads": 4, "hidden": None, "dropout": 0.1, "positions": "sine", "pre_norm": True,
        "norm": "layer", "combine": "concat", "tied": False, "one_vocab": False,
    },
    "dataset/sine": {"size": 1000, "tau": 4, "noise": 0.2, "held_out": 0.4, "seed": 0},
    "dataset/series_csv": {"tau": 4, "held_out": 0.4},
    "dataset/number_words": {"size": 6000, "val_size": 500, "below": 1_000_000, "seed": 0},
    "dataset/fra_eng": {"size": None, "val_size": 200, "splitter": "word", "normalize": "lower", "min_count": 2},
    "dataset/parallel_text": {"splitter": "bpe", "normalize": "none", "joint": True, "val_size": 1000, "longest": None},
    "dataset/text_file": {"splitter": "char", "num_steps": 32, "sampling": "random", "held_out": 0.1},
    "dataset/timemachine": {"splitter": "char", "normalize": "letters", "num_steps": 32, "sampling": "random"},
    "metric/book_bleu": {"n": 2},
}  # fmt: skip


def test_what_a_recipe_leaves_out_means_the_same_tomorrow() -> None:
    """Figures of recipes and experiments rest on what they do not state: to change a default is to measure anew."""
    components = {f"{part.kind}/{part.name}": part for part in zoo_seq.zoo_components()}
    for name, stated in DEFAULTS.items():
        parameters = inspect.signature(components[name].load()).parameters
        assert {key: parameters[key].default for key in stated} == stated, name


def test_which_way_is_better_and_what_is_watched() -> None:
    components = {f"{part.kind}/{part.name}": part.load() for part in zoo_seq.zoo_components()}
    better = {"bleu": True, "chrf": True, "book_bleu": True, "step_error": False}
    assert {name: components[f"metric/{name}"].higher_is_better for name in better} == better
    usual = {"forecasting": ("mse", ("step_error",)), "language_model": ("cross_entropy", ("perplexity",)),
             "translation": ("cross_entropy", ("bleu", "chrf"))}  # fmt: skip
    for name, (loss, metrics) in usual.items():
        task = components[f"task/{name}"]
        assert (task.loss, task.metrics, task.monitor) == (loss, metrics, "val/loss")


def test_importing_it_is_cheap() -> None:
    """`zoo list` imports every plugin."""
    code = "import zoo_seq, sys; print(*{'torch', 'numpy', 'pydantic', 'sacrebleu', 'tokenizers'} & set(sys.modules))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == []


SMALL = {
    "transformer": {
        "dataset.below": 100, "dataset.size": 40, "dataset.val_size": 10, "model.width": 16, "model.layers": 1,
    },
    "gru": {
        "model.width": 16, "dataset.num_steps": 16, "dataset.held_out_steps": 32,
        "loss": {"name": "cross_entropy", "label_smoothing": 0.1},
    },
}  # fmt: skip


@pytest.mark.parametrize("recipe", SMALL)
def test_figures_are_the_same_one_by_one_and_together(recipe: str, tmp_path: Path) -> None:
    """Padding, and labels that are not scored, weigh in no figure: each token of the split counts once."""
    text = tmp_path / "text.txt"
    text.write_text("the time traveller for so it will be convenient to speak of him was expounding. " * 12)
    more = {"dataset.path": str(text)} if recipe == "gru" else {}
    settings = {**SMALL[recipe], **more, "train.device": "cpu", "train.precision": "fp32", "train.batch_size": 8}
    figures: list[Any] = []
    for size in (1, 64):
        given = {**settings, "train.epochs": 1, "train.evaluate_every_epochs": 1, "eval.batch_size": size}
        figures.append(zoo_package.run(recipe, given, quick=True, out=tmp_path / str(size))["figures"])
    for name, figure in figures[0].items():
        assert figures[1][name] == pytest.approx(figure, rel=1e-4), name
    if recipe == "gru":
        assert 1 < figures[0]["val/perplexity"] < math.exp(figures[0]["val/loss"])  # which is smoothed
