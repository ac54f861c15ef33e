"""The classifiers: the book's and torchvision's networks with the same weights, and parameters counted by hand."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from tests.reference import networks as book
from tests.vision.same import assert_same, leaves
from zoo_vision.alexnet import AlexNet
from zoo_vision.dense import MLP, linear_regression, softmax_regression
from zoo_vision.densenet import DenseNet
from zoo_vision.googlenet import GoogLeNet, Inception
from zoo_vision.layers import GlobalAverage
from zoo_vision.lenet import LeNet
from zoo_vision.nin import NiN
from zoo_vision.resnet import ResNet
from zoo_vision.vgg import VGG

ACTIVATIONS, POOLS = list(book.ACTIVATIONS), ["max", "average", "stride"]


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(7))


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def on_meta(build: type[nn.Module], *arguments: object, **settings: object) -> nn.Module:
    with torch.device("meta"):
        return build(*arguments, **settings)


def conv(inputs: int, outputs: int, kernel: int, bias: bool = True) -> int:
    return inputs * outputs * kernel * kernel + outputs * bias


def dense(inputs: int, outputs: int) -> int:
    return inputs * outputs + outputs


# Beside the book's layers, with the same weights


def test_one_dense_layer() -> None:
    for ours in (linear_regression(12, 3), softmax_regression(12, 3)):
        assert_same(ours, nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), noise(4, 3, 2, 2))
    assert linear_regression(200)(torch.zeros(5, 200)).shape == (5, 1)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_mlp(activation: str) -> None:
    """Widths, the activation, and a share of dropout a layer or one for all."""
    act = book.ACTIVATIONS[activation]
    for dropout, shares in ((0.0, [0.0, 0.0]), (0.3, [0.3, 0.3]), ((0.2, 0.6), [0.2, 0.6])):
        ours = MLP(12, 5, widths=(16, 8), activation=activation, dropout=dropout)
        assert_same(ours, book.mlp([16, 8], shares, 5, act), noise(6, 3, 2, 2))


def test_mlp_by_default_is_the_book_s() -> None:
    assert_same(MLP(784, 10), book.mlp([256], [0.0], 10), noise(2, 1, 28, 28))
    assert_same(MLP(6, 2, widths=()), nn.Sequential(nn.Flatten(), nn.Linear(6, 2)), noise(2, 6))


def test_tied_layers_are_one_object_that_is_counted_once() -> None:
    """Dive into Deep Learning, 6.2.3; notes 16. Layers of one width are two unless the recipe ties them."""
    model = MLP(8, 3, widths=(16, 16, 16), tied=True)
    layers = [layer for layer in model.hidden if isinstance(layer, nn.Linear)]
    assert layers[1] is layers[2] and layers[0] is not layers[1]
    assert parameters(model) == dense(8, 16) + dense(16, 16) + dense(16, 3)
    assert parameters(MLP(8, 3, widths=(16, 16, 16))) == parameters(model) + dense(16, 16)
    with pytest.raises(ValueError, match="two hidden layers of one width"):
        MLP(8, 3, widths=(16, 8), tied=True)
    with pytest.raises(ValueError, match="3 shares"):
        MLP(8, 3, widths=(16, 16), dropout=(0.2, 0.5, 0.5))


def test_lenet_by_default_is_the_book_s() -> None:
    assert_same(LeNet(10), book.lenet(), noise(2, 1, 28, 28))
    by_hand = conv(1, 6, 5) + conv(6, 16, 5) + dense(16 * 5 * 5, 120) + dense(120, 84) + dense(84, 10)
    assert parameters(LeNet(10)) == by_hand == 61_706


@pytest.mark.parametrize(("activation", "pooling"), [*itertools.product(ACTIVATIONS, POOLS)])
def test_lenet_s_switches(activation: str, pooling: str) -> None:
    """Sides that pooling does not divide, and an oblong picture."""
    ours = LeNet(10, 3, (26, 19), activation, pooling)
    assert_same(ours, book.lenet(book.ACTIVATIONS[activation], pooling), noise(3, 3, 26, 19))


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_lenet_with_norms(activation: str) -> None:
    ours = LeNet(10, activation=activation, batch_norm=True)
    assert_same(ours, book.lenet_with_norms(book.ACTIVATIONS[activation]), noise(4, 1, 28, 28))


def test_alexnet_by_default_is_the_book_s() -> None:
    """The widths by their count of parameters; all else at a fraction of the width, in the next test."""
    features = conv(1, 96, 11) + conv(96, 256, 5) + conv(256, 384, 3) + conv(384, 384, 3) + conv(384, 256, 3)
    by_hand = features + dense(256 * 5 * 5, 4096) + dense(4096, 4096) + dense(4096, 10)
    assert parameters(on_meta(AlexNet, 10)) == by_hand == 46_764_746
    assert_same(AlexNet(10, width=1 / 16), book.alexnet(1 / 16), noise(2, 1, 224, 224))


@pytest.mark.parametrize(("activation", "pooling"), [*itertools.product(ACTIVATIONS, POOLS)])
def test_alexnet_s_switches(activation: str, pooling: str) -> None:
    ours = AlexNet(10, 3, (100, 77), activation, pooling, dropout=0.2, width=1 / 16)
    assert_same(ours, book.alexnet(1 / 16, book.ACTIVATIONS[activation], pooling, 0.2), noise(2, 3, 100, 77))


def test_nin() -> None:
    def block(inputs: int, outputs: int, kernel: int) -> int:
        return conv(inputs, outputs, kernel) + 2 * conv(outputs, outputs, 1)

    by_hand = block(1, 96, 11) + block(96, 256, 5) + block(256, 384, 3) + block(384, 10, 3)
    assert parameters(on_meta(NiN, 10, 1)) == by_hand == 1_992_166
    assert_same(NiN(10, 1, width=1 / 16), book.nin(1 / 16, 0.5), noise(2, 1, 224, 224))
    assert_same(NiN(10, 3, 0.1, 1 / 8), book.nin(1 / 8, 0.1), noise(2, 3, 99, 70))


@pytest.mark.parametrize(("bottleneck", "batch_norm"), [(True, False), (False, True)])
def test_googlenet(bottleneck: bool, batch_norm: bool) -> None:
    ours = GoogLeNet(10, 1, bottleneck, batch_norm)
    assert_same(ours, book.googlenet(bottleneck, batch_norm), noise(2, 1, 33, 40))


def test_googlenet_by_default_has_bottlenecks_and_no_norms() -> None:
    assert leaves(on_meta(GoogLeNet, 10)) == leaves(on_meta(GoogLeNet, 10, 3, True, False))


def test_densenet() -> None:
    assert_same(DenseNet(10, 1), book.densenet([4, 4, 4, 4], 32), noise(2, 1, 65, 70))
    assert_same(DenseNet(10, blocks=(2, 1), growth=5), book.densenet([2, 1], 5), noise(2, 3, 40, 36))


@pytest.mark.parametrize("depth", [11, 13, 16, 19])
@pytest.mark.parametrize("batch_norm", [True, False])
def test_vgg(depth: int, batch_norm: bool) -> None:
    """An eighth of the channels; the blocks are the paper's table 1, columns A, B, D and E."""
    counts = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}[depth]
    blocks = list(zip(counts, (8, 16, 32, 64, 64), strict=True))
    ours = VGG(10, 1, (70, 33), depth, 1 / 8, 24, 0.3, batch_norm)
    assert_same(ours, book.vgg(blocks, 24, 0.3, batch_norm), noise(3, 1, 70, 33))


# Beside torchvision's networks


@pytest.mark.parametrize("name", ["vgg11", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19"])
def test_vgg_in_full_width_is_torchvision_s(name: str) -> None:
    """Its weights fit by their names, and the layers are the same, with all their settings."""
    from torchvision import models

    with torch.device("meta"):
        theirs = getattr(models, name)()
    depth, norms = int(name.removeprefix("vgg").removesuffix("_bn")), name.endswith("_bn")
    ours = on_meta(VGG, 1000, depth=depth, batch_norm=norms)
    assert {key: value.shape for key, value in ours.state_dict().items()} == {
        key: value.shape for key, value in theirs.state_dict().items()
    }
    assert repr(ours.features) == repr(theirs.features) and repr(ours.classifier) == repr(theirs.classifier)


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_resnet_has_torchvision_s_layers(depth: int) -> None:
    """In their order with kernels, strides and norms; what follows the norms is in the next test."""
    from torchvision import models

    with torch.device("meta"):
        theirs = getattr(models, f"resnet{depth}")()
    others = (nn.ReLU, nn.Identity, nn.AdaptiveAvgPool2d, GlobalAverage)
    assert leaves(on_meta(ResNet, 1000, depth=depth), *others) == leaves(theirs, *others)


@pytest.mark.parametrize(
    ("depth", "stem", "skip", "batch_norm"),
    [(18, "large", False, True), (18, "small", True, False), (50, "large", True, True)],
)  # fmt: skip
def test_resnet_computes_what_torchvision_s_does(depth: int, stem: str, skip: bool, batch_norm: bool) -> None:
    """Its switches, made of torchvision's parts: another first layer, blocks that add nothing, biases for norms."""
    from torchvision.models import resnet

    block, blocks = (resnet.BasicBlock, [2, 2, 2, 2]) if depth == 18 else (resnet.Bottleneck, [3, 4, 6, 3])
    theirs = resnet.ResNet(block, blocks, 7, norm_layer=nn.BatchNorm2d if batch_norm else Shift)
    if stem == "small":
        theirs.conv1, theirs.maxpool = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity()
    if not skip:
        for module in theirs.modules():
            if isinstance(module, block):
                module.downsample = Nothing()
    ours = ResNet(7, 3, depth, stem, skip=skip, batch_norm=batch_norm)
    assert_same(ours, theirs, noise(4, 3, *((52, 64) if stem == "large" else (12, 9))))


class Shift(nn.Module):
    """A bias a channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features + self.bias.view(-1, 1, 1)


class Nothing(nn.Module):
    def forward(self, features: torch.Tensor) -> float:
        return 0.0


@pytest.mark.parametrize(
    ("depth", "millions"), [(11, 133), (13, 133), (16, 138), (19, 144)], ids=lambda value: str(value)
)
def test_vgg_has_the_parameters_of_the_paper_s_table_2(depth: int, millions: int) -> None:
    assert round(parameters(on_meta(VGG, 1000, depth=depth)) / 1e6) == millions


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


def test_resnet_s_channels_grow_where_the_picture_halves() -> None:
    """By hand, a growth of 3 from a width of 4; the stem has the first stage's channels."""
    model = ResNet(10, 1, stem="small", width=1 / 16, growth=3.0)
    inputs = [module.in_features for module in model.modules() if isinstance(module, nn.Linear)]
    outputs = {module.out_channels for module in model.modules() if isinstance(module, nn.Conv2d)}
    assert inputs == [108] and outputs == {4, 12, 36, 108}


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
