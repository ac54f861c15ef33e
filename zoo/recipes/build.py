"""A checked recipe -> components. Facts and assets fill what the recipe leaves out, and the result is spelled out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from zoo.errors import InputError, PluginFailed, ZooError
from zoo.recipes.check import SUPPLIED
from zoo.recipes.figures import metric_name
from zoo.recipes.locate import RecipeError, locate
from zoo.recipes.recipe import Recipe
from zoo.recipes.schema import MADE, Mistake, Parameter, convert, parameters_of
from zoo.recipes.source import Keys
from zoo.registry.catalog import Catalog
from zoo.registry.component import KINDS, Component
from zoo.registry.foreign import cause, foreign_code


class Builder:
    """Builds the components of one recipe.

    Attributes:
        load_run: loads the run folder that a parameter names; None where nothing is trained, and then the parameter is
            given None.
        runs: the sha256 of the weights of each run so loaded, by its path.
        offers: what parameters are filled from by name: the dataset's facts and the assets.
        spelled: the recipe with every default written out, as far as it has been built.
    """

    def __init__(self, recipe: Recipe, catalog: Catalog) -> None:
        self.recipe = recipe
        self.catalog = catalog
        self.load_run: Callable[[str], Any] | None = None
        self.runs: dict[str, str] = {}
        self.offers: dict[str, Any] = {}
        self.assets: dict[str, Any] = {}
        self.spelled: dict[str, Any] = {key: value for key, value in recipe.table.items() if key not in KINDS}

    def component(self, kind: str, spec: Any = None, **supplied: Any) -> Any:
        """Build the recipe's component of a kind, or `spec` where the recipe leaves it to the task.

        `supplied` is what the job gives by parameter name; what the component does not take is left out.
        """
        spec = self.recipe.table.get(kind, spec)
        built, self.spelled[kind] = self._build(kind, spec, (kind,), supplied)
        return built

    def part(self, kind: str, spec: Any, **supplied: Any) -> Any:
        """Build a component that is no component of the recipe itself; recipe.toml has it as the recipe does."""
        return self._build(kind, spec, (kind,), supplied)[0]

    def table(self, name: str) -> Any:
        """Build a table that a plugin adds to recipes; a component in it becomes a function that builds it."""
        return self.settings(name, self.catalog.plugins.tables()[name])

    def _build_in(self, table: str, key: str, kind: str, **supplied: Any) -> Any:
        built, self.spelled[table][key] = self._build(kind, self.recipe.table[table][key], (table, key), supplied)
        return built

    def metrics(self, specs: list[Any]) -> dict[str, Any]:
        """Metrics by the name that their figures go by, in order.

        Where a recipe gives a metric another name, by `as`, the figures of one that computes several begin with it.
        """
        built, spelled = {}, []
        for index, spec in enumerate(specs):
            name = metric_name(spec)
            renamed = isinstance(spec, dict) and "as" in spec
            built[name], table = self._build("metric", spec, ("eval", "metrics", index), {})
            if renamed:
                built[name].compute = partial(_renamed, built[name].compute, name)
            spelled.append({**table, "as": name} if renamed else table)
        self.spelled.setdefault("eval", {})["metrics"] = spelled
        return built

    def settings(self, table: str, settings: Callable[..., Any]) -> Any:
        """Build `[train]`, `[eval]` or `[init]`."""
        given = self.recipe.table.get(table, {})
        parameters = parameters_of(settings)
        nested = {key: parameter for key, parameter in parameters.items() if key in given and parameter.nested in KINDS}
        builds = {param.name: partial(self._build_in, table, key, param.nested) for key, param in nested.items()}
        built = settings(**convert(given, parameters) | builds)
        stated = {
            key: given[key] if key in nested else getattr(built, parameter.name, given.get(key, parameter.default))
            for key, parameter in parameters.items()
        }
        self.spelled[table] = {key: value for key, value in stated.items() if value is not None}
        return built

    def offer(self, facts: Mapping[str, Any], assets: Mapping[str, Any]) -> None:
        self.offers.update(facts)
        self.offers.update(assets)
        self.assets.update(assets)

    def _build(
        self, kind: str, spec: Any, keys: Keys, supplied: Mapping[str, Any], nested: bool = False
    ) -> tuple[Any, dict[str, Any]]:
        table = {"name": spec} if isinstance(spec, str) else dict(spec)
        component = self.catalog.get(kind, table["name"], self._home(keys))
        function = component.load()
        parameters = parameters_of(function, SUPPLIED.get(kind, ()))
        taken = parameters_of(function)
        given = convert(table, parameters)
        arguments = {taken[name].name: value for name, value in supplied.items() if name in taken}
        spelled: dict[str, Any] = {"name": component.full_name}
        mistakes = []
        for name, parameter in parameters.items():
            path = (*keys, name)
            if name in table and parameter.nested in KINDS:
                arguments[parameter.name], spelled[name] = self._build(
                    parameter.nested, table[name], path, {}, nested=True
                )
            elif name in table and parameter.nested == "run":
                arguments[parameter.name] = self._run(table[name])
                # A path is absolute in a run folder, which may be used from anywhere.
                spelled[name] = str(Path(table[name]).absolute())
            elif name in table:
                arguments[parameter.name] = value = given.get(parameter.name, table[name])
                spelled[name] = str(value.absolute()) if isinstance(value, Path) else table[name]
                if not nested:
                    mistakes += self._conflict(component, parameter, table[name], path)
            elif name in self.offers:
                arguments[parameter.name] = self.offers[name]
                if name not in self.assets and _is_plain(self.offers[name]):
                    spelled[name] = self.offers[name]
            elif parameter.required:
                message = f"{kind} `{component.name}` needs `{name}`, and the dataset states no such fact"
                mistakes.append(Mistake("missing-key", message, keys, "key"))
            elif parameter.default is not MADE and parameter.default is not None and _is_plain(parameter.default):
                spelled[name] = parameter.default
        if mistakes:
            help = f"zoo show {kind}/{component.name}"
            raise RecipeError([locate(self.recipe, mistake, help) for mistake in mistakes])
        return self._call(component, function, arguments), spelled

    def _run(self, path: str) -> Any:
        if self.load_run is None:
            return None
        run = self.load_run(path)
        self.runs[str(Path(path).absolute())] = run.weights_hash
        return run

    def _home(self, keys: Keys) -> str:
        """The plugin that short names at `keys` mean first: that of the recipe, or of the task that brings them."""
        if self.recipe.states(keys):
            return self.catalog.plugin_shipping(self.recipe.written_in((*keys, "name")))
        return str(self.spelled.get("task", {}).get("name", "")).rpartition("/")[0]

    def _conflict(self, component: Component, parameter: Parameter, value: Any, path: Keys) -> list[Mistake]:
        name = path[-1]
        if name not in self.offers or as_toml(self.offers[name]) == value:
            return []
        fact = self.offers[name]
        said = repr(fact) if _is_plain(fact) else f"a {type(fact).__name__}"
        message = (
            f"`{name}` of {component.kind} `{component.name}` is {value!r}, and the data says {said}; leave it out"
        )
        return [Mistake("fact-conflict", message, path)]

    def _call(self, component: Component, function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
        """Call a component's callable.

        Raises:
            InputError: it refuses a value, or lacks a package.
            PluginFailed: it raises anything else.
        """
        try:
            with foreign_code():
                return function(**arguments)
        except ZooError:
            raise
        except Exception as error:
            refuses = isinstance(error, TypeError | ValueError | KeyError | AssertionError | ImportError)
            message = f"{component.kind} `{component.full_name}` could not be built: {cause(error)}"
            help = f"zoo show {component.kind}/{component.full_name}"
            raise (InputError if refuses else PluginFailed)(message, help) from error


def as_toml(value: Any) -> Any:
    """A plain value as TOML would give it back; None for one that TOML cannot write."""
    if isinstance(value, list | tuple):
        return [as_toml(part) for part in value]
    if isinstance(value, dict):
        return {key: as_toml(part) for key, part in value.items()}
    return value if _is_plain(value) else None


def _renamed(compute: Callable[[], Any], name: str) -> Any:
    value = compute()
    return {f"{name}_{key}": figure for key, figure in value.items()} if isinstance(value, dict) else value


def _is_plain(value: Any) -> bool:
    """Whether TOML can write a value."""
    if isinstance(value, list | tuple):
        return all(_is_plain(part) for part in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(part) for key, part in value.items())
    return isinstance(value, bool | int | float | str)
