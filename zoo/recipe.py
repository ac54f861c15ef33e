"""TOML, `extends`, `[quick]`, overrides: one table, and where each of its values came from."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.component import KINDS
from zoo.errors import InputError, nearest

Keys = tuple[str | int, ...]

MAX_BYTES = 1_000_000
MAX_DEPTH = 12
COMMAND_LINE = "command line"


@dataclass(frozen=True)
class Source:
    """A text that values come from: a recipe file, or one override on the command line."""

    name: str
    text: str


@dataclass(frozen=True)
class Origin:
    """Where a value was written: the source, and the keys that lead to it there."""

    source: Source
    keys: Keys


@dataclass
class Recipe:
    """A merged recipe. Components are always tables here; `origins` maps the keys of each value to its origin."""

    name: str
    table: dict[str, Any] = field(default_factory=dict)
    origins: dict[Keys, Origin] = field(default_factory=dict)

    def origin(self, keys: Keys) -> Origin | None:
        """Where the value at `keys` was written; for a value inside another, relative to the nearest one known."""
        for length in range(len(keys), -1, -1):
            found = self.origins.get(keys[:length])
            if found is not None:
                return Origin(found.source, found.keys + keys[length:])
        return None


class RecipeSyntaxError(InputError):
    """A text that is no TOML, at a line and column counted in characters from 1."""

    def __init__(self, source: Source, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.source, self.line, self.column = source, line, column


def load_recipe(
    file: Path,
    overrides: Mapping[str, Any] | Iterable[str] = (),
    *,
    quick: bool = False,
    shipped: Mapping[str, Path] | None = None,
) -> Recipe:
    """Read a recipe with its parents, then apply `[quick]` where asked, then the overrides.

    Args:
        overrides: values by dotted key, or texts `KEY=VALUE`, where what is no TOML value counts as a string.
        shipped: recipes by name, for `extends = "ssd"`.

    Raises:
        InputError: a file cannot be read or parsed, parents form a circle, an override is not `KEY=VALUE`.
    """
    recipe = _load(file, shipped or {}, ())
    quick_table = recipe.table.pop("quick", {})
    if quick:
        if not quick_table:
            raise InputError(f"{file} has no [quick] table", "run it without --quick")
        _apply_quick(recipe, quick_table)
    for key, value, text in _overrides(overrides):
        _set_dotted(recipe, key, value, Source(COMMAND_LINE, text), key)
    stated = recipe.table.get("name")
    recipe.name = (
        stated if isinstance(stated, str) and stated.replace("-", "").replace("_", "").isalnum() else file.stem
    )
    return recipe


def from_table(table: Mapping[str, Any], name: str) -> Recipe:
    """A recipe made in Python."""
    recipe = Recipe(name)
    source = Source(f"<{name}>", "")
    _merge(recipe, dict(table), source)
    return recipe


def has_quick(file: Path, shipped: Mapping[str, Path]) -> bool:
    return bool(_load(file, shipped, ()).table.get("quick"))


def shipped_recipes(plugin_folders: Iterable[Path] = ()) -> dict[str, Path]:
    """Recipes by name: those beside the package (a checkout) or inside it (an installed wheel), then the plugins'."""
    here = Path(__file__).parent
    inside = here / "recipes"
    folders = [inside if inside.is_dir() else here.parent / "recipes", *plugin_folders]
    found: dict[str, Path] = {}
    for folder in folders:
        for file in sorted(folder.glob("*.toml")):
            found.setdefault(file.stem, file)
    return found


def find_recipe(name: str, shipped: Mapping[str, Path]) -> Path:
    """A path to a file, or a shipped recipe's name."""
    if Path(name).is_file():
        return Path(name)
    if name in shipped:
        return shipped[name]
    meant = nearest(Path(name).stem, shipped)
    raise InputError(
        f"no recipe `{name}`: neither a file nor the name of a shipped recipe",
        f"did you mean `{meant}`?" if meant else "shipped recipes: " + ", ".join(sorted(shipped)),
    )


def read_source(file: Path) -> Source:
    try:
        size = file.stat().st_size
        content = file.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error
    if size > MAX_BYTES:
        raise InputError(f"{file} has {size:,} bytes; a recipe has at most {MAX_BYTES:,}")
    try:
        return Source(str(file), content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        text = content.decode("utf-8", "replace")
        raise RecipeSyntaxError(Source(str(file), text), line, column, "this byte is not UTF-8") from error


def parse(source: Source) -> dict[str, Any]:
    import tomli

    try:
        table = tomli.loads(source.text)
    except tomli.TOMLDecodeError as error:
        message = error.msg[:1].lower() + error.msg[1:]
        raise RecipeSyntaxError(source, error.lineno, error.colno, message) from error
    except RecursionError as error:
        raise RecipeSyntaxError(source, 1, 1, "values are nested too deep") from error
    deep = _too_deep(table)
    if deep:
        raise RecipeSyntaxError(source, 1, 1, f"`{deep}` ... is nested deeper than {MAX_DEPTH} levels")
    return table


def _too_deep(table: dict[str, Any]) -> str | None:
    """The first keys of a value nested deeper than MAX_DEPTH. No recursion: the depth is the user's."""
    waiting: list[tuple[Any, tuple[str, ...]]] = [(table, ())]
    while waiting:
        value, keys = waiting.pop()
        if len(keys) > MAX_DEPTH:
            return ".".join(keys[:3])
        if isinstance(value, dict):
            waiting += [(child, (*keys, str(key))) for key, child in value.items()]
        elif isinstance(value, list):
            waiting += [(child, (*keys, str(index))) for index, child in enumerate(value)]
    return None


def _load(file: Path, shipped: Mapping[str, Path], children: tuple[Path, ...]) -> Recipe:
    if file.resolve() in children:
        chain = " extends ".join(child.name for child in (*children, file.resolve()))
        raise InputError(f"recipes extend each other in a circle: {chain}")
    source = read_source(file)
    table = parse(source)
    parent = table.pop("extends", None)
    if parent is None:
        recipe = Recipe(file.stem)
    else:
        recipe = _load(_parent_file(file, parent, shipped), shipped, (*children, file.resolve()))
    quick = table.pop("quick", None)
    _merge(recipe, table, source)
    if quick is not None:
        _merge_quick(recipe, quick, source)
    return recipe


def _parent_file(file: Path, parent: Any, shipped: Mapping[str, Path]) -> Path:
    if not isinstance(parent, str):
        raise InputError(f"{file}: `extends` is not a string", 'extends = "base.toml"')
    if parent in shipped:
        return shipped[parent]
    path = Path(parent)
    if path.is_absolute() or ".." in path.parts:
        raise InputError(
            f'{file}: `extends = "{parent}"` leaves the recipe\'s folder',
            "name a file in the recipe's folder, or a shipped recipe",
        )
    found = file.parent / path
    if not found.is_file():
        near = nearest(path.name, [other.name for other in file.parent.glob("*.toml")])
        raise InputError(
            f"{file} extends `{parent}`, and there is no such file", f"did you mean `{near}`?" if near else ""
        )
    return found


def _merge(recipe: Recipe, table: Mapping[str, Any], source: Source, prefix: Keys = ()) -> None:
    for key, value in table.items():
        if key in KINDS and isinstance(value, str):
            _replace_component(recipe, key, value)
            recipe.table[key]["name"] = value
            recipe.origins[(key, "name")] = Origin(source, (*prefix, key))
            recipe.origins.setdefault((key,), Origin(source, (*prefix, key)))
            continue
        if key in KINDS and isinstance(value, dict) and "name" in value:
            _replace_component(recipe, key, value["name"])
        _set(recipe, (key,), value, source, (*prefix, key))


def _replace_component(recipe: Recipe, kind: str, name: Any) -> None:
    """Another component takes none of the parameters of the one it replaces."""
    before = recipe.table.get(kind)
    if not isinstance(before, dict) or before.get("name") != name:
        _forget(recipe, (kind,))
        recipe.table[kind] = {}


def _set(recipe: Recipe, keys: Keys, value: Any, source: Source, written: Keys) -> None:
    parent: Any = recipe.table
    for key in keys[:-1]:
        parent = parent.setdefault(key, {})
    if isinstance(value, dict) and isinstance(parent.get(keys[-1]), dict):
        recipe.origins.setdefault(keys, Origin(source, written))
    else:
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
        quick = {"quick": quick}  # reported as an unknown key
    flat = recipe.table.setdefault("quick", {})
    for keys, value, written in _flattened(quick, (), ("quick",)):
        flat[keys] = (value, Origin(source, written))


def _flattened(table: Mapping[str, Any], keys: Keys, written: Keys) -> Iterable[tuple[Keys, Any, Keys]]:
    for key, value in table.items():
        path = (*keys, *key.split("."))
        here = (*written, key)
        if isinstance(value, dict) and path != ("expect",) and value:
            yield from _flattened(value, path, here)
        else:
            yield path, value, here


def _apply_quick(recipe: Recipe, quick: Mapping[Keys, tuple[Any, Origin]]) -> None:
    if ("expect",) not in quick:
        _forget(recipe, ("expect",))
        recipe.table.pop("expect", None)  # the full run's figures say nothing of the quick one
    for keys, (value, origin) in quick.items():
        if keys == ("expect",):
            recipe.table["expect"] = {}
        _set_dotted(recipe, keys, value, origin.source, origin.keys)


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
        yield tuple(key.strip().split(".")), _parsed_value(written), text


def _parsed_value(text: str) -> Any:
    import tomli

    try:
        return tomli.loads(f"value = {text}")["value"]
    except (tomli.TOMLDecodeError, RecursionError):
        return text


def _set_dotted(recipe: Recipe, keys: Keys, value: Any, source: Source, written: Keys) -> None:
    """Set one value by its dotted key. A component's name replaces the component."""
    kind = keys[0]
    if kind in KINDS and (keys[1:] == ("name",) or (len(keys) == 1 and isinstance(value, str))):
        _replace_component(recipe, str(kind), value)
        keys = (kind, "name")
        recipe.origins.setdefault((kind,), Origin(source, written))
    for length in range(1, len(keys)):
        table: Any = recipe.table
        for key in keys[:length]:
            table = table.setdefault(key, {}) if isinstance(table, dict) else table
        if not isinstance(table, dict):
            raise InputError(
                f"`{'.'.join(map(str, keys))}` cannot be set: `{'.'.join(map(str, keys[:length]))}` is no table"
            )
        recipe.origins.setdefault(keys[:length], Origin(source, written))
    _set(recipe, keys, value, source, written)
