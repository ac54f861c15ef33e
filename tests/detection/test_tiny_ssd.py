"""TinySSD: the book's anchors and shapes, other sizes, and weights that carry the anchors."""

from __future__ import annotations

import pytest
import torch

from tests.reference import tiny_ssd as reference
from zoo_detection.anchors import scale_anchors
from zoo_detection.tiny_ssd import TinySSD


@pytest.fixture(scope="module")
def model() -> TinySSD:
    torch.manual_seed(0)
    return TinySSD(num_classes=3).eval()


def test_anchors_of_a_cell_are_the_books() -> None:
    anchors = scale_anchors((2, 4), sizes=(0.75, 0.5, 0.25), ratios=(1.0, 2.0, 0.5), aspect=0.5)
    assert anchors.shape == (2 * 4 * 5, 4)
    one_cell = anchors.view(2, 4, 5, 4)[1, 2]
    root = 2**0.5
    extents = [(0.75, 0.75), (0.5, 0.5), (0.25, 0.25), (0.75 * root, 0.75 / root), (0.75 / root, 0.75 * root)]
    expected = [[2.5 / 4, 1.5 / 2, width * 0.5, height] for width, height in extents]
    torch.testing.assert_close(one_cell, torch.tensor(expected))


def test_shapes_are_the_books(model: TinySSD) -> None:
    outputs = model(torch.zeros(2, 3, 256, 256))
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {
        "anchors": (5444, 4),
        "logits": (2, 5444, 4),
        "offsets": (2, 5444, 4),
    }


def test_a_prediction_stands_in_its_anchors_row(model: TinySSD) -> None:
    """One bright spot moves the predictions of the anchors around it most."""
    blank = torch.zeros(1, 3, 256, 256)
    spot = blank.clone()
    spot[:, :, 40:48, 200:208] = 5.0
    with torch.no_grad():
        moved = (model(spot)["logits"] - model(blank)["logits"]).abs().sum(dim=2)[0, : 32 * 32 * 4]
    x, y = model.anchors[moved.argmax(), :2].tolist()
    assert abs(x - 204 / 256) < 0.05
    assert abs(y - 44 / 256) < 0.05


def test_channels_last_changes_nothing_but_rounding(model: TinySSD) -> None:
    pictures = torch.rand(2, 3, 256, 256)
    last = TinySSD(num_classes=3).eval()
    last.load_state_dict(model.state_dict())
    outputs = last.to(memory_format=torch.channels_last)(pictures.to(memory_format=torch.channels_last))
    for name, value in model(pictures).items():
        torch.testing.assert_close(outputs[name], value, atol=1e-4, rtol=1e-4)


def test_weights_carry_the_anchors_once(model: TinySSD) -> None:
    weights = model.state_dict()
    # 12 convolutions without bias, their norms of 5 tensors each, 10 heads with bias, the anchors.
    assert len(weights) == 12 + 12 * 5 + 10 * 2 + 1
    assert sum(parameter.numel() for parameter in model.parameters()) == 1_050_896
    with torch.device("meta"):
        empty = TinySSD(num_classes=3).eval()
    empty.load_state_dict(weights, assign=True)
    pictures = torch.rand(1, 3, 256, 256)
    for name, value in model(pictures).items():
        assert torch.equal(empty(pictures)[name], value)


def test_other_sizes_have_their_own_anchors(model: TinySSD) -> None:
    with torch.no_grad():
        outputs = model(torch.zeros(1, 3, 192, 320))
    assert outputs["anchors"].shape == (outputs["logits"].shape[1], 4)
    torch.testing.assert_close(outputs["anchors"], TinySSD(3, input_size=(192, 320)).anchors)
    square = outputs["anchors"][0, 2:] * torch.tensor([320, 192])
    torch.testing.assert_close(square[0], square[1])

    # What evaluation made, training can use.
    trained = model(torch.rand(1, 3, 192, 320))
    (trained["offsets"] * trained["anchors"]).sum().backward()


def test_too_small_a_picture_says_so() -> None:
    with pytest.raises(ValueError, match="a 48x256 picture is too small: 5 scales need 64x64"):
        TinySSD(1, input_size=(48, 256))


def test_scales_and_widths_are_free() -> None:
    model = TinySSD(2, input_size=(128, 128), sizes=((0.1,), (0.3, 0.4), (0.6,), (0.9,)), widths=(8, 12, 20))
    outputs = model(torch.rand(1, 3, 128, 128))
    assert outputs["logits"].shape == (1, 32 * 32 * 3 + 16 * 16 * 4 + 8 * 8 * 3 + 3, 3)
    assert outputs["anchors"].shape[0] == outputs["offsets"].shape[1]


def test_layers_are_the_books_in_their_order() -> None:
    """Outputs beside the book's network with the same weights, before and after batch norm has seen a batch.

    The biases that batch norm takes away again are 0 there and left out here.
    """
    torch.manual_seed(0)
    ours, theirs = TinySSD(num_classes=2), reference.BookSSD(2)
    for param in theirs.parameters():
        if param.ndim == 1:
            torch.nn.init.zeros_(param)
    parts = [module for module in theirs.modules() if isinstance(module, torch.nn.Conv2d | torch.nn.BatchNorm2d)]
    own = [module for module in ours.modules() if isinstance(module, torch.nn.Conv2d | torch.nn.BatchNorm2d)]
    for mine, book in zip(own, parts, strict=True):
        state = mine.state_dict()
        book.load_state_dict({**book.state_dict(), **state})
    pictures = torch.rand(2, 3, 128, 192)  # the last scale still has six cells to take the maximum of
    for training in (True, False):
        outputs = ours.train(training)(pictures)
        logits, offsets = theirs.train(training)(pictures)
        torch.testing.assert_close(outputs["logits"], logits, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(outputs["offsets"], offsets, atol=1e-5, rtol=1e-4)


def test_anchors_are_the_books_one_by_one(model: TinySSD) -> None:
    torch.testing.assert_close(model.anchors, torch.tensor(reference.anchors([32, 16, 8, 4, 1])))


def test_too_few_scales_or_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="three scales or more"):
        TinySSD(1, sizes=((0.1,), (0.2,)))
    with pytest.raises(ValueError, match="two numbers or more"):
        TinySSD(1, widths=(16,))
