"""A checkpoint: nested state as JSON and named tensors. What needs pickle is refused."""

from __future__ import annotations

import json
from typing import Any

import torch

from zoo.errors import RunFailed
from zoo.runs.files import Content
from zoo.runs.folder import STATE, STATE_TENSORS, Folder
from zoo.runs.weights import encode, read_tensors

TENSOR, TUPLE, PAIRS = "__tensor__", "__tuple__", "__pairs__"


def state_files(state: dict[str, Any]) -> dict[str, Content]:
    """Return the files of a checkpoint, for a commit.

    Raises:
        TypeError: something in the state is neither a tensor nor data.
    """
    plain, tensors = split_tensors(state)
    return {STATE: [json.dumps(plain).encode()], STATE_TENSORS: encode(tensors, {})}


def read_state(folder: Folder) -> dict[str, Any]:
    """Return the state that a checkpoint holds.

    Raises:
        RunFailed: it is damaged, or is not what zoo writes.
    """
    tensors, _ = folder.read(STATE_TENSORS, read_tensors)
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}  # out of the mapped file, and aligned
    try:
        state: dict[str, Any] = join_tensors(folder.read_json(STATE), tensors)
    except (KeyError, TypeError, ValueError) as error:
        raise no_checkpoint(folder, error) from error
    return state


def no_checkpoint(folder: Folder, error: Exception) -> RunFailed:
    """Return the error of a checkpoint that is whole, and no state of this run."""
    return RunFailed(f"{folder.path / STATE} is no checkpoint of this run ({type(error).__name__}: {error})")


def split_tensors(tree: Any) -> tuple[Any, dict[str, torch.Tensor]]:
    """A JSON value with each tensor replaced by its name, and the tensors.

    Raises:
        TypeError: something is neither a tensor nor data.
    """
    tensors: dict[str, torch.Tensor] = {}

    def split(value: Any, path: str) -> Any:
        if isinstance(value, torch.Tensor):
            tensors[path] = value.detach()
            return {TENSOR: path}
        if isinstance(value, dict):
            if all(isinstance(key, str) and not key.startswith("__") for key in value):
                return {key: split(child, f"{path}.{key}") for key, child in value.items()}
            return {PAIRS: [[split(key, ""), split(child, f"{path}.{key}")] for key, child in value.items()]}
        if isinstance(value, tuple):
            return {TUPLE: [split(child, f"{path}.{index}") for index, child in enumerate(value)]}
        if isinstance(value, list):
            return [split(child, f"{path}.{index}") for index, child in enumerate(value)]
        if value is None or isinstance(value, bool | int | float | str):
            return value
        raise TypeError(f"the state at `{path}` is a {type(value).__name__}; only tensors and plain data can be saved")

    return split(tree, "state"), tensors


def join_tensors(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """The inverse of `split_tensors`."""
    if isinstance(value, list):
        return [join_tensors(child, tensors) for child in value]
    if not isinstance(value, dict):
        return value
    if TENSOR in value:
        return tensors[value[TENSOR]]
    if TUPLE in value:
        return tuple(join_tensors(child, tensors) for child in value[TUPLE])
    if PAIRS in value:
        return {join_tensors(key, tensors): join_tensors(child, tensors) for key, child in value[PAIRS]}
    return {key: join_tensors(child, tensors) for key, child in value.items()}
