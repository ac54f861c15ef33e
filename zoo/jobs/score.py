"""Score a run folder's weights again: on the data of its recipe, or on others."""

from __future__ import annotations

from pathlib import Path

from zoo.jobs.run_files import Results, require_same_data
from zoo.jobs.signals import stop_on_signals
from zoo.recipes.recipe import Overrides, parse_overrides
from zoo.runs.folder import Folder


def score(
    path: str | Path,
    overrides: Overrides = (),
    *,
    split: str | None = None,
    device: str = "auto",
    batch_size: int | None = None,
    changed_data: bool = False,
) -> Results:
    """Score a run's weights, and return their figures and the split that they are of.

    Args:
        overrides: `{"dataset.root": "new"}` or `["dataset.root=new"]`: other data or metrics than the recipe's.
        split: by default the one of the recipe's `[eval]`.
        changed_data: the data set of the recipe has changed, and that is meant.

    Raises:
        InputError: the path is no run folder, an override is wrong, or the data set has changed.
        RunFailed: a file of the run folder is damaged.
    """
    from zoo.jobs.evaluate import evaluate, signatures
    from zoo.jobs.scoring import reopen

    values = overrides if isinstance(overrides, dict) else parse_overrides(overrides)
    other_data = changed_data or any(key.partition(".")[0] == "dataset" for key in values)
    with stop_on_signals() as stop:
        prepared = reopen(path, values, split=split, device=device, batch_size=batch_size)
        require_same_data(Folder(Path(path)), prepared.data, other_data)
        figures = evaluate(prepared, stop=stop)
        return {"figures": figures, "split": prepared.scoring.split, **signatures(prepared.scoring)}
