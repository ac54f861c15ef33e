"""Assets: what must travel with weights, as JSON files beside them; and whether two runs' are the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from zoo.errors import InputError
from zoo.runs.files import Content

# Files of a run folder that a dataset's asset cannot be called after.
RESERVED = ("environment", "manifest", "results")

# What training may give other values: new classes get a new head, and other pictures are prepared in another way.
MAY_CHANGE = ("classes", "preprocess")


def asset_files(assets: Mapping[str, Any]) -> dict[str, Content]:
    """Assets as files of a commit.

    Raises:
        InputError: an asset has the name of another file of a run folder.
    """
    for name in assets:
        if name in RESERVED or not name.replace("_", "").replace("-", "").isalnum():
            raise InputError(f"the dataset calls an asset `{name}`, which cannot be a file's name in a run folder")
    return {f"{name}.json": [encode_asset(value)] for name, value in assets.items()}


def encode_asset(value: Any) -> bytes:
    """An asset as the content of its file."""
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=isinstance(value, dict)).encode()


def is_asset(name: str) -> bool:
    """Whether a file of that name in a manifest is an asset."""
    return name.endswith(".json") and "/" not in name and name.removesuffix(".json") not in RESERVED


def hash_of(value: Any) -> str:
    """The sha256 that the manifest and the weights state for an asset."""
    return hashlib.sha256(encode_asset(value)).hexdigest()


def changed_assets(hashes: Mapping[str, str], known: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, str]:
    """Compare the assets that weights were trained with to those of a dataset, by name; say how each differs.

    Args:
        hashes: the sha256 of each asset of the weights.
        known: the assets themselves, as far as they are at hand.
        ours: the dataset's.
    """
    changes = {}
    for name in sorted(set(hashes) & set(ours)):
        theirs, mine = hashes[name], hash_of(ours[name])
        if theirs != mine:
            changes[name] = f"sha256 {theirs[:12]}... of the weights, {mine[:12]}... of the dataset"
            if name in known:
                changes[name] += f"; {first_difference(known[name], _as_json(ours[name]), name)}"
    return changes


def _as_json(value: Any) -> Any:
    return json.loads(encode_asset(value))


def first_difference(theirs: Any, ours: Any, place: str) -> str:
    """Say where two JSON values first differ: "`vocab.tokens[3]` is "the" there and "of" here"."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in [*theirs, *(key for key in ours if key not in theirs)]:
            if key not in theirs or key not in ours:
                return f"`{place}.{key}` is only {'there' if key in theirs else 'here'}"
            if theirs[key] != ours[key]:
                return first_difference(theirs[key], ours[key], f"{place}.{key}")
    if isinstance(theirs, list) and isinstance(ours, list):
        for index, (one, other) in enumerate(zip(theirs, ours, strict=False)):
            if one != other:
                return first_difference(one, other, f"{place}[{index}]")
        return f"`{place}` has {len(theirs)} entries there and {len(ours)} here"
    return f"`{place}` is {_shown(theirs)} there and {_shown(ours)} here"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
