"""A dataset that wraps any other: fewer training samples of it."""

from pathlib import Path

from zoo import dataset, hookimpl


@hookimpl
def zoo_components():
    return [dataset("subset", "zoo_subset.subset:subset", summary="Some of another dataset's training samples")]


@hookimpl
def zoo_recipes():
    return Path(__file__).parent / "recipes"
