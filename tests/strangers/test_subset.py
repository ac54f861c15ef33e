"""A dataset that wraps any other: the samples it keeps are the wrapped one's, whatever kind of split that has."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import zoo as public
from zoo.recipes.build import Builder
from zoo.recipes.recipe import from_table
from zoo.registry.catalog import Catalog

STRANGERS = ("zoo_subset",)
WRAPPED: dict[str, dict[str, Any]] = {
    "digits": {"name": "digits"},
    "boxes": {"name": "scenes", "train_size": 24, "val_size": 4, "size": 64},
    "texts": {"name": "number_words"},
}


def made(spec: dict[str, Any]) -> public.Data:
    return Builder(from_table({}, "test"), Catalog()).part("dataset", spec)  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", ["digits", "boxes"])
def test_every_fourth_training_sample_is_kept(kind: str) -> None:
    whole = made(WRAPPED[kind])
    some = made({"name": "subset", "of": WRAPPED[kind], "every": 4, "first": 5})
    assert len(some.splits["train"]) == 5 and len(some.splits["val"]) == len(whole.splits["val"])
    assert some.facts == whole.facts and some.assets == whole.assets
    for place in range(5):
        with public.seeded(3):
            kept = some.splits["train"][place]
        with public.seeded(3):
            own = whole.splits["train"][4 * place]
        assert kept.keys() == own.keys() and all(
            torch.equal(torch.as_tensor(kept[name]), torch.as_tensor(own[name])) for name in own
        )
