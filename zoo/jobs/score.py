"""Score a run folder's weights again: on the data of its recipe, or on others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from zoo.jobs.listeners import Results
from zoo.jobs.run_files import require_same_data
from zoo.jobs.signals import stop_on_signals
from zoo.recipes.recipe import Overrides, parse_overrides
from zoo.runs.folder import Folder
from zoo.runs.folds import fold_folders

OUT_OF_FOLD = "out_of_fold"


def score(
    path: str | Path,
    overrides: Overrides = (),
    *,
    split: str | None = None,
    device: str = "auto",
    batch_size: int | None = None,
    changed_data: bool = False,
) -> Results:
    """Score a run's weights; of a cross-validation, every fold on what it held out, or all together on another split.

    Args:
        overrides: `{"dataset.root": "new"}` or `["dataset.root=new"]`: other data or metrics than the recipe's.
        split: by default the one of the recipe's `[eval]`.
        changed_data: the data set of the recipe has changed, and that is meant.

    Raises:
        InputError: the path is no run folder, an override is wrong, or the data set has changed.
        RunFailed: a file of the run folder is damaged.
    """
    from zoo.jobs.evaluate import evaluate_average, evaluate_together, signatures
    from zoo.jobs.scoring import prepare_scoring_of

    run = Folder.open(Path(path))
    values = overrides if isinstance(overrides, dict) else parse_overrides(overrides)
    other_data = changed_data or any(key.partition(".")[0] == "dataset" for key in values)
    folders = [Folder.open(folder) for folder in fold_folders(run.path)] or [run]
    with stop_on_signals() as stop:
        scorings = []
        for folder in folders:
            data, scoring = prepare_scoring_of(folder, values, split=split, device=device, batch_size=batch_size)
            require_same_data(folder, data, other_data)
            scorings.append(scoring)
        if len(scorings) > 1 and scorings[0].split in ("train", "val"):
            scorings = [replace(scoring, split=OUT_OF_FOLD) for scoring in scorings]
            figures = evaluate_together(scorings, stop)
        else:
            figures = evaluate_average(scorings, stop)
        return {"figures": figures, "split": scorings[0].split, **signatures(scorings[0])}
