"""What a run does once its weights are saved: load them again, compare, and make a report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from zoo.errors import RunFailed
from zoo.jobs.baselines import baselines_of
from zoo.jobs.evaluate import fingerprint, tables_of
from zoo.jobs.report import write_run_report
from zoo.jobs.run_files import Results, finish, require_same_data
from zoo.jobs.scoring import Prepared, Scoring, reopen
from zoo.runs.folder import Folder
from zoo.runs.predictor import load
from zoo.training.learner import Learner


def checked_load(experiment: Any, folder: Folder, progress: Any) -> Scoring:
    """Load what was saved, and return its scoring, once it says the same of a fixed batch as the model did."""
    scoring: Scoring = experiment.scoring
    run = load(folder.path, str(scoring.device))
    learner = Learner(run.model, run.task, scoring.learner.loss)
    learner.assign_own(run.beside)  # the loss as it was when the weights were chosen
    loaded = replace(scoring, learner=learner)
    digest, outputs = fingerprint(loaded)
    same = digest == progress.fingerprint
    if scoring.device.type == "cuda" and not same:  # kernels may be chosen anew there
        same = torch.allclose(outputs, progress.first_outputs, rtol=2e-2, atol=2e-2)
    if not same:
        gap = (outputs - progress.first_outputs).abs().max().item() if outputs.numel() else float("nan")
        raise RunFailed(
            f"the saved weights do not score as the model did: outputs differ by up to {gap:.3g}",
            "the model has state that is not in its state_dict, or draws random numbers in evaluation mode",
        )
    return loaded


def reported(folder: Folder, results: Results, prepared: Prepared) -> Results:
    """Return the results with tables and baselines beside the figures, and make a report of them."""
    scoring, data = prepared.scoring, prepared.data
    beside = tables_of(scoring)
    if "train" in data.splits:
        beside["baselines"] = baselines_of(scoring, data.splits["train"])
    results = finish(folder, {**results, **beside})
    write_run_report(folder, results, scoring, prepared.eval.pictures)
    return results


def reported_later(folder: Folder, results: Results, changed_data: bool) -> Results:
    """Make the report of a run that was killed, or failed, over it."""
    with folder.locked():
        folder.recover()
        prepared = reopen(folder.path)
        require_same_data(folder, prepared.data, changed_data)
        return reported(folder, results, prepared)
