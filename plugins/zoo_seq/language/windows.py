"""A text's tokens, cut into windows: at random places, in the text's order, or overlapping to be scored."""

from __future__ import annotations

import torch

from zoo import Batch, TensorSplit

IGNORED = -100


def random_windows(tokens: torch.Tensor, steps: int) -> TensorSplit:
    """Windows that tile the text, each moved by a random number of places below `steps`, anew in every epoch.

    A batch has `input` and `label`, int64 (B, steps); labels are the inputs one place on. Where they are scored,
    windows are not moved.
    """
    tiles = tokens.unfold(0, steps + 1, steps)  # a view: nothing is copied
    starts = torch.arange(len(tiles)) * steps
    return TensorSplit(input=tiles[:, :-1], label=tiles[:, 1:], start=starts, transform=_Moved(tokens, steps))


class _Moved:
    def __init__(self, tokens: torch.Tensor, steps: int) -> None:
        self.tokens, self.steps = tokens, steps

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        start = batch["start"]
        self.tokens = self.tokens.to(start.device)  # the first time
        moved = start + torch.randint(self.steps, start.shape, generator=generator, device=start.device)
        moved = moved.clamp(max=len(self.tokens) - self.steps - 1)
        window = self.tokens[moved[:, None] + torch.arange(self.steps + 1, device=start.device)]
        return {"input": window[:, :-1], "label": window[:, 1:]}


def sequential_windows(tokens: torch.Tensor, steps: int) -> TensorSplit:
    """Windows in the text's order: each row of a batch goes on where it ended in the batch before.

    `window` (B,) is their number in the text, by which a task knows what goes on. So that rows are equally long, some
    windows at the text's end are left out.
    """
    count = (len(tokens) - 1) // steps
    whole = tokens[: count * steps + 1]
    inputs, labels = whole[:-1].view(count, steps), whole[1:].view(count, steps)
    return TensorSplit(
        input=inputs, label=labels, window=torch.arange(count), batching=lambda size, _: _rows(count, size)
    )


def _rows(count: int, size: int) -> list[torch.Tensor]:
    size = min(size, count)
    length = count // size
    return list(torch.arange(size * length).view(size, length).T.contiguous())


def scored_windows(tokens: torch.Tensor, steps: int) -> TensorSplit:
    """Every token but the first is a label that counts once, with half a window of text before it where there is.

    Windows overlap by half, and in the first half of all but the first one labels are `IGNORED`.
    """
    half = max(1, steps // 2)
    steps = min(steps, len(tokens) - 1)
    starts = list(range(0, max(1, len(tokens) - steps), half))
    if starts[-1] + steps < len(tokens) - 1:
        starts.append(len(tokens) - 1 - steps)
    places = torch.tensor(starts)[:, None] + torch.arange(steps)
    labels = tokens[places + 1]
    ends = torch.tensor([0, *(start + steps for start in starts[:-1])])
    labels = labels.where(places >= ends[:, None], IGNORED)
    return TensorSplit(input=tokens[places], label=labels)
