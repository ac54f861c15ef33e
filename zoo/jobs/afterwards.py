"""What a run does once its weights are saved: load them again, compare, and make a report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from zoo.data import Data
from zoo.errors import RunFailed
from zoo.jobs.baselines import baselines_of
from zoo.jobs.evaluate import fingerprint, tables_of
from zoo.jobs.listeners import Results
from zoo.jobs.report import run_curves, write_report, write_run_report
from zoo.jobs.run_files import finish, require_same_data
from zoo.jobs.scoring import Scoring, prepare_scoring_of
from zoo.recipes.recipe import load_recipe
from zoo.runs.folder import RECIPE, Folder
from zoo.runs.folds import fold_folders
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


def reported(folder: Folder, results: Results, scoring: Scoring, data: Data, pictures: int) -> Results:
    """The results with tables and baselines beside the figures, and a report of them."""
    beside = tables_of(scoring)
    if "train" in data.splits:
        beside["baselines"] = baselines_of(scoring, data.splits["train"])
    results = finish(folder, {**results, **beside})
    write_run_report(folder, results, scoring, pictures)
    return results


def reported_later(folder: Folder, results: Results, changed_data: bool) -> Results:
    """Make the report of a run that was killed, or failed, over it; a cross-validation's has its curves alone."""
    with folder.locked():
        folder.recover()
        runs = {path.name: Folder.open(path) for path in fold_folders(folder.path)}
        if runs:
            write_report(folder, results, run_curves(runs))
            return results
        data, scoring = prepare_scoring_of(folder)
        require_same_data(folder, data, changed_data)
        pictures = folder.read(RECIPE, load_recipe).table["eval"]["pictures"]
        return reported(folder, results, scoring, data, pictures)
