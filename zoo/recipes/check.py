"""Everything that is wrong with a recipe, found before anything is built: all mistakes at once, each with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from zoo.errors import PluginFailed, nearest
from zoo.recipes.check_train import train_mistakes
from zoo.recipes.figures import Found, bound_mistakes, figure_mistakes, figure_settings, metric_name
from zoo.recipes.locate import Problem, RecipeError, locate
from zoo.recipes.recipe import Recipe, is_folder_name, parse_overrides, varied
from zoo.recipes.schema import Mistake, Parameter, Parameters, below, check_table, parameters_of
from zoo.recipes.settings import tables_of
from zoo.recipes.source import COMMAND_LINE, Keys, MergeError
from zoo.recipes.wording import value_name
from zoo.registry.catalog import Catalog, UnknownComponent
from zoo.registry.component import KINDS, Component

PLAIN_KEYS = ("name", "summary")
TOP_LEVEL = (*PLAIN_KEYS, *KINDS, "expect", "quick", "extends")
COMPONENTS = tuple(kind for kind in KINDS if kind != "metric")
IN_A_FILE = ("extends", "quick")  # what reading a recipe takes out of its table
FIGURES = ("task", "loss", "eval", "expect")  # what says which figures there are, and names some
FIGURE_NAME = re.compile(r"(?!loss$|loss_)\w[\w.-]{0,99}")
GROUP = {"params": Parameter("params", list[str])}  # what a group has beside the optimizer's own

# Tables inside of a setting that are checked by themselves: so many keys lead to what the setting's type says of them.
CHECKED_BELOW = {"groups": 2, "metrics": 2}

# What the job supplies; a recipe cannot set it.
SUPPLIED = {"optimizer": ("params",), "schedule": ("optimizer", "total_steps", "steps_per_epoch", "mode")}


def check(recipe: Recipe, catalog: Catalog) -> list[Problem]:
    """All mistakes in a recipe, in the order of the file."""
    checker = _Checker(recipe, catalog)
    mistakes = checker.mistakes()
    own = list(checker.own_mistakes(mistakes))
    # What a table says of a value goes before what its type says.
    mistakes = [mistake for mistake in mistakes if not any(_is_at(mistake, other.path) for other in own)] + own
    problems = [locate(recipe, mistake, _quoting(recipe, mistake) or mistake.help) for mistake in mistakes]
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.file, problem.line, problem.column))


def _is_at(mistake: Mistake, path: Keys) -> bool:
    """Whether a mistake is at a place, or inside of what is there."""
    return mistake.path[: len(path)] == path


def _quoting(recipe: Recipe, mistake: Mistake) -> str:
    """A word on quotes where a value of the command line was taken for another kind than it was meant as."""
    origin = recipe.origin(mistake.path)
    if mistake.code != "wrong-type" or origin is None or origin.source.name != COMMAND_LINE:
        return ""
    key, _, written = origin.source.text.partition("=")
    if written.startswith(("[", "{")) and isinstance(parse_overrides([origin.source.text])[key], str):
        return f'strings inside of a value are quoted: \'{key}=["a", "b"]\''
    wanted_string = mistake.message.endswith(("a string", "a path"))
    return f"a string that looks like another value is quoted: '{key}=\"{written}\"'" if wanted_string else ""


def require_valid(recipe: Recipe, catalog: Catalog) -> None:
    problems = check(recipe, catalog)
    if problems:
        raise RecipeError(problems)


def require_valid_task(recipe: Recipe, catalog: Catalog) -> None:
    """Require a valid task, and nothing else: what else a run's recipe names may no longer be installed."""
    found = _Checker(recipe, catalog).component("task", recipe.table["task"], ("task",))
    problems = [locate(recipe, mistake, help) for mistake, help in found]
    if problems:
        raise RecipeError(problems)


class _Checker:
    def __init__(self, recipe: Recipe, catalog: Catalog) -> None:
        self.recipe = recipe
        self.table: Mapping[str, Any] = recipe.table
        self.catalog = catalog
        self.tables = tables_of(catalog.plugins)
        self.top_level = (*TOP_LEVEL, *self.tables)
        self.misspelt = {nearest(key, self.top_level) for key in self.table if key not in self.top_level}

    def _get(self, kind: str, name: str, keys: Keys) -> Component:
        return self.catalog.get(kind, name, self.catalog.plugin_shipping(self.recipe.written_in(keys)))

    def mistakes(self) -> list[Mistake]:
        mistakes = [(mistake, help) for mistake, help in self._all_but_figures() if not self._follows(mistake)]
        concerned = {str(mistake.path[0]) for mistake, _ in mistakes if mistake.path}
        naming = {table for table, _, _ in figure_settings(self.tables)}
        if not self.misspelt and not concerned & {*FIGURES, *naming}:
            mistakes += figure_mistakes(self.recipe, self.catalog)
        return [replace(mistake, help=help) for mistake, help in mistakes]

    def own_mistakes(self, known: list[Mistake]) -> Iterator[Mistake]:
        """Yield what plugins' tables find wrong with themselves.

        Args:
            known: mistakes of the recipe as it is.
        """

        def mistakes_with(values: Mapping[str, Any]) -> list[Mistake]:
            try:
                other = varied(self.recipe, values)
            except MergeError as error:
                return [replace(error.mistake, help=error.help)]
            return [mistake for mistake in _Checker(other, self.catalog).mistakes() if mistake not in known]

        for table, settings in self.tables.items():
            if isinstance(self.table.get(table), dict) and hasattr(settings, "mistakes"):
                for mistake in settings.mistakes(self.table, mistakes_with):
                    yield below(mistake, table)

    def _follows(self, mistake: Mistake) -> bool:
        """Whether a mistake may only be there because a table, or `extends` with all that it brings, is misspelt."""
        if "extends" in self.misspelt and mistake.code.startswith("missing-"):
            return True
        return bool(mistake.path) and mistake.path[0] in self.misspelt

    def _all_but_figures(self) -> Found:
        yield from self._top_level()
        yield from self._missing()
        for table, settings in self.tables.items():
            if table in self.table:
                yield from self._settings(table, settings)
        for kind in COMPONENTS:
            if kind in self.table:
                yield from self.component(kind, self.table[kind], (kind,))
        yield from self._metrics()
        yield from self._groups()
        if isinstance(self.table.get("expect"), dict):
            yield from bound_mistakes(self.table["expect"])

    def _top_level(self) -> Found:
        for key, value in self.table.items():
            if key not in self.top_level:
                owner = self._table_that_knows(key)
                help = f"`{key}` belongs into [{owner}]" if owner else ""
                suggestion = nearest(key, self.top_level)
                yield Mistake("unknown-key", f"unknown key `{key}` of the recipe", (key,), "key", suggestion), help
            elif key in IN_A_FILE:
                message = f"`{key}` cannot be set from elsewhere; it stands in a recipe's file"
                yield Mistake("unknown-key", message, (key,), "key"), ""
            elif key in PLAIN_KEYS and not isinstance(value, str):
                yield Mistake("wrong-type", f"`{key}` is {value_name(value)}; it should be a string", (key,)), ""
            elif key in self.tables or key == "expect":
                if not isinstance(value, dict):
                    yield Mistake("wrong-type", f"`{key}` is {value_name(value)}; it should be a table", (key,)), ""
        name = self.table.get("name")
        if isinstance(name, str) and not is_folder_name(name):
            message = f"`name` is {value_name(name)}; it names a folder: at most 100 letters, digits, `-` and `_`"
            yield Mistake("wrong-value", message, ("name",)), ""

    def _table_that_knows(self, key: str) -> str | None:
        return next((table for table, settings in self.tables.items() if key in parameters_of(settings)), None)

    def _missing(self) -> Found:
        """Tables that must be there; a misspelt one has been reported as such already."""
        misspelt = self.misspelt
        has_init = "init" in {*self.table, *misspelt}
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
            if len(mistake.path) > CHECKED_BELOW.get(str(mistake.path[0]), len(mistake.path)):
                continue
            help = ""
            if mistake.code == "unknown-key":
                owner = self._table_that_knows(str(mistake.path[0]))
                help = f"`{mistake.path[0]}` belongs into [{owner}]" if owner else ""
                if owner:
                    mistake = Mistake(mistake.code, mistake.message, mistake.path, mistake.at)
            yield below(mistake, table), help
        misspelt = {nearest(key, parameters) for key in value if key not in parameters}
        for name, parameter in parameters.items():
            if parameter.required and name not in value and name not in misspelt:
                yield Mistake("missing-key", f"[{table}] has no `{name}`", (table,), "key"), ""
            elif parameter.nested in KINDS and name in value:
                yield from self.component(parameter.nested, value[name], (table, name))
        if table == "train":
            yield from train_mistakes(value, misspelt)
        elif table == "eval" and isinstance(value.get("split"), str):
            yield from self._split(value["split"])

    def _split(self, split: str) -> Found:
        """The scored split is one of the dataset's, where its plugin says which these are."""
        spec = self.table.get("dataset")
        name = spec.get("name") if isinstance(spec, dict) else spec
        try:
            splits = self._get("dataset", name, ("dataset", "name")).splits if isinstance(name, str) else ()
        except UnknownComponent:
            return  # reported with the dataset
        if splits and split not in splits:
            there = ", ".join(f"`{known}`" for known in splits)
            message = f"`split` of [eval] is `{split}`, and dataset `{name}` has {there}"
            yield Mistake("wrong-value", message, ("eval", "split"), "value", nearest(split, splits)), ""

    def component(self, kind: str, value: Any, path: Keys) -> Found:
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
        if isinstance(value, dict) and (renamed := self._misspelt_name(kind, value)):
            message = f"unknown key `{renamed}` of {kind} `{value['name']}`"
            yield Mistake("unknown-key", message, (*path, renamed), "key", "name"), f"zoo list {kind}"
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

    def _misspelt_name(self, kind: str, table: Mapping[str, Any]) -> str | None:
        """A key beside the parent's `name` that was meant as `name`: its value is a component's."""
        known = {name for component in self.catalog.of_kind(kind) for name in (component.name, component.full_name)}
        near = (key for key in table if key != "name" and nearest(key, ["name"]))
        return next((key for key in near if isinstance(table[key], str) and table[key] in known), None)

    def _task_agreement(self, component: Component, where: Keys) -> Found:
        task = self.table.get("task")
        name = task.get("name") if isinstance(task, dict) else task
        if isinstance(name, str) and component.kind != "task" and component.tasks:
            short = name.rpartition("/")[2]
            tasks = [known for known in self.catalog.of_kind("task") if name in (known.name, known.full_name)]
            accepted = {short}.union(*(known.like for known in tasks))
            if tasks and not accepted & set(component.tasks):
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
            yield below(mistake, *path), help
        for key, value in given.items():
            parameter = parameters.get(key)
            if parameter and parameter.nested == "run" and not isinstance(value, str):
                message = f"`{key}` of {owner} is {value_name(value)}; it should be the path of a run folder"
                yield Mistake("wrong-type", message, (*path, key)), help
            elif parameter and parameter.nested in KINDS:
                yield from self.component(parameter.nested, value, (*path, key))
        if component.kind == "dataset" and "init" not in self.table:
            misspelt = {nearest(key, parameters) for key in given if key not in parameters}
            for name, parameter in parameters.items():
                if parameter.required and name not in given and name not in misspelt:
                    yield Mistake("missing-key", f"{owner} has no `{name}`", path, "key"), help

    def _metrics(self) -> Found:
        settings = self.table.get("eval")
        metrics = settings.get("metrics") if isinstance(settings, dict) else None
        metrics = metrics if isinstance(metrics, list) else []
        mistakes = [mistake for index, metric in enumerate(metrics) for mistake in self._metric(metric, index)]
        yield from mistakes
        if mistakes:  # a misspelt `as` is no second figure of one name
            return
        names = [metric_name(metric) for metric in metrics if isinstance(metric, str | dict)]
        for index, name in enumerate(names):
            if name in names[:index]:
                message = f"a second metric makes the figure `{name}`: give it a name of its own with `as`"
                help = f'{{ name = "{name}", as = "another", ... }}'
                yield Mistake("two-of-a-name", message, ("eval", "metrics", index)), help

    def _metric(self, metric: Any, index: int) -> Found:
        path: Keys = ("eval", "metrics", index)
        if isinstance(metric, dict) and "as" in metric:
            name = metric["as"]
            if not isinstance(name, str) or not FIGURE_NAME.fullmatch(name):
                message = f"`as` of a metric is {value_name(name)}; it should be a name for a figure, such as `macro`"
                yield Mistake("wrong-value" if isinstance(name, str) else "wrong-type", message, (*path, "as")), ""
            metric = {key: value for key, value in metric.items() if key != "as"}
        if isinstance(metric, str | dict):
            yield from self.component("metric", metric, path)

    def _groups(self) -> Found:
        """`[[train.groups]]`: each has `params`, and else what the optimizer takes."""
        train, optimizer = self.table.get("train"), self.table.get("optimizer")
        groups = train.get("groups") if isinstance(train, dict) else None
        name = optimizer.get("name") if isinstance(optimizer, dict) else optimizer
        if not isinstance(groups, list) or not isinstance(name, str):
            return
        try:
            optimizer = self._get("optimizer", name, ("optimizer", "name"))
            known = Parameters(parameters_of(optimizer.load(), SUPPLIED["optimizer"]) | GROUP)
        except Exception:
            return  # reported with the optimizer
        for index, group in enumerate(groups):
            path: Keys = ("train", "groups", index)
            if not isinstance(group, dict):
                continue
            if "params" not in group and nearest("params", group) is None:
                message = "a group of [[train.groups]] needs `params`, a list of patterns"
                yield Mistake("missing-key", message, path, "key"), ""
            for mistake in check_table(group, known, f"optimizer `{name}`"):
                yield below(mistake, *path), f"zoo show optimizer/{name}"
