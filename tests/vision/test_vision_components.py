"""Each name of the plugin means its own class, and torchvision's networks are torchvision's."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn
from torchvision import models
from torchvision.models import segmentation

import zoo_vision
from zoo_vision import from_torchvision
from zoo_vision.segmentation import from_torchvision as masks_from_torchvision

PLAIN = ("resnet18", "resnet50", "resnext50_32x4d", "mobilenet_v2", "efficientnet_b0", "convnext_tiny", "vit_b_16")
BARE = {"aux_logits": False, "init_weights": False}


def layers(build: object, *arguments: object, **settings: object) -> str:
    """All layers with their settings."""
    with torch.device("meta"):
        return repr(build(*arguments, **settings))  # type: ignore[operator]


@pytest.mark.parametrize("name", PLAIN)
def test_a_network_is_torchvision_s_of_that_name(name: str) -> None:
    assert layers(getattr(from_torchvision, name), 7) == layers(getattr(models, name), num_classes=7)


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_b0", "vit_b_16"])
def test_dropout_reaches_torchvision_s_network(name: str) -> None:
    ours = layers(getattr(from_torchvision, name), 7, dropout=0.35)
    assert ours == layers(getattr(models, name), num_classes=7, dropout=0.35) and "p=0.35" in ours


def test_further_settings_of_torchvision_s_networks() -> None:
    assert layers(from_torchvision.convnext_tiny, 7, 0.3) == layers(
        models.convnext_tiny, num_classes=7, stochastic_depth_prob=0.3
    )
    assert layers(from_torchvision.inception_v3, 7) == layers(models.inception_v3, num_classes=7, **BARE)
    assert layers(from_torchvision.inception_v3, 7, 0.2) == layers(
        models.inception_v3, num_classes=7, dropout=0.2, **BARE
    )
    with torch.device("meta"):
        assert from_torchvision.vit_b_16(7, (48, 48)).image_size == 48
        assert from_torchvision.vit_b_16(7).image_size == 224
        assert isinstance(from_torchvision.inception_v3(7)(torch.empty(2, 3, 75, 75)), torch.Tensor)
    for size in ((30, 30), (32, 48)):
        with pytest.raises(ValueError, match="multiple of 16"):
            from_torchvision.vit_b_16(10, size)


@pytest.mark.parametrize("name", ["deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large"])
def test_a_network_for_masks_is_torchvision_s_of_that_name(name: str) -> None:
    theirs = layers(getattr(segmentation, name), weights=None, weights_backbone=None, num_classes=5)
    assert layers(getattr(masks_from_torchvision, name), 5) == theirs


KINDS = {
    "linear_regression": ("model", "regression"), "softmax_regression": ("model", "classification"),
    "mlp": ("model", "classification regression"),
    **dict.fromkeys(["lenet", "alexnet", "vgg", "nin", "googlenet", "resnet", "densenet"], ("model", "classification")),
    **{f"torchvision.{name}": ("model", "classification") for name in (*PLAIN, "inception_v3")},
    **dict.fromkeys(["fashion_mnist", "digits", "cifar10", "picture_folder", "picture_csv"],
                    ("dataset", "classification")),
    "gaussian_linear": ("dataset", "regression"),
    "segmentation": ("task", ""), "fcn": ("model", "segmentation"),
    "torchvision.deeplabv3_mobilenet_v3_large": ("model", "segmentation"),
    "torchvision.lraspp_mobilenet_v3_large": ("model", "segmentation"),
    "voc_segmentation": ("dataset", "segmentation"), "dice": ("loss", "segmentation"),
    "mean_iou": ("metric", "segmentation"), "pixel_accuracy": ("metric", "segmentation"),
    "content_and_style": ("dataset", "style_transfer"),
}  # fmt: skip


def test_every_component_has_its_kind_its_task_and_its_name() -> None:
    """The callable is called as the component, but for capitals and `_`."""
    components = zoo_vision.zoo_components()
    transfer = [component for component in components if component.name == "style_transfer"]
    assert {(one.kind, one.tasks) for one in transfer} == {
        ("task", ()), ("model", ("style_transfer",)), ("loss", ("style_transfer",)),
    }  # fmt: skip
    others = [component for component in components if component not in transfer]
    assert {one.name: (one.kind, " ".join(one.tasks)) for one in others} == KINDS
    for component in components:
        called = component.load().__name__.lower().removesuffix("loss").removesuffix("task")
        assert component.name.removeprefix("torchvision.").replace("_", "") in called.replace("_", "")


def test_a_model_s_parameters_are_counted_as_the_text_says() -> None:
    """Millions of parameters that docstrings of torchvision's networks state, for ImageNet's thousand classes."""
    for name in (*PLAIN, "inception_v3"):
        build = getattr(from_torchvision, name)
        with torch.device("meta"):
            network: nn.Module = build(1000)
        millions = float(re.search(r"([\d.]+) million", build.__doc__)[1])
        assert round(sum(value.numel() for value in network.parameters()) / 1e6, 1) == millions
