"""Optuna's sampler and pruner, given the trials that are known so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo.errors import InputError
from zoo.jobs.sweep.space import Choices, Point, Range, Space
from zoo.recipes.settings import Sweep

if TYPE_CHECKING:
    from zoo.jobs.sweep.trials import Trial

LEAST_TRIALS = 4  # that must have come to their end before one is pruned


def suggest(space: Space, settings: Sweep, trials: Sequence[Trial], number: int) -> Point:
    """The next point, by a tree-structured Parzen estimator."""
    optuna = _optuna()
    sampler = optuna.samplers.TPESampler(seed=settings.seed + number)
    study = optuna.create_study(direction=_direction(settings), sampler=sampler)
    distributions = {key: _distribution(optuna, dimension) for key, dimension in space.items()}
    for trial in trials:
        if trial.state == "done" and trial.value is not None:
            params = {key: _place(space[key], value) for key, value in trial.point.items()}
            study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=trial.value))
    asked = study.ask(distributions).params
    return {key: _value(space[key], asked[key]) for key in space}


def is_hopeless(settings: Sweep, trial: Trial, others: Sequence[Trial]) -> bool:
    """Whether a running trial's latest figure is worse than the median of the others' at that step."""
    optuna = _optuna()
    pruner = optuna.pruners.MedianPruner(n_startup_trials=LEAST_TRIALS, n_warmup_steps=0)
    study = optuna.create_study(direction=_direction(settings), pruner=pruner)
    for other in others:
        if other.state == "done" and other.value is not None:
            steps = {int(step): value for step, value in other.steps.items()}
            study.add_trial(optuna.trial.create_trial(value=other.value, intermediate_values=steps))
    asked = study.ask()
    for step, value in trial.steps.items():
        asked.report(value, int(step))
    return bool(asked.should_prune())


def _distribution(optuna: Any, dimension: Choices | Range) -> Any:
    if isinstance(dimension, Choices):
        return optuna.distributions.CategoricalDistribution(range(len(dimension.values)))
    kind = optuna.distributions.IntDistribution if dimension.whole else optuna.distributions.FloatDistribution
    return kind(dimension.low, dimension.high, log=dimension.log)


def _place(dimension: Choices | Range, value: Any) -> Any:
    """A value as Optuna has it: of choices the place, since these may be lists."""
    return dimension.values.index(value) if isinstance(dimension, Choices) else value


def _value(dimension: Choices | Range, place: Any) -> Any:
    if isinstance(dimension, Choices):
        return dimension.values[place]
    return place if dimension.whole else float(f"{place:.6g}")


def _direction(settings: Sweep) -> str:
    return "maximize" if settings.mode == "max" else "minimize"


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise InputError("sweeps with `tpe` or `prune` need Optuna", "pip install 'zoo-recipes[sweep]'") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
