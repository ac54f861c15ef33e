import torch

from zoo import Data


def bricks(train_size: int = 64, val_size: int = 16, seed: int = 0) -> Data:
    """A red or blue brick on grey noise: `input` uint8 (3, H, W) of any size, `boxes` (1, 4) and `labels` (1,)."""
    generator = torch.Generator().manual_seed(seed)

    def number(end: int, least: int = 0) -> int:
        return int(torch.randint(least, end, (), generator=generator))

    def sample() -> dict[str, torch.Tensor]:
        height, width, side, label = number(80, 48), number(80, 48), number(40, 16), number(2)
        top, left = number(height - side), number(width - side)
        picture = torch.randint(64, 192, (3, height, width), generator=generator, dtype=torch.uint8)
        picture[:, top : top + side, left : left + side] = 20
        picture[2 * label, top : top + side, left : left + side] = 250
        box = torch.tensor([[left, top, left + side, top + side]], dtype=torch.float32)
        return {"input": picture, "boxes": box, "labels": torch.tensor([label])}

    splits = {name: [sample() for _ in range(size)] for name, size in (("train", train_size), ("val", val_size))}
    return Data(splits, {"num_classes": 2}, {"classes": ["red", "blue"], "preprocess": {"size": [64, 64]}})
