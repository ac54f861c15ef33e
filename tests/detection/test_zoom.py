"""Zoom: boxes and masks go with the picture, and what is hardly in it any more is no object."""

from __future__ import annotations

import pytest
import torch

from zoo import Batch
from zoo_detection.zoom import BatchZoom


def squares(count: int, height: int = 64, width: int = 64) -> Batch:
    """A white square on grey in each picture, at another place, with its mask and box; the second box is padding."""
    generator = torch.Generator().manual_seed(0)
    pictures = torch.full((count, 3, height, width), 128, dtype=torch.uint8)
    masks = torch.zeros(count, height, width, dtype=torch.uint8)
    boxes = torch.zeros(count, 2, 4)
    for number in range(count):
        side = int(torch.randint(16, 28, (), generator=generator))
        left, top = (int(torch.randint(0, end - side, (), generator=generator)) for end in (width, height))
        pictures[number, :, top : top + side, left : left + side] = 255
        masks[number, top : top + side, left : left + side] = 2
        boxes[number, 0] = torch.tensor([left, top, left + side, top + side])
    return {"input": pictures, "boxes": boxes, "labels": torch.tensor([[1, -1]] * count), "mask": masks}


@pytest.mark.parametrize(("height", "width"), [(64, 64), (64, 96)])
def test_boxes_stay_around_what_they_name(height: int, width: int) -> None:
    result = BatchZoom(1.6)(squares(60, height, width), torch.Generator().manual_seed(1))
    kept = 0
    for picture, box, label, mask in zip(*(result[name] for name in ("input", "boxes", "labels", "mask")), strict=True):
        assert label[1] == -1 and not box[1].any()
        if label[0] < 0:
            assert not box[0].any()
            continue
        kept += 1
        for seen in (picture[0] > 190, mask == 2):
            rows, columns = seen.any(1).nonzero()[:, 0], seen.any(0).nonzero()[:, 0]
            found = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
            assert box[0].tolist() == pytest.approx([float(side) for side in found], abs=1.1)
    assert kept > 40


def test_what_is_mostly_cut_off_is_no_object() -> None:
    before = squares(400)
    after = BatchZoom(2.0)(before, torch.Generator().manual_seed(2))
    share = torch.exp(
        (2 * torch.rand(400, generator=torch.Generator().manual_seed(2)) - 1) * torch.log(torch.tensor(2.0))
    )
    area = ((before["boxes"][:, 0, 2] - before["boxes"][:, 0, 0]) / share) ** 2
    seen = (after["mask"] == 2).sum(dim=(1, 2)) / area
    lost = after["labels"][:, 0] < 0
    assert lost.any() and not lost.all()
    assert (seen[lost] <= 0.45).all() and (seen[~lost] >= 0.35).all()  # two fifths, less what pixels round


def test_square_pictures_are_turned_and_others_are_not() -> None:
    def half_white(height: int, width: int) -> Batch:
        batch = squares(200, height, width)
        batch["mask"] = torch.zeros(200, height, width, dtype=torch.uint8)
        batch["mask"][:, : height // 2] = 1  # the upper half
        return batch

    zoom, generator = BatchZoom(1.0 + 1e-9), torch.Generator().manual_seed(3)
    square = zoom(half_white(32, 32), generator)["mask"]
    turned = square[:, -1, 0] == 1  # the left half now
    assert 60 < int(turned.sum()) < 140
    oblong = zoom(half_white(32, 48), generator)["mask"]
    assert (oblong[:, -1, 0] == 0).all() and (oblong[:, 0, -1] == 1).all()


def test_it_follows_from_its_generator_and_leaves_the_batch_as_it_was() -> None:
    batch = squares(8)
    kept = {name: value.clone() for name, value in batch.items()}
    state = torch.get_rng_state()
    one, same, other = (BatchZoom(1.5)(batch, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in batch)
    assert not torch.equal(one["input"], other["input"])
    assert all(torch.equal(batch[name], kept[name]) for name in batch)
    assert torch.equal(torch.get_rng_state(), state)


def test_scales_span_the_factor_evenly_and_places_all_that_is_allowed() -> None:
    """Of a small box in the middle of each picture: half the size to twice, half of them larger; shown anywhere."""
    batch = squares(600, 64, 96)
    batch["boxes"][:, 0] = torch.tensor([46.0, 30.0, 50.0, 34.0])
    result = BatchZoom(2.0)(batch, torch.Generator().manual_seed(4))
    kept = result["labels"][:, 0] >= 0
    boxes = result["boxes"][kept, 0]
    scale = ((boxes[:, 2:] - boxes[:, :2]) / 4)[:, 0]
    inside = (boxes[:, :2] > 0).all(1) & (boxes[:, 2:] < torch.tensor([96, 64])).all(1)
    scale, middle = scale[inside], (boxes[inside, :2] + boxes[inside, 2:]) / 2
    assert 0.5 <= scale.min() < 0.53 and 1.85 < scale.max() <= 2.001
    assert (
        0.4 < (scale < 1).float().mean() < 0.65
        and 0.3 < (scale < 2**-0.5).float().mean() / (scale < 1).float().mean() < 0.7
    )
    away = (middle - torch.tensor([48.0, 32.0])).abs()
    small = scale < 0.6
    assert (away[small].amax(0) > torch.tensor([15.0, 10.0])).all()
    assert (away <= torch.tensor([48.5, 32.5])).all()


def test_grey_is_shown_beyond_the_edge() -> None:
    batch = squares(60)
    batch["input"].fill_(250)
    result = BatchZoom(2.0)(batch, torch.Generator().manual_seed(5))
    values = result["input"].flatten(1)
    away = values.amin(1) < 250
    assert away.any() and not away.all()
    assert (values[away].amin(1) == 128).all()
    assert (batch["mask"].unique().tolist(), result["mask"].unique().tolist()) == ([0, 2], [0, 2])
