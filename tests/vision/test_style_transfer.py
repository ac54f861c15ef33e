"""Style transfer: what is compared, what is trained, how the picture grows, and that nothing is left to chance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

import zoo
from tests.reference import style as reference
from tests.zoo.training import stops_at
from zoo import InputError, Stopped
from zoo.jobs.recipe import resume
from zoo_vision.style_transfer.content_and_style import content_and_style
from zoo_vision.style_transfer.losses import StyleTransferLoss, distances, gram, total_variation
from zoo_vision.style_transfer.model import LARGEST, StyleTransfer, fitting
from zoo_vision.vgg import VGG

LAYERS: dict[str, Any] = {"style_layers": ("features.0", "features.4"), "content_layers": ("features.4",)}

RECIPE = """
task = "style_transfer"
dataset = "content_and_style"

[model]
name = "style_transfer"
extractor = { name = "vgg", width = 0.1, hidden = 1, num_classes = 1 }
style_layers = ["features.0", "features.4"]
content_layers = ["features.4"]
sizes = [32, 48]
grow_at = [4]
balance_after = 2

[optimizer]
name = "adam"
lr = 0.02

[train]
steps = 7
evaluate_every_steps = 4
keep = "last"
device = "cpu"
"""


@pytest.fixture
def photographs(tmp_path: Path) -> dict[str, str]:
    """A grey ramp, 40 x 60, and coloured stripes, 50 x 50."""
    ramp = np.broadcast_to(np.linspace(0, 255, 60, dtype=np.uint8)[None, :, None], (40, 60, 3))
    stripes = np.zeros((50, 50, 3), dtype=np.uint8)
    stripes[::4, :, 0] = 255
    for name, pixels in {"ramp": ramp, "stripes": stripes}.items():
        Image.fromarray(np.ascontiguousarray(pixels)).save(tmp_path / f"{name}.png")
    return {"dataset.content": str(tmp_path / "ramp.png"), "dataset.style": str(tmp_path / "stripes.png")}


@pytest.fixture
def run(tmp_path: Path, photographs: dict[str, str]) -> Callable[..., Any]:
    """Runs a small transfer in a folder of that name."""
    recipe = tmp_path / "small.toml"
    recipe.write_text(RECIPE)
    return lambda name, listener=None: zoo.run(recipe, photographs, out=tmp_path / name, listener=listener)


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
    values = distances(model(same, same, 0))
    assert values["content"] < 1e-10 and values["style"] < 1e-10 and values["tv"] > 0.01


# What is trained


def test_the_picture_alone_is_trained() -> None:
    model = make()
    assert [name for name, found in model.named_parameters() if found.requires_grad] == ["pictures.0"]
    assert not any(module.training for module in model.train().extractor.modules())
    assert model.training


def test_each_stage_begins_as_the_one_before_and_keeps_to_what_can_be_shown() -> None:
    model = make(sizes=(32, 48), grow_at=(2,)).train()
    content, style = pictures()
    model(content, style, 0)
    assert model.pictures[0].shape == (1, 3, 21, 32) and model.stage == 0
    with torch.no_grad():
        model.pictures[0].fill_(0.25)[0, 0, 0, 0] = 7
    model(content, style, 1)
    assert model.pictures[0].max() == 1
    picture = model(content, style, 2)["picture"]
    assert picture.shape == (1, 3, 32, 48) and model.stage == 1
    assert float(picture.detach()[..., 10:, 10:].sub(0.25).abs().max()) < 1e-6
    assert model.eval()(content, style)["picture"] is model.pictures[1]


def test_balance_brings_the_losses_to_one_scale() -> None:
    """At the step that it looks at, each weighted loss is its own weight; before, the weights are as written."""
    model = make(balance_after=1).train()
    content, style = pictures()
    loss = StyleTransferLoss(content=1.0, style=2.0, tv=0.5)
    with torch.no_grad():
        first = model(content, style, 0)
        assert loss.figures(first, None) == {"weight_content": 1.0, "weight_style": 2.0, "weight_tv": 0.5}
        model.pictures[0].add_(0.1 * torch.randn(model.pictures[0].shape))
        second = model(content, style, 1)
        parts = loss(second, None)
    assert {name: float(part) for name, part in parts.items()} == pytest.approx({"content": 1, "style": 2, "tv": 0.5})
    sizes = distances(second)
    assert loss.figures(second, None)["weight_style"] == pytest.approx(2 / float(sizes["style"]))


def test_a_run_leaves_the_picture_its_stages_and_the_weights_used(tmp_path: Path, run: Callable[..., Any]) -> None:
    figures = run("run")["figures"]
    with Image.open(tmp_path / "run/pictures/picture.png") as picture:
        assert picture.size == (48, 32)
    with Image.open(tmp_path / "run/pictures/stages.png") as strip:
        assert strip.size == (480 + 488 + 480 + 320 + 3 * 8, 320)  # the first stage is 32x21
    for part in ("content", "style", "tv"):
        assert figures[f"val/weight_{part}"] != 1
    assert figures["val/loss_tv"] > 0
    again = zoo.load(tmp_path / "run", device="cpu").model
    with torch.no_grad():
        content, style = pictures()
        shown = again(content, style)["picture"]
    saved = torch.from_numpy(np.array(Image.open(tmp_path / "run/pictures/picture.png"))).permute(2, 0, 1)
    assert torch.equal((shown[0].clamp(0, 1) * 255).round().to(torch.uint8), saved)


def test_a_second_run_and_a_resumed_one_make_the_same_pixels(tmp_path: Path, run: Callable[..., Any]) -> None:
    """Stopped in the middle of the second stage, after the weights were found."""
    run("first")
    run("second")
    with pytest.raises(Stopped):
        run("stopped", stops_at(5))
    resume(tmp_path / "stopped")
    for file in ("weights.safetensors", "pictures/picture.png"):
        contents = {(tmp_path / name / file).read_bytes() for name in ("first", "second", "stopped")}
        assert len(contents) == 1


# Mistakes


def test_a_layer_that_is_not_there() -> None:
    with pytest.raises(ValueError, match=r"no layer 'features.99'; its first are classifier.0"):
        make(style_layers=("features.99",))


@pytest.mark.parametrize("steps", [(), (5, 3), (5, 9, 12)])
def test_sizes_and_steps_that_do_not_fit(steps: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="3 sizes need 2 growing steps"):
        make(sizes=(32, 48, 64), grow_at=steps)


def test_a_picture_beyond_the_limit_is_refused_by_its_head(tmp_path: Path) -> None:
    Image.new("1", (10_000, 5_100)).save(tmp_path / "wall.png")
    with pytest.raises(InputError, match=r"wall.png has 51 megapixels, and 50 are the limit"):
        content_and_style(str(tmp_path / "wall.png"))


def test_twenty_megapixels_are_brought_to_two_thousand_pixels(tmp_path: Path) -> None:
    Image.new("L", (5_000, 4_000), 90).save(tmp_path / "phone.png")
    data = content_and_style(str(tmp_path / "phone.png"))
    assert data.splits["train"][0]["content"].shape == (3, 1600, LARGEST)
    assert data.facts["content_size"] == [1600, LARGEST]


def test_what_is_transparent_is_white_and_not_the_color_below(tmp_path: Path) -> None:
    Image.new("RGBA", (40, 40), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (content_and_style(style=str(tmp_path / "clear.png")).splits["val"][0]["style"] == 255).all()


def test_files_that_are_missing_or_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("not a picture")
    with pytest.raises(InputError, match=r"cannot be read as a picture"):
        content_and_style(content=str(tmp_path / "text.jpg"))
    with pytest.raises(InputError, match=r"there is no picture"):
        content_and_style(style=str(tmp_path / "none.jpg"))


def test_the_longer_side_is_fitted() -> None:
    assert fitting((427, 640), 320) == (214, 320)
    assert fitting((640, 427), 320) == (320, 214)
