"""What a task promises: it takes a batch all the way, from losses to what a person sees."""

from __future__ import annotations

import copy
import json
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from zoo.errors import InputError
from zoo.registry.component import Component
from zoo.testing.building import experiment_with
from zoo.testing.data_contracts import equal
from zoo.testing.verdict import require

if TYPE_CHECKING:
    from zoo.tasks import Task


def scores_a_batch(task: Component) -> None:
    """A batch has finite figures, a prediction for each sample, and stays as it is."""
    from zoo.jobs.evaluate import evaluate, predictions_of

    scoring = experiment_with(task).scoring
    batch = next(iter(scoring.batches.epoch(0)))
    before = copy.deepcopy(batch)
    count = len(list(predictions_of(scoring, batch)))
    figures = evaluate(scoring, limit=1)
    require(equal(batch, before), "it changes the batch that it is given")
    size = scoring.task.batch_size(batch)
    require(count == size, f"it makes {count} predictions of {size} samples")
    wrong = {name: value for name, value in figures.items() if not math.isfinite(value)}
    require(not wrong, f"figures of the first batch are not finite: {wrong}")


def shows_predictions(task: Component) -> None:
    """A prediction is described as JSON, drawn, told in words, judged and put into a table, as far as the task does."""
    from zoo.jobs.evaluate import predictions_of
    from zoo.tasks import Task
    from zoo.training.batches import sample_of

    scoring = experiment_with(task).scoring
    shown = scoring.task
    batch = next(iter(scoring.batches.epoch(0)))
    columns = set()
    for position, prediction in enumerate(predictions_of(scoring, batch)):
        sample = sample_of(batch, position)
        if type(shown).describe is not Task.describe:
            _require_json(_asked(shown, "describe", sample, prediction))
        for truth in (False, True):
            image = _asked(shown, "draw", sample, prediction, truth)
            require(image is None or _is_image(image), f"`draw` with `truth = {truth}` gives no PIL image: {image!r}")
        drawings = _asked(shown, "drawings", sample, prediction)
        require(all(map(_is_image, drawings.values())), f"`drawings` gives what is no PIL image: {drawings}")
        texts = _asked(shown, "texts", sample, prediction)
        require(all(isinstance(text, str) for text in texts.values()), f"`texts` gives {texts}, not a text a column")
        columns.add(tuple(texts))
        difficulty = _asked(shown, "difficulty", sample, prediction)
        require(math.isfinite(difficulty) and difficulty >= 0, f"`difficulty` is {difficulty}; it counts from 0 up")
        with suppress(InputError):  # not every prediction fits into a cell
            answer = shown.answer(prediction)
            require(
                isinstance(answer, str | int | float), f"`answer` gives a {type(answer).__name__}, no text or number"
            )
    require(len(columns) < 2, f"`texts` gives the columns of one table by other names: {sorted(columns)}")


def takes_one_sample(task: Component) -> None:
    """A sample by itself, as a raw input is one, makes a batch with one prediction."""
    from zoo.jobs.evaluate import predictions_of

    experiment = experiment_with(task)
    sample = experiment.data.splits[experiment.scoring.split][0]
    batch = experiment.scoring.task.collate([sample])
    count = len(list(predictions_of(experiment.scoring, batch)))
    require(count == 1, f"it makes {count} predictions of a batch of one sample")


def _asked(task: Task, method: str, *arguments: Any) -> Any:
    try:
        return getattr(task, method)(*arguments)
    except Exception as error:
        with_truth = " with `truth = True`" if method == "draw" and arguments[-1] else ""
        pytest.fail(f"`{method}`{with_truth} raises {type(error).__name__}: {error}")


def _require_json(described: Any) -> None:
    try:
        json.dumps(described, allow_nan=False)
    except (TypeError, ValueError) as error:
        require(False, f"`describe` gives {described!r}, which is no JSON: {error}")
    require(isinstance(described, dict), f"`describe` gives {described!r}, which is no JSON object")


def _is_image(value: Any) -> bool:
    from PIL import Image

    return isinstance(value, Image.Image)
