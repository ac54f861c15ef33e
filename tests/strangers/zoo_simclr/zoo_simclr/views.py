from typing import Annotated, Any

import torch
from torch.nn import functional as F  # noqa: N812

from zoo import Batch, Data, Nested, TensorSplit


def two_views(of: Annotated[Any, Nested("dataset")], strength: float = 0.3, seed: int = 0) -> Data:
    """Pictures of another dataset, without labels: `views` uint8 (2, C, H, W), drawn anew for every training batch.

    Args:
        of: a dataset whose splits are tensors in memory, with pictures as `input`.
        strength: how far views are moved, scaled and made darker, as a share.
        seed: of the views of the splits that are scored, which stay the same.
    """

    def draw(batch: Batch, generator: torch.Generator) -> Batch:
        return {"views": torch.stack([view(batch["input"], strength, generator) for _ in range(2)], dim=1)}

    splits = {}
    for name, split in of.splits.items():
        pictures = {"input": split.tensors["input"]}
        seen = draw(pictures, torch.Generator().manual_seed(seed))
        splits[name] = TensorSplit(transform=draw, **pictures) if name == "train" else TensorSplit(**seen)
    return Data(splits, of.facts, of.assets)


def view(pictures: torch.Tensor, strength: float, generator: torch.Generator) -> torch.Tensor:
    draws = torch.rand(len(pictures), 4, generator=generator, device=pictures.device)
    zoom, across, down, dark = (strength * (draws - 0.5)).unbind(dim=1)
    nothing = torch.zeros_like(zoom)
    rows = torch.stack((1 + zoom, nothing, across, nothing, 1 + zoom, down), dim=1).view(-1, 2, 3)
    moved = F.grid_sample(pictures.float(), F.affine_grid(rows, list(pictures.shape), False), align_corners=False)
    return (moved * (1 + dark).view(-1, 1, 1, 1)).round().clamp(0, 255).to(torch.uint8)
