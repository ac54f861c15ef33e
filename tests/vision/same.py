"""Whether two networks of the same weights are one."""

from __future__ import annotations

import torch
from torch import nn


def assert_same(ours: nn.Module, theirs: nn.Module, pictures: torch.Tensor) -> None:
    """Both compute the same, in evaluation and in training mode, and keep the same statistics of what they saw.

    Weights and statistics are drawn so that nothing fades out; both networks list them in the same order. In training,
    both draw from one seed: a dropout that stands elsewhere, or has another rate, drops other numbers.
    """
    ours, theirs, pictures = ours.double(), theirs.double(), pictures.double()
    theirs(pictures)  # layers that find out their inputs
    draw(ours)
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    for training in (False, True):
        results = []
        for network in (ours, theirs):
            torch.manual_seed(1)
            results.append(network.train(training)(pictures))
        torch.testing.assert_close(*results, atol=1e-12, rtol=1e-9)
        assert results[0].std() > 1e-6
    for value, other in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        torch.testing.assert_close(value, other, atol=1e-12, rtol=1e-9)


def draw(network: nn.Module) -> None:
    """Weights after He et al. (2015), and any shift and scale."""
    generator = torch.Generator().manual_seed(0)
    for name, value in network.state_dict().items():
        if value.dim() > 1:
            nn.init.kaiming_normal_(value, generator=generator)
        elif value.is_floating_point():
            nn.init.uniform_(value, 0.5, 1.5, generator=generator)
            value.mul_(1 if name.endswith("var") else 0.5)


def leaves(network: nn.Module, *but: type[nn.Module]) -> list[str]:
    """The layers in their order with all settings, as they print themselves, but for some kinds."""
    layers = [module for module in network.modules() if not list(module.children())]
    return [repr(layer) for layer in layers if not isinstance(layer, but)]
