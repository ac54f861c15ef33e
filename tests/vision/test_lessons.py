"""What the notes teach, each in a few lines that run. The sections are the notes'."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def test_19_convolution_is_a_dense_layer_with_shared_local_weights() -> None:
    """The matrix of a 3x3 convolution over 5x5: every row holds the same nine weights, zero elsewhere."""
    convolution = nn.Conv2d(1, 1, 3, bias=False)
    basis = torch.eye(25).view(25, 1, 5, 5)
    matrix = convolution(basis).flatten(1).T
    picture = torch.randn(1, 1, 5, 5)
    torch.testing.assert_close(matrix @ picture.flatten(), convolution(picture).flatten())
    for row in matrix:
        torch.testing.assert_close(row[row != 0], convolution.weight.flatten())


def test_19_what_networks_call_convolution_is_cross_correlation() -> None:
    from scipy import signal

    picture, kernel = torch.randn(6, 7, dtype=torch.float64), torch.randn(3, 2, dtype=torch.float64)
    ours = F.conv2d(picture[None, None], kernel[None, None])[0, 0].numpy()
    assert ours == pytest.approx(signal.correlate2d(picture, kernel, mode="valid"))
    assert ours == pytest.approx(signal.convolve2d(picture, kernel.flip(0, 1), mode="valid"))


def test_19_a_1x1_convolution_is_a_dense_layer_at_every_pixel() -> None:
    convolution, picture = nn.Conv2d(3, 5, 1), torch.randn(2, 3, 4, 4)
    dense = nn.Linear(3, 5)
    dense.load_state_dict({"weight": convolution.weight[:, :, 0, 0], "bias": convolution.bias})
    at_pixels = dense(picture.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
    torch.testing.assert_close(convolution(picture), at_pixels)


def test_19_position_survives_convolution_and_pooling_blurs_it() -> None:
    picture = torch.zeros(1, 1, 8, 8)
    picture[..., 2, 2] = 1
    moved = picture.roll(1, dims=-1)
    kernel = torch.randn(1, 1, 3, 3)
    once, twice = (F.conv2d(one, kernel, padding=1) for one in (picture, moved))
    torch.testing.assert_close(once.roll(1, dims=-1), twice)
    assert torch.equal(F.max_pool2d(picture, 2), F.max_pool2d(moved, 2))


def test_21_every_nth_in_pooling_s_place_is_a_stride_in_the_convolution() -> None:
    from zoo_vision.layers import every_nth

    convolution, picture = nn.Conv2d(2, 4, 3, padding=1), torch.randn(1, 2, 9, 8)
    strided = F.conv2d(picture, convolution.weight, convolution.bias, stride=2, padding=1)
    torch.testing.assert_close(every_nth(2)(convolution(picture)), strided)


def test_28_batch_norm_s_axes() -> None:
    """Over the batch for dense layers, over batch and places for convolutions."""
    for norm, values, axes in (
        (nn.BatchNorm1d(4), torch.randn(16, 4) * 3 + 5, (0,)),
        (nn.BatchNorm2d(4), torch.randn(16, 4, 5, 5) * 3 + 5, (0, 2, 3)),
    ):
        mean = values.mean(axes, keepdim=True)
        deviation = (values.var(axes, unbiased=False, keepdim=True) + norm.eps).sqrt()
        torch.testing.assert_close(norm(values), (values - mean) / deviation, atol=1e-5, rtol=1e-5)


def test_13_dropout_keeps_the_mean_by_scaling() -> None:
    dropped = nn.Dropout(0.25)(torch.ones(100_000))
    assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.75])
    assert float(dropped.mean()) == pytest.approx(1, abs=0.01)


def test_13_a_mask_by_multiplying_is_one_by_indexing() -> None:
    values, kept = torch.randn(1000), torch.rand(1000) > 0.5
    indexed = values.clone()
    indexed[~kept] = 0
    assert torch.equal(values * kept, indexed)


def test_31_an_update_in_place_keeps_the_parameter() -> None:
    weight = torch.ones(3, requires_grad=True)
    same = weight
    (weight.sum() * 2).backward()
    with torch.no_grad():
        weight -= 0.1 * weight.grad
        rebound = weight - 0.1 * weight.grad
    assert same is weight and weight.requires_grad and weight.grad is not None
    assert rebound is not weight and not rebound.requires_grad and rebound.grad is None


def test_29_a_zeroed_branch_leaves_the_identity() -> None:
    from zoo_vision.resnet import Residual

    block = Residual(8, 8).eval()
    nn.init.zeros_(block.branch[-1].weight)
    nn.init.zeros_(block.branch[-1].bias)
    features = torch.rand(2, 8, 4, 4)
    assert torch.equal(block(features), features)


def test_29_skips_bring_gradients_to_the_first_layers() -> None:
    """34 layers without norms: the first one's gradient, as a share of the last one's."""
    from zoo_vision.resnet import ResNet

    def share(skip: bool) -> float:
        torch.manual_seed(0)
        model = ResNet(10, 3, 34, stem="small", width=0.1, skip=skip, batch_norm=False)
        F.cross_entropy(model(torch.randn(8, 3, 16, 16)), torch.arange(8)).backward()
        norms = [module.weight.grad.norm() for module in model.modules() if isinstance(module, nn.Conv2d)]
        return float(norms[0] / norms[-1])

    assert share(skip=True) > 100 * share(skip=False)
