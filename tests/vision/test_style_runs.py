"""Style transfer from two files to a picture: what is read, counted, shown, and left by a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import immunohistochemistry
from sklearn.datasets import load_sample_image

import zoo
from tests.zoo.training import heard_by, stops_at
from zoo import InputError, Stopped
from zoo.jobs.recipe import resume
from zoo_vision.style_transfer.content_and_style import content_and_style
from zoo_vision.style_transfer.model import LARGEST, StyleTransfer
from zoo_vision.style_transfer.task import StyleTransferTask
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

    def run(name: str, listener: object = None) -> dict[str, Any]:
        with heard_by(listener):
            return zoo.run(recipe, photographs, out=tmp_path / name)

    return run


def make(**settings: Any) -> StyleTransfer:
    torch.manual_seed(0)
    extractor = VGG(1, width=0.1, hidden=1)
    return StyleTransfer(extractor, **{"content_size": (40, 60), "sizes": (48,), "grow_at": (), **LAYERS, **settings})


def pictures() -> list[torch.Tensor]:
    """A content and a style of noise."""
    generator = torch.Generator().manual_seed(0)
    shapes = [(1, 3, 40, 60), (1, 3, 50, 50)]
    return [torch.randint(256, shape, generator=generator, dtype=torch.uint8) for shape in shapes]


# What is read


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


def test_by_default_content_and_style_are_photographs_of_two_packages() -> None:
    data = content_and_style()
    sample = data.splits["train"][0]
    assert np.array_equal(sample["content"].permute(1, 2, 0), load_sample_image("china.jpg"))
    assert np.array_equal(sample["style"].permute(1, 2, 0), immunohistochemistry())
    assert data.splits["val"] is data.splits["train"] and data.facts == {"content_size": [427, 640]}


def test_a_tall_picture_is_limited_by_its_height(tmp_path: Path) -> None:
    for size, expected in (((1000, 2500), (2000, 800)), ((2000, 50), (50, 2000)), ((300, 200), (200, 300))):
        Image.new("RGB", size).save(tmp_path / "p.png")
        assert content_and_style(str(tmp_path / "p.png")).splits["val"][0]["content"].shape[1:] == expected


# What is counted and shown


def test_a_prediction_is_what_can_be_shown() -> None:
    outputs = {"picture": torch.tensor([[-0.1, 0.5, 0.999, 1.2]])}
    task = StyleTransferTask()
    assert task.predict(None, {}, outputs).tolist() == [[0, 128, 255, 255]] and task.target({}) is None


def test_what_a_report_of_a_transfer_shows() -> None:
    """Content at the left, style at the right, as high as the picture; between them the stages so far."""
    content, style = (
        torch.full((1, 3, 20, 30), 40, dtype=torch.uint8),
        torch.full((1, 3, 30, 30), 90, dtype=torch.uint8),
    )
    task, model = StyleTransferTask(), make(sizes=(32, 48), grow_at=(1,), content_size=(20, 30)).train()
    model(content, style)
    prediction = torch.full((3, 10, 15), 200, dtype=torch.uint8)
    sample = {"content": content[0], "style": style[0]}
    assert np.unique(np.array(task.draw(sample, prediction))).tolist() == [200]
    row = np.array(task.draw(sample, prediction, truth=True))
    assert row.shape == (10, 15 + 8 + 10, 3)
    assert (row[:, :15] == 40).all() and (row[:, 15:23] == 255).all() and (row[:, 23:] == 90).all()
    for stages in (1, 2):
        shown = task.pictures(model, {"content": content, "style": style})
        assert shown["picture"].size == ((32, 21), (48, 32))[stages - 1]
        widths = [480, *[round(32 * 320 / 21), 480][:stages], 320]
        assert shown["stages"].size == (sum(widths) + 8 * (stages + 1), 320)
        model(content, style)
    with pytest.raises(InputError, match=r"pictures/picture\.png") as error:
        task.sample("my.jpg")
    assert error.value.help == "for another: zoo run style_transfer dataset.content=my.jpg"


# What a run leaves


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
