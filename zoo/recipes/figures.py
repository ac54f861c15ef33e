"""The figures that a run will have, as far as they are known without data; and mistakes where a recipe names one."""

from __future__ import annotations

import inspect
import math
import typing
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from zoo.errors import nearest
from zoo.recipes.recipe import Recipe
from zoo.recipes.schema import Mistake, parameters_of
from zoo.recipes.settings import Eval, tables_of
from zoo.recipes.source import Keys
from zoo.recipes.wording import value_name
from zoo.registry.catalog import Catalog

Found = Iterator[tuple[Mistake, str]]


def figures_of(metric: Any) -> tuple[str, ...] | None:
    """The names of what a metric computes, `""` where it is one number without a name; None where nothing says.

    A metric that computes several states them in its attribute `figures`, as names or patterns (`iou_*`). One that
    computes one number says so by its `compute() -> Tensor`.

    Args:
        metric: a metric, its class, or a function whose return annotation is its class.
    """
    made = _made_by(metric)
    stated = getattr(metric, "figures", getattr(made, "figures", None))
    if isinstance(stated, tuple):
        return stated
    computed = _returned(getattr(made, "compute", None))
    return ("",) if computed is float or getattr(computed, "__name__", "") == "Tensor" else None


def metric_name(spec: str | Mapping[str, Any]) -> str:
    """The name that a metric's figures go by: its `as`, or its own without the plugin's."""
    if isinstance(spec, str):
        return spec.rpartition("/")[2]
    return str(spec["as"]) if "as" in spec else str(spec["name"]).rpartition("/")[2]


def figure_mistakes(recipe: Recipe, catalog: Catalog) -> Found:
    """Yield what is wrong with the figures that a recipe names. All else in the recipe must be right."""
    table, figures = recipe.table, _Figures(recipe, catalog)
    for name in table.get("expect", {}):
        if mistake := figures.mistake(name, f"`{name}` of [expect]", ("expect", name), "key"):
            yield mistake, ""
    for owner, key, default in figure_settings(tables_of(catalog.plugins)):
        if owner not in table or not isinstance(name := table[owner].get(key, default), str):
            continue
        path, at = ((owner, key), "value") if key in table[owner] else ((owner,), "key")
        if mistake := figures.mistake(name, f"`{key}` of [{owner}] is `{name}`, which", path, at):
            yield mistake, ""
    monitors = "train" in table and "monitor" not in table["train"] and "metrics" in table.get("eval", {})
    if monitors and (name := figures.usually_monitored):
        if mistake := figures.mistake(name, f"the task monitors `{name}`, which", ("eval", "metrics")):
            yield mistake, "train.monitor names the figure that chooses the best weights"


def figure_settings(tables: Mapping[str, Callable[..., Any]]) -> Iterator[tuple[str, str, Any]]:
    """Yield table, key and default of each setting that names a figure: `monitor` of `[train]`, say."""
    for table, settings in tables.items():
        for key, parameter in parameters_of(settings).items():
            if parameter.names_figure:
                yield table, key, parameter.default


def bound_mistakes(expect: Mapping[str, Any]) -> Found:
    """Yield what is wrong with the bounds of `[expect]`."""
    for figure, bounds in expect.items():
        path = ("expect", figure)
        if not isinstance(bounds, dict):
            message = f"`{figure}` of [expect] is {value_name(bounds)}; it should be a table: {{ min = 0.9 }}"
            yield Mistake("wrong-type", message, path), ""
            continue
        numbers = {}
        for key, value in bounds.items():
            if key not in ("min", "max"):
                message = f"unknown key `{key}` of `{figure}` in [expect]; there are `min` and `max`"
                yield Mistake("unknown-key", message, (*path, key), "key", nearest(key, ("min", "max"))), ""
            elif isinstance(value, bool) or not isinstance(value, int | float):
                message = f"`{key}` of `{figure}` in [expect] is {value_name(value)}; it should be a number"
                yield Mistake("wrong-type", message, (*path, key)), ""
            elif not math.isfinite(value):
                message = f"`{key}` of `{figure}` in [expect] is {value_name(value)}; it should be a finite number"
                yield Mistake("wrong-value", message, (*path, key)), ""
            else:
                numbers[key] = value
        if len(numbers) == 2 and numbers["min"] > numbers["max"]:
            message = f"`max` of `{figure}` in [expect] is {numbers['max']}, below `min`: nothing is within both"
            yield Mistake("wrong-value", message, (*path, "max")), ""
        if not bounds:
            yield Mistake("missing-key", f"`{figure}` of [expect] has neither `min` nor `max`", path, "value"), ""


class _Figures:
    """All that is known of the figures of one recipe's run."""

    def __init__(self, recipe: Recipe, catalog: Catalog) -> None:
        self.recipe, self.table, self.catalog = recipe, recipe.table, catalog
        self.split = self.table.get("eval", {}).get("split", Eval.split)
        task = self.table.get("task")
        self.task = self._loaded("task", task, ("task", "name")) if task else None

    @property
    def usually_monitored(self) -> str | None:
        monitor = getattr(self.task, "monitor", None)
        return monitor.replace("val/", f"{self.split}/", 1) if isinstance(monitor, str) else None

    def mistake(self, figure: str, subject: str, path: tuple[str, ...], at: Any = "value") -> Mistake | None:
        """Return what is wrong with the name of a figure."""
        split, slash, name = figure.partition("/")
        if slash and split == self.split and self._is_made(name):
            return None
        candidates = [f"{self.split}/{known}" for known in ("loss", *self._names)]
        message = f"{subject} is no figure of this recipe, whose figures are {', '.join(map(_quoted, candidates))}"
        elsewhere = next((candidate for candidate in candidates if candidate.endswith(f"/{name}")), None)
        return Mistake("unknown-figure", message, path, at, elsewhere or nearest(figure, candidates))

    def _is_made(self, name: str) -> bool:
        if name == "loss" or name.startswith("loss_") or self._metrics is None:
            return True
        # To look at a metric's class is to import it, which may take seconds; most figures bear its name.
        if name in self._metrics or self._patterns is None:
            return True
        return any(fnmatchcase(name, pattern) for pattern in self._patterns)

    @cached_property
    def _metrics(self) -> dict[str, Any] | None:
        """Metrics by the name of their figures, or None where the task's are not known."""
        specs = self.table.get("eval", {}).get("metrics", getattr(self.task, "metrics", None))
        return {metric_name(spec): spec for spec in specs} if isinstance(specs, list | tuple) else None

    @cached_property
    def _patterns(self) -> list[str] | None:
        """Names and patterns of all figures but the loss's, or None where something computes more than it states."""
        patterns = []
        for name, spec in (self._metrics or {}).items():
            figures = figures_of(self._loaded("metric", spec, ("eval", "metrics")))
            if figures is None:
                return None
            prefix = f"{name}_" if isinstance(spec, dict) and "as" in spec else ""
            patterns += [f"{prefix}{figure}" if figure else name for figure in figures]
        loss = self.table.get("loss", getattr(self.task, "loss", None))
        made = _made_by(self._loaded("loss", loss, ("loss", "name"))) if loss else object
        return None if made is None or hasattr(made, "figures") else patterns

    @property
    def _names(self) -> list[str]:
        patterns = self._patterns if self._patterns is not None else list(self._metrics or ())
        return [pattern for pattern in patterns if "*" not in pattern]

    def _loaded(self, kind: str, spec: Any, keys: Keys) -> Callable[..., Any]:
        home = self.catalog.plugin_shipping(self.recipe.written_in(keys))
        return self.catalog.get(kind, spec if isinstance(spec, str) else spec["name"], home).load()


def _made_by(function: Any) -> Any:
    """The class of what a component's callable makes, or None where it does not say."""
    if inspect.isclass(function):
        return function
    return _returned(function) if inspect.isroutine(function) else type(function)


def _returned(function: Any) -> Any:
    try:
        made = typing.get_type_hints(function).get("return")
    except Exception:  # no function, or an annotation that names something imported for type checkers only
        return None
    return made if inspect.isclass(made) else None


def _quoted(name: str) -> str:
    return f"`{name}`"
