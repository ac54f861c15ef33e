"""TOML, `extends`, `[quick]`, overrides: one table, and where each of its values came from."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from zoo.errors import InputError, nearest
from zoo.recipes.schema import Mistake, parameters_of
from zoo.recipes.settings import tables_of
from zoo.recipes.shipped import Shipped, is_file
from zoo.recipes.source import COMMAND_LINE, MAX_DEPTH, Keys, MergeError, Origin, Source, parse, read_source
from zoo.recipes.wording import value_name
from zoo.registry.component import KINDS
from zoo.registry.plugins import installed


@dataclass
class Recipe:
    """A merged recipe. Components are always tables here; `origins` maps the keys of each value to its origin."""

    name: str
    table: dict[str, Any] = field(default_factory=dict)
    origins: dict[Keys, Origin] = field(default_factory=dict)

    def written_in(self, keys: Keys) -> Path:
        """The file that states the value at `keys`; the recipe's own, for what the command line or nobody states."""
        origin = self.origin(keys)
        whole = self.origins.get(())
        if whole is not None and (origin is None or origin.source.name == COMMAND_LINE):
            origin = whole
        return Path("" if origin is None else origin.source.name)

    def states(self, keys: Keys) -> bool:
        value: Any = self.table
        for key in keys:
            if not isinstance(value, dict):
                return True  # a list of metrics, say, and what is in it
            if key not in value:
                return False
            value = value[key]
        return True

    def origin(self, keys: Keys) -> Origin | None:
        """Return where the value at `keys` was written; inside another value, relative to the nearest known."""
        for length in range(len(keys), -1, -1):
            found = self.origins.get(keys[:length])
            if found is not None:
                return Origin(found.source, found.keys + keys[length:])
        return None


Overrides = Mapping[str, Any] | Iterable[str]  # values by dotted key, or texts `KEY=VALUE`


def load_recipe(
    file: Path,
    overrides: Overrides = (),
    *,
    quick: bool = False,
    shipped: Shipped | None = None,
) -> Recipe:
    """Read a recipe with its parents, then apply `[quick]` where asked, then the overrides.

    Args:
        overrides: values by dotted key, or texts `KEY=VALUE`, where what is no TOML value counts as a string.
        shipped: recipes by name, for `extends = "ssd"`.

    Raises:
        RecipeSyntaxError: a file is no TOML.
        MergeError: a parent is not there, or parents form a circle; a value goes where there is no table.
        InputError: a file cannot be read, an override is not `KEY=VALUE`.
    """
    recipe = _load(file, shipped or Shipped(), ())
    quick_table = recipe.table.pop("quick", {})
    if quick:
        if not quick_table:
            raise InputError(f"{file} has no [quick] table", "run it without --quick")
        _apply_quick(recipe, quick_table)
    _apply(recipe, overrides)
    stated = recipe.table.get("name")
    recipe.name = stated if isinstance(stated, str) and is_folder_name(stated) else file.stem
    return recipe


def varied(recipe: Recipe, overrides: Overrides) -> Recipe:
    """Return a recipe with other values by dotted key.

    Raises:
        MergeError: a value goes where there is no table.
    """
    copied = Recipe(recipe.name, copy.deepcopy(recipe.table), dict(recipe.origins))
    _apply(copied, overrides)
    return copied


def _apply(recipe: Recipe, overrides: Mapping[str, Any] | Iterable[str]) -> None:
    for keys, value, text in _names_first(_overrides(overrides)):
        _set_dotted(recipe, keys, value, Source(COMMAND_LINE, text), [keys] * len(keys))


def is_folder_name(name: str) -> bool:
    """Whether a recipe may be called so: its runs lie in a folder of that name."""
    return name.replace("-", "").replace("_", "").isalnum() and len(name) <= 100


def from_table(table: Mapping[str, Any], name: str) -> Recipe:
    """A recipe made in Python."""
    recipe = Recipe(name)
    source = Source(f"<{name}>", "")
    _merge(recipe, dict(table), source)
    return recipe


def has_quick(file: Path, shipped: Shipped) -> bool:
    return bool(_load(file, shipped, ()).table.get("quick"))


def _load(file: Path, shipped: Shipped, children: tuple[Path, ...]) -> Recipe:
    source = read_source(file)
    table = parse(source)
    parent = table.pop("extends", None)
    if parent is None:
        recipe = Recipe(file.stem)
    else:
        lineage = (*children, file.resolve())
        recipe = _load(_parent_file(source, parent, shipped, lineage), shipped, lineage)
        _forget_expectations(recipe)
    recipe.origins[()] = Origin(source, ())
    quick = table.pop("quick", None)
    _merge(recipe, table, source)
    if quick is not None:
        _merge_quick(recipe, quick, source)
    return recipe


def _forget_expectations(recipe: Recipe) -> None:
    """Forget what a recipe has reached: it says nothing of those that change it."""
    recipe.table.pop("expect", None)
    recipe.table.get("quick", {}).pop(("expect",), None)
    _forget(recipe, ("expect",))


def _parent_file(source: Source, parent: Any, shipped: Shipped, lineage: tuple[Path, ...]) -> Path:
    """The file that `extends` names. `lineage` is the recipes that led here, each extending the next."""

    def refused(code: str, message: str, suggestion: str | None = None) -> MergeError:
        mistake = Mistake(code, message, ("extends",), "value", suggestion)
        return MergeError(Origin(source, ("extends",)), mistake, "name a file beside the recipe, or a shipped recipe")

    if not isinstance(parent, str):
        raise refused("wrong-type", f"`extends` is {value_name(parent)}; it should be a string")
    folder = Path(source.name).parent
    try:
        named = shipped.find(parent, shipped.plugin_of(Path(source.name)))
    except InputError as error:
        raise refused("wrong-value", error.message) from error
    found = folder / parent if named is None else named.file
    if named is None and (Path(parent).is_absolute() or ".." in Path(parent).parts):
        raise refused("wrong-value", f"`extends` is {value_name(parent)}, which leaves the recipe's folder")
    if not is_file(found):
        near = nearest(parent, [*shipped, *(other.name for other in folder.glob("*.toml"))])
        raise refused("wrong-value", f"`extends` is {value_name(parent)}, and there is no such recipe", near)
    if found.resolve() in lineage:
        chain = " extends ".join(file.name for file in (*lineage, found.resolve()))
        raise refused("circle", f"recipes extend each other in a circle: {chain}")
    return found


def _merge(recipe: Recipe, table: Mapping[str, Any], source: Source, prefix: Keys = ()) -> None:
    for key, value in table.items():
        if key in KINDS and isinstance(value, str):
            _replace_component(recipe, (key,), value)
            recipe.table[key]["name"] = value
            recipe.origins[(key, "name")] = Origin(source, (*prefix, key))
            recipe.origins.setdefault((key,), Origin(source, (*prefix, key)))
            continue
        _set(recipe, (key,), value, source, (*prefix, key))


def _replace_component(recipe: Recipe, keys: Keys, name: Any) -> None:
    """Another component takes none of the parameters of the one it replaces, be it inside of another."""
    parent: Any = recipe.table
    for key in keys[:-1]:
        parent = parent.get(key) if isinstance(parent, dict) else None
    if isinstance(parent, dict) and _name(parent.get(keys[-1])) != name:
        _forget(recipe, keys)
        parent[keys[-1]] = {}
        if "quick" in recipe.table:
            quick = recipe.table["quick"].items()
            recipe.table["quick"] = {known: value for known, value in quick if known[: len(keys)] != keys}


def _name(component: Any) -> Any:
    return component.get("name") if isinstance(component, dict) else None


def _set(recipe: Recipe, keys: Keys, value: Any, source: Source, written: Keys) -> None:
    parent: Any = recipe.table
    for key in keys[:-1]:
        parent = parent.setdefault(key, {})
    if keys[0] in KINDS and isinstance(value, dict) and "name" in value:
        _replace_component(recipe, keys, value["name"])
    if isinstance(value, dict) and isinstance(parent.get(keys[-1]), dict):
        recipe.origins.setdefault(keys, Origin(source, written))
    else:
        if keys[-1] in parent:
            _forget(recipe, keys)
        recipe.origins[keys] = Origin(source, written)
        parent[keys[-1]] = {} if isinstance(value, dict) else copy.deepcopy(value)
    if isinstance(value, dict):
        for key, child in value.items():
            _set(recipe, (*keys, key), child, source, (*written, key))


def _forget(recipe: Recipe, keys: Keys) -> None:
    for known in [known for known in recipe.origins if known[: len(keys)] == keys]:
        del recipe.origins[known]


def _merge_quick(recipe: Recipe, quick: Any, source: Source) -> None:
    """Keep `[quick]` as a flat list of (keys, value), since its keys may be dotted strings or tables."""
    if not isinstance(quick, dict):
        mistake = Mistake("wrong-type", f"`quick` is {value_name(quick)}; it should be a table", ("quick",))
        raise MergeError(Origin(source, ("quick",)), mistake)
    flat = recipe.table.setdefault("quick", {})
    for keys, value, written in _flattened(quick, _author_s_tables(), (), ("quick",), ()):
        flat[keys] = (value, (source, written))


def _author_s_tables() -> set[Keys]:
    """Return the tables whose keys are the author's: figures, patterns, dotted keys. Their dots divide nothing."""
    tables = tables_of(installed()).items()
    settings = [(table, key, setting) for table, made in tables for key, setting in parameters_of(made).items()]
    return {("expect",), *((table, key) for table, key, setting in settings if setting.is_table)}


def _flattened(
    table: Mapping[str, Any], whole: set[Keys], keys: Keys, inside: Keys, written: tuple[Keys, ...]
) -> Iterable[tuple[Keys, Any, tuple[Keys, ...]]]:
    """Keys, value, and for each of the keys where it is written; what is in `whole` stays a table."""
    for key, value in table.items():
        parts, here = key.split("."), (*inside, key)
        path, places = (*keys, *parts), (*written, *[here] * len(parts))
        if isinstance(value, dict) and path not in whole and value:
            yield from _flattened(value, whole, path, here, places)
        else:
            yield path, value, places


def _apply_quick(recipe: Recipe, quick: Mapping[Keys, tuple[Any, Any]]) -> None:
    if ("expect",) not in quick:
        _forget(recipe, ("expect",))
        recipe.table.pop("expect", None)  # nor does the full run's say anything of the quick one
    for keys, value, (source, written) in _names_first((keys, *rest) for keys, rest in quick.items()):
        if keys == ("expect",):
            recipe.table["expect"] = {}
        _set_dotted(recipe, keys, value, source, written)


T = TypeVar("T")


def _names_first(settings: Iterable[tuple[Keys, Any, T]]) -> list[tuple[Keys, Any, T]]:
    """A component's name before its parameters, which would else go with the component it replaces."""
    return sorted(settings, key=lambda setting: _rank(setting[0]))


def _rank(keys: Keys) -> int:
    names = keys[0] in KINDS and (len(keys) == 1 or keys[-1] == "name")
    return len(keys) if names else MAX_DEPTH + 1


def parse_overrides(texts: Iterable[str]) -> dict[str, Any]:
    """`KEY=VALUE` texts, values as TOML has them, by dotted key.

    Raises:
        InputError: a text is none.
    """
    return {".".join(map(str, keys)): value for keys, value, _ in _overrides(texts)}


def _overrides(overrides: Mapping[str, Any] | Iterable[str]) -> Iterable[tuple[Keys, Any, str]]:
    """Keys, value and text of each override."""
    if isinstance(overrides, Mapping):
        for key, value in overrides.items():
            yield tuple(key.split(".")), value, f"{key}={value}"
        return
    for text in overrides:
        key, equals, written = text.partition("=")
        if not equals or not key.strip():
            raise InputError(f"`{text}` is no override", "write KEY=VALUE, for example train.epochs=2")
        if text != text.encode(errors="replace").decode():
            raise InputError(f"`{text}` is not written in UTF-8")
        yield tuple(key.strip().split(".")), _parsed_value(written), text


def _parsed_value(text: str) -> Any:
    try:
        return parse(Source(COMMAND_LINE, f"value = {text}"))["value"]
    except InputError:
        return text


def _set_dotted(recipe: Recipe, keys: Keys, value: Any, source: Source, written: Sequence[Keys]) -> None:
    """Set one value by its dotted key, each part of which has been written somewhere. A component's name replaces the
    component."""
    if len(keys) > MAX_DEPTH:
        mistake = Mistake(
            "too-deep", f"a key of {len(keys)} parts is nested deeper than {MAX_DEPTH} levels", keys, "key"
        )
        raise MergeError(Origin(source, written[-1]), mistake)
    kind = keys[0]
    if kind in KINDS and (keys[1:] == ("name",) or (len(keys) == 1 and isinstance(value, str))):
        _replace_component(recipe, (kind,), value)
        keys = (kind, "name")
        recipe.origins.setdefault((kind,), Origin(source, written[0]))
    elif kind in KINDS and keys[-1] == "name":
        _replace_component(recipe, keys[:-1], value)
    for length in range(1, len(keys)):
        table: Any = recipe.table
        for key in keys[:length]:
            table = table.setdefault(key, {}) if isinstance(table, dict) else table
        if not isinstance(table, dict):
            whole, part = ".".join(map(str, keys)), ".".join(map(str, keys[:length]))
            mistake = Mistake("no-table", f"`{whole}` cannot be set: `{part}` is no table", keys, "key")
            raise MergeError(Origin(source, written[-1]), mistake)
        recipe.origins.setdefault(keys[:length], Origin(source, written[length - 1]))
    _set(recipe, keys, value, source, written[-1])
