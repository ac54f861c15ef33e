"""Find, read and check a recipe."""

from __future__ import annotations

from zoo.recipes.check import require_valid
from zoo.recipes.locate import RecipeError, locate_error
from zoo.recipes.recipe import Overrides, Recipe, load_recipe, varied
from zoo.recipes.shipped import find_recipe, shipped_recipes
from zoo.recipes.source import MergeError, RecipeSyntaxError
from zoo.registry.catalog import Catalog


def open_recipe(
    name: str | Recipe, overrides: Overrides = (), quick: bool = False, catalog: Catalog | None = None
) -> Recipe:
    """Return a recipe in which nothing is wrong.

    Args:
        name: a file, the name of a shipped recipe, or one that is open.
        overrides: `{"train.epochs": 2}` or `["train.epochs=2"]`.
        quick: apply the recipe's `[quick]`; one that is open has been asked before.

    Raises:
        RecipeError: every mistake in it, each with its place.
        InputError: there is no such recipe.
    """
    catalog = catalog or Catalog()
    if isinstance(name, Recipe):
        return _changed(name, overrides, catalog) if overrides else name
    shipped = shipped_recipes(catalog.plugins.recipe_folders())
    try:
        recipe = load_recipe(find_recipe(name, shipped), overrides, quick=quick, shipped=shipped)
    except (RecipeSyntaxError, MergeError) as error:
        raise RecipeError([locate_error(error)]) from error
    require_valid(recipe, catalog)
    return recipe


def _changed(recipe: Recipe, overrides: Overrides, catalog: Catalog) -> Recipe:
    try:
        changed = varied(recipe, overrides)
    except MergeError as error:
        raise RecipeError([locate_error(error)]) from error
    require_valid(changed, catalog)
    return changed
