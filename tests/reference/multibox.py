"""The multibox loss the obvious way: picture by picture and anchor by anchor, left to autograd."""

from __future__ import annotations

import torch
from torchvision.ops import generalized_box_iou

from tests.reference import boxes as reference


def multibox(
    outputs: dict[str, torch.Tensor],
    target: dict[str, torch.Tensor],
    classification: str,
    box: str,
    threshold: float = 0.5,
    negatives: int = 3,
    gamma: float = 2.0,
) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Classification and box loss, and the number of matched anchors, one at least for each picture."""
    anchors = outputs["anchors"]
    corners = torch.cat((anchors[:, :2] - anchors[:, 2:] / 2, anchors[:, :2] + anchors[:, 2:] / 2), dim=1)
    class_losses, box_losses = [torch.tensor(0.0)], [torch.tensor(0.0)]
    positives = 0
    for picture, (boxes, labels) in enumerate(zip(target["boxes"], target["labels"], strict=True)):
        matches = reference.match(corners.numpy(), boxes.numpy(), labels.tolist(), threshold)
        background, here = [], 0
        for place, number in enumerate(matches):
            wanted = 0 if number < 0 else int(labels[number]) + 1
            probability = outputs["logits"][picture, place].softmax(dim=0)[wanted]
            loss = -probability.log()
            if classification == "focal":
                class_losses.append(loss * (1 - probability) ** gamma)
            elif number < 0:
                background.append(loss)
            else:
                class_losses.append(loss)
            if number >= 0:
                here += 1
                box_losses.append(box_loss(outputs["offsets"][picture, place], anchors[place], boxes[number], box))
        background.sort(key=lambda loss: loss.item(), reverse=True)
        class_losses += background[: negatives * max(here, 1)]
        positives += max(here, 1)
    return sum(class_losses) / positives, sum(box_losses) / positives, positives


def box_loss(offsets: torch.Tensor, anchor: torch.Tensor, box: torch.Tensor, kind: str) -> torch.Tensor:
    """The loss of one matched anchor's offsets."""
    if kind == "giou":
        centre = anchor[:2] + offsets[:2] * 0.1 * anchor[2:]
        side = anchor[2:] * (offsets[2:] * 0.2).exp()
        corners = torch.cat((centre - side / 2, centre + side / 2))
        return 1 - generalized_box_iou(corners[None], box[None])[0, 0]
    errors = offsets - torch.tensor(reference.encode(box.tolist(), anchor.tolist()))
    if kind == "l1":
        return errors.abs().sum()
    if kind == "l2":
        return (errors**2).sum()
    return torch.where(errors.abs() < 1, errors**2 / 2, errors.abs() - 0.5).sum()
