"""The classifiers: shapes, and parameters counted by hand from the papers' and the book's tables."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from zoo_vision.alexnet import AlexNet
from zoo_vision.dense import MLP, linear_regression, softmax_regression
from zoo_vision.densenet import DenseNet
from zoo_vision.googlenet import GoogLeNet, Inception
from zoo_vision.lenet import LeNet
from zoo_vision.nin import NiN
from zoo_vision.resnet import ResNet
from zoo_vision.vgg import VGG


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def on_meta(build: type[nn.Module], *arguments: object, **settings: object) -> nn.Module:
    with torch.device("meta"):
        return build(*arguments, **settings)


def conv(inputs: int, outputs: int, kernel: int, bias: bool = True) -> int:
    return inputs * outputs * kernel * kernel + outputs * bias


def dense(inputs: int, outputs: int) -> int:
    return inputs * outputs + outputs


def test_the_dense_models() -> None:
    assert parameters(linear_regression(200)) == 201
    assert parameters(softmax_regression(784, 10)) == 7850
    assert parameters(MLP(784, 10)) == dense(784, 256) + dense(256, 10) == 203_530


def test_lenet() -> None:
    by_hand = conv(1, 6, 5) + conv(6, 16, 5) + dense(16 * 5 * 5, 120) + dense(120, 84) + dense(84, 10)
    assert parameters(LeNet(10)) == by_hand == 61_706
    norms = 2 * (6 + 16 + 120 + 84)
    assert parameters(LeNet(10, batch_norm=True)) == by_hand + norms


def test_alexnet() -> None:
    features = conv(1, 96, 11) + conv(96, 256, 5) + conv(256, 384, 3) + conv(384, 384, 3) + conv(384, 256, 3)
    by_hand = features + dense(256 * 5 * 5, 4096) + dense(4096, 4096) + dense(4096, 10)
    assert parameters(on_meta(AlexNet, 10)) == by_hand == 46_764_746


@pytest.mark.parametrize(
    ("depth", "millions"), [(11, 133), (13, 133), (16, 138), (19, 144)], ids=lambda value: str(value)
)
def test_vgg_has_the_parameters_of_the_paper_s_table_2(depth: int, millions: int) -> None:
    assert round(parameters(on_meta(VGG, 1000, depth=depth)) / 1e6) == millions


def test_vgg_has_as_many_layers_as_its_name_says() -> None:
    for depth in (11, 13, 16, 19):
        layers = [one for one in on_meta(VGG, 10, depth=depth).modules() if isinstance(one, nn.Conv2d | nn.Linear)]
        assert len(layers) == depth


@pytest.mark.parametrize("name", ["vgg11", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19"])
def test_torchvision_s_vgg_weights_fit(name: str) -> None:
    """Names and shapes, in full width at 224x224, and layer after layer of one kind."""
    from torchvision import models

    with torch.device("meta"):
        theirs = getattr(models, name)()
    depth, norms = int(name.removeprefix("vgg").removesuffix("_bn")), name.endswith("_bn")
    ours = on_meta(VGG, 1000, depth=depth, batch_norm=norms)
    assert {key: value.shape for key, value in ours.state_dict().items()} == {
        key: value.shape for key, value in theirs.state_dict().items()
    }
    assert [type(layer) for layer in ours.features] == [type(layer) for layer in theirs.features]


def test_nin() -> None:
    def block(inputs: int, outputs: int, kernel: int) -> int:
        return conv(inputs, outputs, kernel) + 2 * conv(outputs, outputs, 1)

    by_hand = block(1, 96, 11) + block(96, 256, 5) + block(256, 384, 3) + block(384, 10, 3)
    assert parameters(NiN(10, 1)) == by_hand == 1_992_166


def test_inception_splits_256_channels_and_its_bottlenecks_save_parameters() -> None:
    """The first block (the paper's table 1, 3a): 192 channels become 64 + 128 + 32 + 32."""

    def plain(inputs: int, outputs: int, kernel: int) -> list[nn.Module]:
        return [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)]

    block = Inception(192, 64, (96, 128), (16, 32), 32, plain)
    outputs = [path(torch.zeros(1, 192, 28, 28)).shape for path in block.paths]
    assert [shape[1] for shape in outputs] == [64, 128, 32, 32]
    assert {tuple(shape[2:]) for shape in outputs} == {(28, 28)}
    narrow = conv(192, 64, 1) + conv(192, 96, 1) + conv(96, 128, 3) + conv(192, 16, 1) + conv(16, 32, 5)
    assert parameters(block) == narrow + conv(192, 32, 1) == 163_696
    wide = conv(192, 64, 1) + conv(192, 128, 3) + conv(192, 32, 5) + conv(192, 32, 1)
    assert parameters(Inception(192, 64, (96, 128), (16, 32), 32, plain, bottleneck=False)) == wide == 393_472


def test_googlenet_has_the_paper_s_seven_million_less_the_head() -> None:
    """The paper's table 1 says 6.8 million with a head of 1,000 classes, counting 1,000 as 1,024 in places."""
    assert parameters(on_meta(GoogLeNet, 1000)) == pytest.approx(6.99e6, rel=0.005)
    assert parameters(on_meta(GoogLeNet, 10, 1)) * 4 < parameters(on_meta(GoogLeNet, 10, 1, bottleneck=False)) + 1e6


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_resnet_is_torchvision_s(depth: int) -> None:
    from torchvision import models

    with torch.device("meta"):
        theirs = getattr(models, f"resnet{depth}")()
    assert parameters(on_meta(ResNet, 1000, depth=depth)) == parameters(theirs)


def test_resnet_computes_what_torchvision_s_does() -> None:
    """Against torchvision's ResNet-18 with the same weights: both list them in one order."""
    from torchvision import models

    theirs = models.resnet18(num_classes=7).eval()
    ours = ResNet(7).eval()
    ours.load_state_dict(dict(zip(ours.state_dict(), _in_our_order(theirs), strict=True)))
    pictures = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(ours(pictures), theirs(pictures), atol=1e-4, rtol=1e-4)


def _in_our_order(model: nn.Module) -> list[torch.Tensor]:
    """torchvision's `bn1` stands before `layer1`, as ours does; a block's skip stands last in both."""
    return list(model.state_dict().values())


def test_resnet_without_norms_and_without_skips() -> None:
    bare = ResNet(10, 1, batch_norm=False)
    assert not [module for module in bare.modules() if isinstance(module, nn.BatchNorm2d)]
    assert all(module.bias is not None for module in bare.modules() if isinstance(module, nn.Conv2d))
    assert parameters(ResNet(10, 1)) - parameters(ResNet(10, 1, skip=False)) == sum(
        conv(width, 2 * width, 1, bias=False) + 2 * 2 * width for width in (64, 128, 256)
    )


def test_resnet_s_channels_grow_where_the_picture_halves() -> None:
    """By hand, a growth of 3 from a width of 4; the stem has the first stage's channels."""
    model = ResNet(10, 1, stem="small", width=1 / 16, growth=3.0)
    inputs = [module.in_features for module in model.modules() if isinstance(module, nn.Linear)]
    outputs = {module.out_channels for module in model.modules() if isinstance(module, nn.Conv2d)}
    assert inputs == [108] and outputs == {4, 12, 36, 108}


def test_densenet() -> None:
    by_hand = conv(1, 64, 7, bias=False) + 2 * 64
    width = 64
    for number in range(4):
        if number:
            by_hand += 2 * width + conv(width, width // 2, 1, bias=False)
            width //= 2
        for _ in range(4):
            by_hand += 2 * width + conv(width, 32, 3, bias=False)
            width += 32
    by_hand += 2 * width + dense(width, 10)
    assert parameters(DenseNet(10, 1)) == by_hand


SMALLEST = [
    (LeNet(10, 1, (12, 12)), 1, 12),
    (AlexNet(10, 1, (65, 65), width=0.1), 1, 65),
    (VGG(10, 1, (32, 32), width=0.1, hidden=16), 1, 32),
    (NiN(10, 1, width=0.1), 1, 67),
    (GoogLeNet(10, 1), 1, 33),
    (ResNet(10, 3, 18, width=0.1), 3, 33),
    (ResNet(10, 3, 50, "small", width=0.1), 3, 8),
    (DenseNet(10, 3, blocks=(2, 2), growth=4), 3, 33),
]


@pytest.mark.parametrize(("model", "channels", "side"), SMALLEST, ids=lambda value: type(value).__name__)
def test_pictures_become_logits(model: nn.Module, channels: int, side: int) -> None:
    assert model.eval()(torch.zeros(2, channels, side, side)).shape == (2, 10)


@pytest.mark.parametrize(("build", "side"), [(LeNet, 11), (AlexNet, 64), (VGG, 31)])
def test_a_picture_too_small_is_refused_when_the_model_is_built(build: type[nn.Module], side: int) -> None:
    with pytest.raises(ValueError, match=f"{side}x{side} is too small"):
        on_meta(build, 10, 1, (side, side))


def test_an_oblong_picture_has_its_own_dense_layer() -> None:
    assert LeNet(10, 1, (28, 36)).eval()(torch.zeros(1, 1, 28, 36)).shape == (1, 10)


def test_tied_layers_are_one_object_that_is_counted_once() -> None:
    """Dive into Deep Learning, 6.2.3; notes 16."""
    model = MLP(8, 3, widths=(16, 16, 16), tied=True)
    layers = [layer for layer in model.hidden if isinstance(layer, nn.Linear)]
    assert layers[1] is layers[2] and layers[0] is not layers[1]
    assert parameters(model) == dense(8, 16) + dense(16, 16) + dense(16, 3)
    with pytest.raises(ValueError, match="two hidden layers of one width"):
        MLP(8, 3, widths=(16, 8), tied=True)


def test_dropout_shares_are_one_a_layer() -> None:
    model = MLP(8, 3, widths=(16, 16), dropout=(0.2, 0.5))
    assert [layer.p for layer in model.hidden if isinstance(layer, nn.Dropout)] == [0.2, 0.5]
    with pytest.raises(ValueError, match="3 shares"):
        MLP(8, 3, widths=(16, 16), dropout=(0.2, 0.5, 0.5))


def test_a_vit_takes_squares_of_sixteen() -> None:
    from zoo_vision.from_torchvision import vit_b_16

    with pytest.raises(ValueError, match="multiple of 16"):
        vit_b_16(10, (30, 30))
