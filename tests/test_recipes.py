"""Every shipped recipe is right; tests/test_resumed_recipes.py takes them through training, save and load."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from zoo.errors import InputError
from zoo.recipes.check import check
from zoo.recipes.recipe import load_recipe
from zoo.recipes.shipped import shipped_recipes
from zoo.registry.catalog import Catalog

RECIPES = shipped_recipes()


@pytest.mark.parametrize("name", RECIPES)
def test_it_is_right_in_full_and_quick(name: str) -> None:
    for quick in (False, True):
        assert check(load_recipe(RECIPES[name], quick=quick, shipped=RECIPES), Catalog()) == []


@contextmanager
def skip_without_data() -> Iterator[None]:
    """Skip a test whose recipe needs data or weights that are not on this machine; nothing is fetched inside."""

    def no_network(url: str, *_: object, **__: object) -> str:
        raise ConnectionError(f"a test does not fetch {url}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pooch.retrieve", no_network)
        try:
            yield
        except InputError as error:
            absent = ("is not at hand", "could not be fetched", "there are no weights")
            if any(words in str(error) for words in absent):
                pytest.skip(str(error))
            raise


def test_figures_of_the_pages_stand_in_no_other_recipe() -> None:
    """What is expected has been measured of that recipe, not taken over from a parent."""
    for name, file in RECIPES.items():
        stated = "[expect]" in Path(file).read_text()
        assert ("expect" in load_recipe(file, shipped=RECIPES).table) == stated, name
