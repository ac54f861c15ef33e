"""Style transfer: what is compared, what is trained, how the picture grows, and that nothing is left to chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn
from torch.nn import functional as F  # noqa: N812

from tests.reference import style as reference
from zoo import tensor_to_picture
from zoo_vision.style_transfer.losses import StyleTransferLoss, distances, gram, total_variation
from zoo_vision.style_transfer.model import StyleTransfer, fitting, resized
from zoo_vision.vgg import VGG

LAYERS: dict[str, Any] = {"style_layers": ("features.0", "features.4"), "content_layers": ("features.4",)}


def make(**settings: Any) -> StyleTransfer:
    torch.manual_seed(0)
    extractor = VGG(1, width=0.1, hidden=1)
    return StyleTransfer(extractor, **{"content_size": (40, 60), "sizes": (48,), "grow_at": (), **LAYERS, **settings})


def pictures() -> list[torch.Tensor]:
    """A content and a style of noise."""
    generator = torch.Generator().manual_seed(0)
    shapes = [(1, 3, 40, 60), (1, 3, 50, 50)]
    return [torch.randint(256, shape, generator=generator, dtype=torch.uint8) for shape in shapes]


# What is compared


@settings(deadline=None)
@given(shape=st.tuples(st.integers(1, 4), st.integers(2, 5), st.integers(2, 5)), seed=st.integers(0, 99))
def test_gram_and_total_variation_are_the_loops(shape: tuple[int, int, int], seed: int) -> None:
    features = torch.randn(1, *shape, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(gram(features), torch.tensor(reference.gram(features)), atol=1e-5, rtol=1e-4)
    assert float(total_variation(features)) == pytest.approx(reference.total_variation(features), abs=1e-5)


def test_gram_does_not_know_where_things_are() -> None:
    features = torch.randn(1, 3, 4, 5)
    shuffled = features.flatten(2)[..., torch.randperm(20)].view(1, 3, 4, 5)
    torch.testing.assert_close(gram(features), gram(shuffled))


def test_features_are_what_each_layer_made() -> None:
    """Against the chain of layers run by hand: a ReLU in place would change what the convolution before it made."""
    model = make().eval()
    content, style = pictures()
    torch.manual_seed(0)
    chain = VGG(1, width=0.1, hidden=1).features[:5]
    features = (model.pictures[0].detach() - model.mean) / model.std
    expected = {}
    for number, layer in enumerate(chain):
        if isinstance(layer, nn.ReLU):
            layer.inplace = False
        features = layer(features)
        expected[number] = features
    outputs = model(content, style)
    torch.testing.assert_close(outputs["content"][0][0], expected[4])
    torch.testing.assert_close(outputs["style"][0][0], gram(expected[0]))
    assert (expected[0] < 0).any()


def test_a_picture_of_itself_is_no_distance_away() -> None:
    """Content and style the same picture: after the first step's copy, only its roughness is left."""
    model = make(content_size=(48, 48))
    same = torch.randint(256, (1, 3, 48, 48), dtype=torch.uint8)
    values = distances(model(same, same))
    assert values["content"] < 1e-10 and values["style"] < 1e-10 and values["tv"] > 0.01


def test_each_part_of_the_loss_by_hand() -> None:
    """Two layers each, mean squared errors that are summed over the layers, times weight and scale."""
    content = [(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 1.0])), (torch.tensor([2.0]), torch.tensor([5.0]))]
    style = [(torch.eye(2), torch.zeros(2, 2)), (torch.full((1, 1), 4.0), torch.ones(1, 1))]
    picture = torch.tensor([[0.0, 1.0], [2.0, 5.0]]).view(1, 1, 2, 2)
    outputs = {"content": content, "style": style, "picture": picture, "scale": torch.tensor([1.0, 10.0, 100.0])}
    by_hand = {"content": (1 + 4) / 2 + 9, "style": 2 / 4 + 9, "tv": ((2 + 4) / 2 + (1 + 3) / 2) / 2}
    assert {name: float(value) for name, value in distances(outputs).items()} == by_hand
    loss = StyleTransferLoss(content=2.0, style=3.0, tv=5.0)
    weights = {"content": 2.0, "style": 30.0, "tv": 500.0}
    assert {name: float(value) for name, value in loss(outputs, None).items()} == pytest.approx(
        {name: weights[name] * value for name, value in by_hand.items()}
    )
    assert loss.figures(outputs, None) == {f"weight_{name}": weight for name, weight in weights.items()}
    assert StyleTransferLoss().weights == {"content": 1.0, "style": 1.0, "tv": 1.0}


@pytest.mark.parametrize("size", [(40, 60), (60, 40)])
def test_content_and_style_are_seen_at_the_picture_s_size(size: tuple[int, int]) -> None:
    """The content in its own shape, the style in its, both with 48 pixels at the longer side."""
    model = make(content_size=size, sizes=(48,)).eval()
    content, _ = pictures()
    content = content if size == (40, 60) else content.mT
    style = torch.randint(256, (1, 3, 30, 90), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    outputs = model(content, style)
    torch.manual_seed(0)
    chain = VGG(1, width=0.1, hidden=1).features[:5].eval()
    for layer in chain:
        if isinstance(layer, nn.ReLU):
            layer.inplace = False

    def seen(picture: torch.Tensor, size: tuple[int, int], layers: int) -> torch.Tensor:
        small = F.interpolate(picture / 255, size, mode="bicubic", antialias=True).clamp(0, 1)
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
        return chain[:layers]((small - mean) / std)

    longer = (32, 48) if size == (40, 60) else (48, 32)
    torch.testing.assert_close(outputs["content"][0][1], seen(content, longer, 5))
    torch.testing.assert_close(outputs["style"][0][1], gram(seen(style, (16, 48), 1)))
    torch.testing.assert_close(outputs["style"][1][1], gram(seen(style, (16, 48), 5)))


def test_pictures_are_made_smaller_as_pillow_does_it() -> None:
    """Bicubic, every pixel counted: a chessboard of single pixels becomes grey and not a pattern."""
    board = (torch.arange(64).view(64, 1) + torch.arange(64)).remainder(2).expand(1, 3, 64, 64).float()
    assert float((resized(board, (24, 32)) - 0.5).abs().max()) < 0.1
    noise = pictures()[0]
    theirs = tensor_to_picture(noise[0]).resize((30, 20), Image.Resampling.BICUBIC)
    ours = resized(noise / 255, (20, 30))[0] * 255
    assert float((ours - torch.from_numpy(np.array(theirs)).permute(2, 0, 1)).abs().max()) < 3  # Pillow rounds twice


# What is trained


def test_the_picture_alone_is_trained() -> None:
    model = make()
    assert [name for name, found in model.named_parameters() if found.requires_grad] == ["pictures.0"]
    assert not any(module.training for module in model.train().extractor.modules())
    assert model.training


def test_each_stage_begins_as_the_one_before_and_keeps_to_what_can_be_shown() -> None:
    model = make(sizes=(32, 48), grow_at=(2,)).train()
    content, style = pictures()
    model(content, style)
    assert model.pictures[0].shape == (1, 3, 21, 32) and model.stage == 0
    with torch.no_grad():
        model.pictures[0].fill_(0.25)[0, 0, 0, 0] = 7
    model(content, style)
    assert model.pictures[0].max() == 1
    picture = model(content, style)["picture"]
    assert picture.shape == (1, 3, 32, 48) and model.stage == 1
    assert float(picture.detach()[..., 10:, 10:].sub(0.25).abs().max()) < 1e-6
    assert model.eval()(content, style)["picture"] is model.pictures[1]


def test_balance_brings_the_losses_to_one_scale() -> None:
    """At the step that it looks at, each weighted loss is its own weight; before, the weights are as written."""
    model = make(balance_after=1).train()
    content, style = pictures()
    loss = StyleTransferLoss(content=1.0, style=2.0, tv=0.5)
    with torch.no_grad():
        first = model(content, style)
        assert loss.figures(first, None) == {"weight_content": 1.0, "weight_style": 2.0, "weight_tv": 0.5}
        model.pictures[0].add_(0.1 * torch.randn(model.pictures[0].shape))
        second = model(content, style)
        parts = loss(second, None)
    assert {name: float(part) for name, part in parts.items()} == pytest.approx({"content": 1, "style": 2, "tv": 0.5})
    sizes = distances(second)
    assert loss.figures(second, None)["weight_style"] == pytest.approx(2 / float(sizes["style"]))


def test_the_balance_holds_from_its_step_on_and_without_one_nothing_is_balanced() -> None:
    content, style = pictures()
    model = make(balance_after=1).train()
    with torch.no_grad():
        scales = []
        for step in range(4):
            scales.append(model(content, style)["scale"].clone())
            model.pictures[0].add_(0.1 * torch.sin(torch.arange(48) * (step + 1)))
        assert torch.equal(scales[0], torch.ones(3)) and not torch.equal(scales[1], scales[0])
        assert torch.equal(scales[2], scales[1]) and torch.equal(scales[3], scales[1])
        assert torch.equal(model.eval()(content, style)["scale"], scales[1])
        unbalanced = make().train()
        assert all(torch.equal(unbalanced(content, style)["scale"], torch.ones(3)) for _ in range(3))


def test_stages_follow_their_steps_and_evaluation_shows_the_latest() -> None:
    content, style = pictures()
    model = make(sizes=(32, 40, 48), grow_at=(2, 3)).train()
    heights = [model(content, style)["picture"].shape[-1] for _ in range(5)]
    assert heights == [32, 32, 40, 48, 48] and model.stage == 2
    assert [picture.shape[-1] for picture in model.pictures] == [32, 40, 48]
    again = make(sizes=(32, 40, 48), grow_at=(2, 3)).train()
    again.load_state_dict(model.state_dict())
    assert again.stage == 2 and again(content, style)["picture"] is again.pictures[2]


def test_training_steps_alone_are_counted_and_go_with_the_weights() -> None:
    """The second stage begins at the third step of training, whatever was looked at or loaded in between."""
    content, style = pictures()
    model = make(sizes=(32, 48), grow_at=(2,))
    for training in (True, False, True, False):
        assert model.train(training)(content, style)["picture"].shape[-1] == 32
    again = make(sizes=(32, 48), grow_at=(2,))
    again.load_state_dict(model.state_dict())
    assert model.steps == again.steps == 2
    assert again.train()(content, style)["picture"].shape[-1] == 48


# Mistakes


def test_a_layer_that_is_not_there() -> None:
    with pytest.raises(ValueError, match=r"no layer 'features.99'; its first are classifier.0"):
        make(style_layers=("features.99",))


@pytest.mark.parametrize("steps", [(), (5, 3), (5, 9, 12)])
def test_sizes_and_steps_that_do_not_fit(steps: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="3 sizes need 2 growing steps"):
        make(sizes=(32, 48, 64), grow_at=steps)


def test_the_longer_side_is_fitted() -> None:
    assert fitting((3, 4000), 32) == (1, 32) and fitting((4000, 3), 32) == (32, 1)
    assert fitting((427, 640), 320) == (214, 320)
    assert fitting((640, 427), 320) == (320, 214)
