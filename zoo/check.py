"""Everything that is wrong with a recipe, found before anything is built: all mistakes at once, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from zoo.catalog import Catalog, UnknownComponent
from zoo.component import KINDS, Component
from zoo.errors import PluginFailed, nearest
from zoo.locate import Problem, RecipeError, locate
from zoo.recipe import Recipe, is_folder_name
from zoo.schema import Mistake, check_table, parameters_of, value_name
from zoo.settings import Eval, Init, Sweep, Train
from zoo.source import Keys

TABLES: Mapping[str, Callable[..., Any]] = {"train": Train, "eval": Eval, "init": Init, "sweep": Sweep}
PLAIN_KEYS = ("name", "summary")
TOP_LEVEL = (*PLAIN_KEYS, *KINDS, *TABLES, "expect", "quick", "extends")
COMPONENTS = tuple(kind for kind in KINDS if kind != "metric")

# What the job supplies; a recipe cannot set it.
SUPPLIED = {"optimizer": ("params",), "schedule": ("optimizer", "total_steps", "steps_per_epoch", "mode")}


def check(recipe: Recipe, catalog: Catalog) -> list[Problem]:
    """All mistakes in a recipe, in the order of the file."""
    problems = [locate(recipe, mistake, help) for mistake, help in _Checker(recipe, catalog).mistakes()]
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.file, problem.line, problem.column))


def require_valid(recipe: Recipe, catalog: Catalog) -> None:
    problems = check(recipe, catalog)
    if problems:
        raise RecipeError(problems)


def require_valid_task(recipe: Recipe, catalog: Catalog) -> None:
    """As `require_valid`, for the task alone: what else a run's recipe names may no longer be installed."""
    found = _Checker(recipe, catalog)._component("task", recipe.table["task"], ("task",))
    problems = [locate(recipe, mistake, help) for mistake, help in found]
    if problems:
        raise RecipeError(problems)


Found = Iterator[tuple[Mistake, str]]


class _Checker:
    def __init__(self, recipe: Recipe, catalog: Catalog) -> None:
        self.recipe = recipe
        self.table: Mapping[str, Any] = recipe.table
        self.catalog = catalog

    def _get(self, kind: str, name: str, keys: Keys) -> Component:
        return self.catalog.get(kind, name, self.catalog.plugin_shipping(self.recipe.written_in(keys)))

    def mistakes(self) -> Found:
        yield from self._top_level()
        yield from self._missing()
        for table, settings in TABLES.items():
            if table in self.table:
                yield from self._settings(table, settings)
        for kind in COMPONENTS:
            if kind in self.table:
                yield from self._component(kind, self.table[kind], (kind,))
        yield from self._metrics()
        yield from self._groups()
        yield from self._expect()

    def _top_level(self) -> Found:
        for key, value in self.table.items():
            if key not in TOP_LEVEL:
                owner = _table_that_knows(key)
                help = f"`{key}` belongs into [{owner}]" if owner else ""
                suggestion = nearest(key, TOP_LEVEL)
                yield Mistake("unknown-key", f"unknown key `{key}` of the recipe", (key,), "key", suggestion), help
            elif key in PLAIN_KEYS and not isinstance(value, str):
                yield Mistake("wrong-type", f"`{key}` is {value_name(value)}; it should be a string", (key,)), ""
            elif key in TABLES or key == "expect":
                if not isinstance(value, dict):
                    yield Mistake("wrong-type", f"`{key}` is {value_name(value)}; it should be a table", (key,)), ""
        name = self.table.get("name")
        if isinstance(name, str) and not is_folder_name(name):
            message = f"`name` is {value_name(name)}; it names a folder: at most 100 letters, digits, `-` and `_`"
            yield Mistake("wrong-value", message, ("name",)), ""

    def _missing(self) -> Found:
        """Tables that must be there; a misspelt one has been reported as such already."""
        misspelt = {nearest(key, TOP_LEVEL) for key in self.table if key not in TOP_LEVEL}
        has_init = "init" in self.table
        needed = [] if has_init else ["task", "model", "dataset"]
        if "train" in self.table:
            needed.append("optimizer")
        elif not {"eval", "train"} & set(self.table) and not {"eval", "train"} & misspelt:
            yield Mistake("missing-table", "the recipe has no job: neither [train] nor [eval]", ()), ""
        elif not has_init and not {"init", "train"} & misspelt:
            yield Mistake("missing-table", '[eval] alone needs weights: [init] from = "RUN FOLDER"', ("eval",)), ""
        for key in needed:
            if key not in self.table and key not in misspelt:
                yield Mistake("missing-table", f"the recipe has no `{key}`", ()), f"zoo list {key}"

    def _settings(self, table: str, settings: Callable[..., Any]) -> Found:
        value = self.table[table]
        if not isinstance(value, dict):
            return
        parameters = parameters_of(settings)
        for mistake in check_table(value, parameters, f"[{table}]"):
            help = ""
            if mistake.code == "unknown-key":
                owner = _table_that_knows(str(mistake.path[0]))
                help = f"`{mistake.path[0]}` belongs into [{owner}]" if owner else ""
                if owner:
                    mistake = Mistake(mistake.code, mistake.message, mistake.path, mistake.at)
            yield _below(mistake, table), help
        misspelt = {nearest(key, parameters) for key in value if key not in parameters}
        for name, parameter in parameters.items():
            if parameter.required and name not in value and name not in misspelt:
                yield Mistake("missing-key", f"[{table}] has no `{name}`", (table,), "key"), ""
        if table == "train":
            yield from self._train(value, misspelt)

    def _train(self, train: Mapping[str, Any], misspelt: set[str | None]) -> Found:
        if "epochs" not in train and "steps" not in train and not {"epochs", "steps"} & misspelt:
            yield Mistake("missing-key", "[train] has neither `epochs` nor `steps`", ("train",), "key"), ""
        pairs = [
            ("epochs", "steps"),
            ("warmup_epochs", "warmup_steps"),
            ("evaluate_every_epochs", "evaluate_every_steps"),
        ]
        for one, other in pairs:
            if one in train and other in train:
                message = f"[train] has both `{one}` and `{other}`; choose one"
                yield Mistake("conflict", message, ("train", other), "key"), ""
        device = train.get("device", "auto")
        if isinstance(device, str) and not _is_device(device):
            message = f"`device` of [train] is {value_name(device)}; it should be auto, cpu, cuda or cuda:N"
            suggestion = nearest(device, ("auto", "cpu", "cuda"))
            yield Mistake("wrong-value", message, ("train", "device"), "value", suggestion), ""

    def _component(self, kind: str, value: Any, path: Keys) -> Found:
        if not isinstance(value, str | dict):
            message = f"`{kind}` is {value_name(value)}; it should be a name, or a table with `name`"
            yield Mistake("wrong-type", message, path), f"zoo list {kind}"
            return
        if isinstance(value, dict) and "name" not in value:
            misspelt = nearest("name", value)
            if misspelt:
                yield (
                    Mistake("unknown-key", f"unknown key `{misspelt}` of [{kind}]", (*path, misspelt), "key", "name"),
                    "",
                )
            else:
                message = f"`{kind}` names no component; write its `name`, or a table with `name`"
                yield Mistake("missing-key", message, path, "key"), f"zoo list {kind}"
            return
        table = {"name": value} if isinstance(value, str) else value
        where = path if isinstance(value, str) else (*path, "name")
        if not isinstance(table["name"], str):
            message = f"`name` of `{kind}` is {value_name(table['name'])}; it should be a string"
            yield Mistake("wrong-type", message, where), ""
            return
        try:
            component = self._get(kind, table["name"], where)
        except UnknownComponent as error:
            yield Mistake(error.code, error.message, where, "value", error.suggestion), error.help
            return
        if path == (kind,) or kind == "metric":  # a part of a component serves what the component makes of it
            yield from self._task_agreement(component, where)
        yield from self._parameters(component, table, path)

    def _task_agreement(self, component: Component, where: Keys) -> Found:
        task = self.table.get("task")
        name = task.get("name") if isinstance(task, dict) else task
        if isinstance(name, str) and component.kind != "task" and component.tasks:
            short = name.rpartition("/")[2]
            if short not in component.tasks and any(known.name == short for known in self.catalog.of_kind("task")):
                serves = ", ".join(f"`{task}`" for task in component.tasks)
                message = f"{component.kind} `{component.name}` serves {serves}, and the recipe's task is `{name}`"
                yield Mistake("task-mismatch", message, where), ""

    def _parameters(self, component: Component, table: Mapping[str, Any], path: Keys) -> Found:
        try:
            parameters = parameters_of(component.load(), SUPPLIED.get(component.kind, ()))
        except Exception as error:
            message = f"{component.kind} `{component.name}` cannot be loaded: {type(error).__name__}: {error}"
            message = error.message if isinstance(error, PluginFailed) else message
            yield Mistake("broken-component", message, (*path, "name")), f"zoo show {component.kind}/{component.name}"
            return
        owner = f"{component.kind} `{component.name}`"
        help = f"zoo show {component.kind}/{component.name}"
        given = {key: value for key, value in table.items() if key != "name"}
        for mistake in check_table(given, parameters, owner):
            if mistake.path[0] in SUPPLIED.get(component.kind, ()):
                mistake = Mistake(
                    "supplied", f"`{mistake.path[0]}` of {owner} is supplied by the job", mistake.path, "key"
                )
            yield _below(mistake, *path), help
        for key, value in given.items():
            parameter = parameters.get(key)
            if parameter and parameter.nested == "run" and not isinstance(value, str):
                message = f"`{key}` of {owner} is {value_name(value)}; it should be the path of a run folder"
                yield Mistake("wrong-type", message, (*path, key)), help
            elif parameter and parameter.nested in KINDS:
                yield from self._component(parameter.nested, value, (*path, key))
        if component.kind == "dataset" and "init" not in self.table:
            misspelt = {nearest(key, parameters) for key in given if key not in parameters}
            for name, parameter in parameters.items():
                if parameter.required and name not in given and name not in misspelt:
                    yield Mistake("missing-key", f"{owner} has no `{name}`", path, "key"), help

    def _metrics(self) -> Found:
        settings = self.table.get("eval")
        metrics = settings.get("metrics") if isinstance(settings, dict) else None
        if isinstance(metrics, list):
            for index, metric in enumerate(metrics):
                if isinstance(metric, str | dict):
                    yield from self._component("metric", metric, ("eval", "metrics", index))

    def _groups(self) -> Found:
        """`[[train.groups]]`: each has `params`, and else what the optimizer takes."""
        train, optimizer = self.table.get("train"), self.table.get("optimizer")
        groups = train.get("groups") if isinstance(train, dict) else None
        name = optimizer.get("name") if isinstance(optimizer, dict) else optimizer
        if not isinstance(groups, list) or not isinstance(name, str):
            return
        try:
            known = parameters_of(self._get("optimizer", name, ("optimizer", "name")).load(), SUPPLIED["optimizer"])
        except Exception:
            return  # reported with the optimizer
        for index, group in enumerate(groups):
            path: Keys = ("train", "groups", index)
            if not isinstance(group, dict):
                continue
            patterns = group.get("params")
            if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
                message = "a group of [[train.groups]] needs `params`, a list of patterns"
                yield Mistake("missing-key", message, path, "key"), ""
            settings = {key: value for key, value in group.items() if key != "params"}
            for mistake in check_table(settings, known, f"optimizer `{name}`"):
                yield _below(mistake, *path), f"zoo show optimizer/{name}"

    def _expect(self) -> Found:
        expect = self.table.get("expect")
        for figure, bounds in expect.items() if isinstance(expect, dict) else ():
            if not isinstance(bounds, dict):
                message = f"`{figure}` of [expect] is {value_name(bounds)}; it should be a table: {{ min = 0.9 }}"
                yield Mistake("wrong-type", message, ("expect", figure)), ""
                continue
            for key, value in bounds.items():
                if key not in ("min", "max"):
                    message = f"unknown key `{key}` of `{figure}` in [expect]; there are `min` and `max`"
                    suggestion = nearest(key, ("min", "max"))
                    yield Mistake("unknown-key", message, ("expect", figure, key), "key", suggestion), ""
                elif isinstance(value, bool) or not isinstance(value, int | float):
                    message = f"`{key}` of `{figure}` in [expect] is {value_name(value)}; it should be a number"
                    yield Mistake("wrong-type", message, ("expect", figure, key)), ""


def _below(mistake: Mistake, *keys: str | int) -> Mistake:
    return Mistake(mistake.code, mistake.message, (*keys, *mistake.path), mistake.at, mistake.suggestion)


def _table_that_knows(key: str) -> str | None:
    return next((table for table, settings in TABLES.items() if key in parameters_of(settings)), None)


def _is_device(device: str) -> bool:
    kind, colon, index = device.partition(":")
    return device in ("auto", "cpu", "cuda") or (kind == "cuda" and bool(colon) and index.isdigit())
