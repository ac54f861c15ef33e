"""The fully convolutional network: beside its layers written out, on any backbone, and what it begins as."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from tests.vision.same import draw
from zoo_vision.alexnet import AlexNet
from zoo_vision.resnet import ResNet
from zoo_vision.segmentation.fcn import FCN, bilinear_upsampling


@pytest.mark.parametrize("factor", [2, 4, 8, 16])
def test_upsampling_begins_as_bilinear_interpolation(factor: int) -> None:
    """Against torch's own, away from the border, where `interpolate` repeats the edge and a convolution sees zeros."""
    pictures = torch.randn(2, 3, 6, 7)
    enlarged = bilinear_upsampling(3, factor)(pictures)
    theirs = F.interpolate(pictures, scale_factor=factor, mode="bilinear", align_corners=False)
    assert enlarged.shape == theirs.shape
    inner = slice(factor, -factor)
    torch.testing.assert_close(enlarged[..., inner, inner], theirs[..., inner, inner])


def test_47_a_transposed_convolution_restores_the_shape_and_not_the_values() -> None:
    picture = torch.randn(1, 1, 8, 8)
    weight = torch.randn(1, 1, 4, 4)
    there = F.conv2d(picture, weight, stride=2, padding=1)
    back = F.conv_transpose2d(there, weight, stride=2, padding=1)
    assert back.shape == picture.shape
    assert not torch.allclose(back, picture, atol=0.1)
    # It is the transpose of the convolution's matrix, not its inverse.
    basis = torch.eye(64).view(64, 1, 8, 8)
    matrix = F.conv2d(basis, weight, stride=2, padding=1).flatten(1).T
    torch.testing.assert_close(matrix.T @ there.flatten(), back.flatten(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("stride", "scored"), [(32, ["32"]), (16, ["16", "32"]), (8, ["8", "16", "32"])])
@pytest.mark.parametrize("size", [(64, 96), (45, 70)])
def test_fcn_gives_logits_of_the_picture_s_size(stride: int, scored: list[str], size: tuple[int, int]) -> None:
    model = FCN(5, ResNet(10, width=0.1), stride).eval()
    assert list(model.score) == scored
    assert model(torch.randn(2, 3, *size)).shape == (2, 5, *size)


def test_finer_scores_begin_as_nothing() -> None:
    """So FCN-8s begins as FCN-32s with two stages of interpolation in between."""
    torch.manual_seed(0)
    model = FCN(5, ResNet(10, width=0.1)).eval()
    assert not any(value.any() for stride in ("8", "16") for value in model.score[stride].parameters())
    assert all(value.any() for value in model.score["32"].parameters())


def test_the_head_of_the_backbone_is_gone_and_its_names_stay() -> None:
    backbone = ResNet(10, width=0.1)
    names = {name for name, _ in backbone.named_parameters() if not name.startswith("classifier")}
    assert {name for name, _ in FCN(5, backbone).backbone.named_parameters()} == names


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet18", "densenet121", "googlenet", "vgg11"])
def test_any_backbone_will_do(name: str) -> None:
    """torchvision's, on the meta device: shapes alone."""
    from torchvision import models

    settings = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    with torch.device("meta"):
        model = FCN(21, getattr(models, name)(**settings)).eval()
        assert model(torch.empty(1, 3, 224, 224)).shape == (1, 21, 224, 224)


def test_a_backbone_without_such_features_is_refused() -> None:
    with pytest.raises(ValueError, match="no features at stride 8 and 16 and 32"):
        FCN(5, nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.MaxPool2d(2)))
    with pytest.raises(ValueError, match="no features at stride 32"):
        FCN(5, AlexNet(10, 3, (128, 128), width=0.1))


@pytest.mark.parametrize(("stride", "size"), [(4, (45, 70)), (8, (33, 96)), (16, (45, 70)), (32, (64, 40))])
def test_fcn_against_its_layers_one_after_the_other(stride: int, size: tuple[int, int]) -> None:
    """Section 4.2 of the paper on torchvision's ResNet-18, with weights drawn for all."""
    from torchvision import models

    ours = FCN(5, models.resnet18(), stride).double().eval()  # type: ignore[arg-type]
    draw(ours)
    backbone = models.resnet18().double().eval()
    backbone.load_state_dict(ours.backbone.state_dict(), strict=False)
    pictures = torch.randn(2, 3, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    features = backbone.maxpool(backbone.relu(backbone.bn1(backbone.conv1(pictures))))
    at = {}
    for own, number in ((4, 1), (8, 2), (16, 3), (32, 4)):
        features = at[own] = getattr(backbone, f"layer{number}")(features)

    def scored(own: int) -> torch.Tensor:
        layer = ours.score[str(own)]
        return F.conv2d(at[own], layer.weight, layer.bias)

    def enlarged(scores: torch.Tensor, own: int, factor: int, like: torch.Tensor) -> torch.Tensor:
        weight = ours.upsample[str(own)].weight
        whole = F.conv_transpose2d(scores, weight, stride=factor, padding=factor // 2)
        return whole[..., : like.shape[-2], : like.shape[-1]]

    scores, own = scored(32), 32
    while own > stride:
        finer = scored(own // 2)
        scores, own = enlarged(scores, own, 2, finer) + finer, own // 2
    torch.testing.assert_close(ours(pictures), enlarged(scores, own, stride, pictures))


def test_looking_at_the_backbone_leaves_it_as_it_was() -> None:
    """Its statistics, and whether it trains; every weight is trained on."""
    for training in (True, False):
        backbone = ResNet(10, width=0.1).train(training)
        before = {name: value.clone() for name, value in backbone.state_dict().items()}
        model = FCN(3, backbone)
        assert all(module.training is training for module in model.backbone.modules())
        assert all(torch.equal(value, before[name]) for name, value in model.backbone.state_dict().items())
        assert all(value.requires_grad for value in model.parameters())
        assert not any(module._forward_hooks for module in backbone.modules())


def test_upsampling_mixes_no_classes_and_has_no_bias() -> None:
    layer = bilinear_upsampling(3, 2)
    one = torch.zeros(1, 3, 4, 4)
    one[:, 1] = 1
    assert layer.bias is None
    assert not layer(one)[:, [0, 2]].any() and layer(one)[:, 1, 2:-2, 2:-2].unique().tolist() == [1]
