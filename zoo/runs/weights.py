"""Model weights as safetensors: tied parameters once, loading without a first initialisation, never a pickle."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch
from torch import nn

from zoo.errors import InputError, RunFailed, nearest
from zoo.runs.files import Content

Tensors = dict[str, torch.Tensor]

ALIGNMENT = 64  # bytes, as torch allocates

DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def weights_of(model: nn.Module) -> tuple[Tensors, dict[str, str]]:
    """Tensors by name, each once, and for every further name of a tied tensor the name it stands under."""
    first: dict[int, str] = {}
    tensors: Tensors = {}
    tied: dict[str, str] = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        known = first.setdefault(id(tensor), name)
        if known == name:
            tensors[name] = tensor.detach()
        else:
            tied[name] = known
    return tensors, tied


def encode(tensors: Tensors, metadata: Mapping[str, Any]) -> Content:
    """The content of a safetensors file, in pieces that are views of the tensors: nothing is copied.

    Those that fill whole cache lines come first, then the others by element size, so that the first can be used where
    they lie. There is one metadata entry, since the format does not keep the order of several.
    """
    header: dict[str, Any] = {"__metadata__": {"zoo": json.dumps(metadata, sort_keys=True)}}
    pieces: list[Any] = []
    end = 0
    for name, tensor in sorted(tensors.items(), key=_place):
        plain = tensor.detach().cpu().contiguous()
        start, end = end, end + plain.numel() * plain.element_size()
        header[name] = {"dtype": DTYPES[plain.dtype], "shape": list(plain.shape), "data_offsets": [start, end]}
        pieces.append(plain.reshape(-1).view(torch.uint8).numpy().data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    return [len(text).to_bytes(8, "little") + text, *pieces]


def _place(item: tuple[str, torch.Tensor]) -> tuple[bool, int, str]:
    name, tensor = item
    return tensor.nbytes % ALIGNMENT != 0, -tensor.element_size(), name


def read_metadata(file: Path) -> dict[str, Any]:
    """Read the metadata of a safetensors file; no tensor is loaded.

    Raises:
        InputError: the file is none, or its header lies.
    """
    return _read(file, with_tensors=False)[1]


def read_tensors(file: Path) -> tuple[Tensors, dict[str, Any]]:
    """Tensors and metadata of a safetensors file.

    Raises:
        InputError: the file is none, or its header lies.
    """
    return _read(file, with_tensors=True)


def _read(file: Path, with_tensors: bool) -> tuple[Tensors, dict[str, Any]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "pt") as opened:
            metadata = (opened.metadata() or {}).get("zoo", "{}")
            names = opened.keys() if with_tensors else ()
            tensors = {name: _aligned(opened.get_tensor(name)) for name in names}
        stated = json.loads(metadata)
        if not isinstance(stated, dict) or not all(isinstance(stated.get(key, {}), dict) for key in ("tied", "assets")):
            raise ValueError("its metadata is not what zoo writes")
        return tensors, stated
    except (SafetensorError, OSError, ValueError, RuntimeError, MemoryError) as error:
        raise InputError(f"{file} is no readable safetensors file: {error}") from error


def _aligned(tensor: torch.Tensor) -> torch.Tensor:
    """Kernels take other ways, and round otherwise, where a tensor does not begin as torch would have it."""
    return tensor if tensor.data_ptr() % ALIGNMENT == 0 else tensor.clone()


def build_empty(build: Callable[[], nn.Module]) -> nn.Module:
    """Build a model without first values where it can be: on the meta device, to be filled by `assign_weights`."""
    try:
        with torch.device("meta"):
            return build()
    except Exception:
        return build()  # a constructor that computes with its tensors; what else is wrong with it, is so again


def assign_weights(
    model: nn.Module,
    tensors: Tensors,
    tied: Mapping[str, str],
    *,
    skip: list[str] | None = None,
    where: str = "the file",
    copy: bool = False,
) -> list[str]:
    """Put tensors into a model under their names; parameters that were tied in the model stay one object.

    Args:
        skip: patterns of names that the model keeps its own values of.
        copy: fill the parameters that there are, instead of putting others in their place: for a part of a model, which
            may be tied to another part.

    Returns:
        The names that were kept.

    Raises:
        InputError: names or shapes differ; nothing has been changed then.
    """
    own = model.state_dict(keep_vars=True)
    kept = [name for name in own if any(fnmatchcase(name, pattern) for pattern in skip or [])]
    saved = {**tensors, **{name: tensors[known] for name, known in tied.items() if known in tensors}}
    _compare({name: own[name] for name in own if name not in kept}, saved, where, skip is not None)
    chosen: dict[int, Any] = {}
    state = {}
    for name, tensor in own.items():
        if name in kept:
            state[name] = tensor
        elif id(tensor) in chosen:
            state[name] = chosen[id(tensor)]
        else:
            value = saved[name]
            if isinstance(tensor, nn.Parameter):
                value = nn.Parameter(value, requires_grad=tensor.requires_grad)
            chosen[id(tensor)] = state[name] = value
    model.load_state_dict(state, assign=not copy)
    return kept


def has_meta_tensors(model: nn.Module) -> bool:
    """Whether something was left empty: a buffer that is not part of the weights, or a tensor that is no buffer."""
    return any(_holds_meta(list(vars(module).values())) for module in model.modules())


def _holds_meta(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return value.is_meta
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return any(_holds_meta(part) for part in parts)


def filled(
    model: nn.Module, build: Callable[[], nn.Module], tensors: Tensors, tied: Mapping[str, str], where: str
) -> nn.Module:
    """The empty `model` that `build_empty` made, with saved weights; or one built in full, where these leave gaps."""
    assign_weights(model, tensors, tied, where=where)
    if has_meta_tensors(model):
        model = build()
        assign_weights(model, tensors, tied, where=where)
    return model


def _compare(own: Mapping[str, torch.Tensor], saved: Tensors, where: str, partial: bool) -> None:
    missing = [name for name in own if name not in saved]
    surplus = [name for name in saved if name not in own]
    shapes = [
        f"`{name}` is {list(saved[name].shape)} there and {list(tensor.shape)} in the model"
        for name, tensor in own.items()
        if name in saved and saved[name].shape != tensor.shape
    ]
    shapes += [
        f"`{name}` is {saved[name].dtype} there and {tensor.dtype} in the model"
        for name, tensor in own.items()
        if name in saved and saved[name].dtype != tensor.dtype
    ]
    problems = shapes[:5]
    if missing:
        problems.append(f"not there: {_listed(missing)}")
    if surplus and not partial:
        near = nearest(surplus[0], missing) if missing else None
        problems.append(f"not in the model: {_listed(surplus)}" + (f" (its `{near}`?)" if near else ""))
    if problems:
        changed = [name for name, tensor in own.items() if name not in saved or saved[name].shape != tensor.shape]
        prefixes = sorted({name.rpartition(".")[0] + ".*" if "." in name else name for name in changed})
        help = f"to keep the model's own values there: [init] skip = {json.dumps(prefixes[:6])}" if changed else ""
        raise InputError(f"{where} does not fit the model: " + "; ".join(problems), help)


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


def check_asset_hashes(metadata: Mapping[str, Any], assets: Mapping[str, str], where: str) -> None:
    """Weights and assets must be those that were saved together; hashes by asset name."""
    for name, expected in metadata.get("assets", {}).items():
        found = assets.get(name, "nothing")
        if found != expected:
            raise RunFailed(
                f"{where}: the weights belong to another `{name}`: they were saved with sha256 {expected[:12]}..., "
                f"and {name}.json has {found[:12]}...",
                "weights and assets live together: take both from one run folder",
            )
