"""`zoo check RECIPE...`: all mistakes at once, without running anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.cli.arguments import recipe_names
from zoo.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from zoo.recipes.locate import Problem


def check(
    recipes: Annotated[
        list[str], typer.Argument(help="Files, or names of shipped recipes.", autocompletion=recipe_names)
    ],
    explain: Annotated[bool, typer.Option("--explain", help="Print where each value came from.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="With --explain: apply \\[quick].")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check recipes: names, parameters, types, and whether model, dataset and task agree."""
    problems = [problem for recipe in recipes for problem in _problems(recipe)]
    if as_json:
        print_json([problem.as_json() for problem in problems])
    else:
        for problem in problems:
            for line in f"{problem}\n".split("\n"):
                say(line)
    if explain and not problems:
        for recipe in recipes:
            _explain(recipe, quick)
    if problems:
        raise typer.Exit(2)
    if not as_json and not explain:
        say(f"{len(recipes)} {'recipe is' if len(recipes) == 1 else 'recipes are'} right")


def _problems(name: str) -> list[Problem]:
    """The mistakes of the full recipe, then those at other places of its quick form."""
    from zoo.errors import InputError
    from zoo.recipes.check import check as check_recipe
    from zoo.recipes.locate import Problem, locate_error
    from zoo.recipes.recipe import has_quick, load_recipe
    from zoo.recipes.shipped import find_recipe, shipped_recipes
    from zoo.recipes.source import MergeError, RecipeSyntaxError
    from zoo.registry.catalog import Catalog

    catalog = Catalog()
    shipped = shipped_recipes(catalog.plugins.recipe_folders())
    try:
        file = find_recipe(name, shipped)
        found = check_recipe(load_recipe(file, shipped=shipped), catalog)
        try:
            quick_form = load_recipe(file, quick=True, shipped=shipped) if has_quick(file, shipped) else None
        except MergeError as error:  # what [quick] would change may be wrong itself
            return found or [locate_error(error)]
        if quick_form is not None:
            places = {(problem.file, problem.line, problem.column) for problem in found}
            more = check_recipe(quick_form, catalog)
            found += [problem for problem in more if (problem.file, problem.line, problem.column) not in places]
        return found
    except (RecipeSyntaxError, MergeError) as error:
        return [locate_error(error)]
    except InputError as error:
        return [Problem(name, 0, 0, "unreadable", error.message, help=error.help)]


def _explain(name: str, quick: bool) -> None:
    from zoo.recipes.explain import explained
    from zoo.recipes.recipe import load_recipe
    from zoo.recipes.shipped import find_recipe, shipped_recipes
    from zoo.registry.catalog import Catalog

    catalog = Catalog()
    shipped = shipped_recipes(catalog.plugins.recipe_folders())
    recipe = load_recipe(find_recipe(name, shipped), quick=quick, shipped=shipped)
    rows: list[tuple[Any, ...]] = list(explained(recipe, catalog))
    print_table(("key", "value", "from"), rows)
