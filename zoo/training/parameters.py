"""Parameters by pattern: groups of their own, freezing, first values; and the moving average of them all."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import nn

from zoo.errors import InputError, nearest
from zoo.recipes.initializers import parse_initializer

NORM = ":norm"
BIAS = ":bias"


def matching(model: nn.Module, patterns: Iterable[str]) -> dict[str, nn.Parameter]:
    """Parameters whose name matches a pattern, by name; a tied parameter stands under its first name.

    A pattern is a shell pattern over names (`head.*`), or `:norm` (all parameters of normalisation layers), or
    `:bias` (all biases).

    Raises:
        InputError: a pattern matches nothing.
    """
    found = {}
    first_name = {id(parameter): name for name, parameter in model.named_parameters()}
    names = dict(model.named_parameters(remove_duplicate=False))
    norms = _names_in_norms(model)
    for pattern in patterns:
        hits = [name for name in names if _matches(name, pattern, norms)]
        if not hits and pattern not in (NORM, BIAS):
            near = nearest(pattern.rstrip(".*"), {name.rpartition(".")[0] for name in names} | set(names))
            raise InputError(
                f"the pattern `{pattern}` matches no parameter of the model",
                f"did you mean `{near}`?" if near else f"the first are {', '.join(list(names)[:5])}",
            )
        for name in hits:
            found[first_name[id(names[name])]] = names[name]
    return found


def _matches(name: str, pattern: str, norms: set[str]) -> bool:
    if pattern == NORM:
        return name in norms
    if pattern == BIAS:
        return name.rpartition(".")[2] == "bias"
    return fnmatchcase(name, pattern)


def _names_in_norms(model: nn.Module) -> set[str]:
    kinds = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.LocalResponseNorm, nn.RMSNorm)
    return {
        f"{prefix}.{name}" if prefix else name
        for prefix, module in model.named_modules()
        if isinstance(module, kinds)
        for name, _ in module.named_parameters(recurse=False)
    }


def parameter_groups(
    model: nn.Module, groups: Iterable[Mapping[str, Any]], others: Iterable[nn.Parameter] = ()
) -> list[dict[str, Any]]:
    """Groups for an optimizer: one for each of `[[train.groups]]`, and one for the rest. The first match counts.

    Frozen parameters are in none.

    Args:
        others: parameters that are not the model's (a loss's own); they go with the rest.
    """
    taken: set[str] = set()
    built = []
    for group in groups:
        chosen = {name: found for name, found in matching(model, group["params"]).items() if name not in taken}
        taken |= set(chosen)
        settings = {key: value for key, value in group.items() if key != "params"}
        built.append({"params": [found for found in chosen.values() if found.requires_grad], **settings})
    rest = [found for name, found in model.named_parameters() if name not in taken and found.requires_grad]
    rest += [param for param in others if param.requires_grad]
    built = [group for group in [{"params": rest}, *built] if group["params"]]
    if not built:
        raise InputError("every parameter of the model is frozen: there is nothing to train")
    return built


def freeze(model: nn.Module, patterns: Iterable[str]) -> list[nn.Module]:
    """Hold parameters still; returns the modules that have only frozen ones, which must stay in evaluation mode."""
    frozen = matching(model, patterns)
    for parameter in frozen.values():
        parameter.requires_grad_(False)
    if not frozen:
        return []
    return [
        module
        for module in model.modules()
        if any(True for _ in module.parameters()) and not any(found.requires_grad for found in module.parameters())
    ]


@torch.no_grad()
def initialize(model: nn.Module, patterns: Mapping[str, str]) -> None:
    """Give parameters first values by `torch.nn.init`'s functions, named without the trailing underscore.

    `normal(0.02)` passes numbers on: `normal(mean, std)` where there are two, `std` where there is one.
    """
    for pattern, written in patterns.items():
        name, numbers = parse_initializer(written)
        keywords = {"std": numbers.pop()} if name == "normal" and len(numbers) == 1 else {}
        for parameter_name, parameter in matching(model, [pattern]).items():
            try:
                getattr(nn.init, name + "_")(parameter, *numbers, **keywords)
            except (TypeError, ValueError) as error:
                message = f"initialiser `{written}` does not suit `{parameter_name}` of shape {tuple(parameter.shape)}"
                raise InputError(f"{message}: {error}") from error


class MovingAverage:
    """An exponential moving average of a model's weights (Polyak and Juditsky, 1992), kept in a second model.

    Buffers (running means) are copied. The decay grows to its value as (1 + n) / (10 + n), so that early averages are
    not those of random weights.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.model = copy.deepcopy(model).requires_grad_(False).eval()
        self._averages: list[torch.Tensor] = list(self.model.parameters())
        self._sources: list[torch.Tensor] = list(model.parameters())
        self._buffers = list(zip(self.model.buffers(), model.buffers(), strict=True))

    @torch.no_grad()
    def update(self) -> None:
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self._averages, self._sources, 1 - decay)
        for average, source in self._buffers:
            average.copy_(source)
