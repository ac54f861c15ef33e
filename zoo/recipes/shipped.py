"""The recipes that come with the core and with plugins, by name."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import InputError, nearest, plain
from zoo.registry.catalog import listed, meant_of
from zoo.registry.plugins import Plugin, plugin_shipping

CORE = "zoo"  # `zoo/lenet` is the full name of a recipe that comes with the core


@dataclass(frozen=True)
class ShippedRecipe:
    """A recipe file, and the plugin that ships it."""

    plugin: str
    file: Path

    @property
    def name(self) -> str:
        return self.file.stem

    @property
    def full_name(self) -> str:
        return f"{self.plugin}/{self.name}"


class Shipped(Mapping[str, Path]):
    """Files by name. Every file is listed once, by its full name (`mine/lenet`) where the short one means another."""

    def __init__(
        self, recipes: Iterable[ShippedRecipe] = (), plugin_folders: Iterable[tuple[Plugin, Path]] = ()
    ) -> None:
        self.recipes = list(recipes)
        self.plugin_folders = list(plugin_folders)
        self._of_name: dict[str, list[ShippedRecipe]] = {}
        for recipe in self.recipes:
            for name in (recipe.name, recipe.full_name):
                self._of_name.setdefault(name, []).append(recipe)
        self.first_party = {CORE, *(plugin.name for plugin, _ in self.plugin_folders if plugin.first_party)}

    def of_name(self, name: str) -> list[ShippedRecipe]:
        return self._of_name.get(name, [])

    def find(self, name: str, home: str = "") -> ShippedRecipe | None:
        """The recipe that a name means, in a recipe that the plugin `home` ships or else anywhere.

        Raises:
            InputError: the short name of several recipes, none of them of `home` or first-party.
        """
        recipes = meant_of(self.of_name(name), home, self.first_party)
        if len(recipes) > 1:
            names = listed([recipe.full_name for recipe in recipes])
            raise InputError(f"several plugins ship a recipe `{name}`: {names}", "write the full name")
        return recipes[0] if recipes else None

    def plugin_of(self, file: Path) -> str:
        return plugin_shipping(file, self.plugin_folders)

    def __getitem__(self, name: str) -> Path:
        recipe = self.find(name)
        if recipe is None:
            raise KeyError(name)
        return recipe.file

    def __iter__(self) -> Iterator[str]:
        for recipe in self.recipes:
            meant = meant_of(self.of_name(recipe.name), "", self.first_party)
            yield recipe.name if meant == [recipe] else recipe.full_name

    def __len__(self) -> int:
        return len(self.recipes)


def shipped_recipes(plugin_folders: Iterable[tuple[Plugin, Path]] = ()) -> Shipped:
    """The recipes beside the package (a checkout) or inside it (an installed wheel), and those of plugins."""
    here = Path(__file__)
    inside = here.with_name("toml")
    core = inside if inside.is_dir() else here.parents[2] / "recipes"
    plugin_folders = list(plugin_folders)
    recipes = [ShippedRecipe(CORE, file) for file in sorted(core.glob("*.toml"))]
    for plugin, folder in plugin_folders:
        recipes += [ShippedRecipe(plugin.name, file) for file in sorted(folder.glob("*.toml"))]
    return Shipped(recipes, plugin_folders)


def find_recipe(name: str, shipped: Shipped) -> Path:
    """A path to a file, or a shipped recipe's name. A line on stderr names the others of that name.

    Raises:
        InputError: there is none, or several plugins ship one.
    """
    if is_file(Path(name)):
        return Path(name)
    recipe = shipped.find(name)
    if recipe is not None:
        others = [other.full_name for other in shipped.of_name(name) if other != recipe]
        if others:
            note = f"note: `{name}` means `{recipe.full_name}`; there is {listed(others)}, too"
            print(plain(note), file=sys.stderr)
        return recipe.file
    full_names = [recipe.full_name for recipe in shipped.recipes]
    of_plugin = [full for full in full_names if full.startswith(name.partition("/")[0] + "/")]
    near = nearest(name, of_plugin) or nearest(Path(name).stem, shipped)
    raise InputError(
        f"no recipe `{name}`: neither a file nor the name of a shipped recipe",
        f"did you mean `{near}`?" if near else "shipped recipes: " + ", ".join(sorted(shipped)),
    )


def is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # the name is too long
        return False
