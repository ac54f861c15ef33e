"""The plain tasks: from a raw input to something a person can read."""

import subprocess
import sys

import numpy
import pytest
import torch
from PIL import Image
from torch import nn

from zoo import InputError
from zoo_basics.caption import captioned
from zoo_basics.losses import CrossEntropy
from zoo_basics.tasks import Classification, Regression

PREPROCESS = {"size": [12, 16], "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3]}
CLASSES = ["ant", "bee", "cat", "dog", "elk", "fox"]


@pytest.fixture
def task():
    return Classification(CLASSES, PREPROCESS)


def test_pictures_reach_the_model_normalised(task):
    pixels = torch.randint(256, (2, 3, 12, 16), dtype=torch.uint8)
    seen = task.forward(nn.Identity(), {"input": pixels})
    assert seen.dtype == torch.float32
    for channel, (mean, std) in enumerate(zip(PREPROCESS["mean"], PREPROCESS["std"], strict=True)):
        expected = (pixels[:, channel].double() / 255 - mean) / std
        torch.testing.assert_close(seen[:, channel].double(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [(6, 8), (24, 32), (12, 32)])
def test_pictures_of_another_size_are_resized(task, size):
    """Against torchvision's resize with antialiasing, which changes nothing where pictures grow."""
    from torchvision.transforms.v2 import functional

    pixels = torch.randint(256, (2, 3, *size), dtype=torch.uint8)
    seen = task.forward(nn.Identity(), {"input": pixels})
    mean, std = (torch.tensor(PREPROCESS[name]).view(3, 1, 1) for name in ("mean", "std"))
    expected = functional.resize((pixels / 255 - mean) / std, PREPROCESS["size"], antialias=True)
    torch.testing.assert_close(seen, expected, rtol=1e-4, atol=1e-4)


def test_variants_are_a_picture_and_its_mirror_image(task):
    batch = {"input": torch.randint(256, (2, 3, 4, 5), dtype=torch.uint8), "label": torch.tensor([0, 1])}
    same, mirrored = task.variants(batch)
    assert same is batch
    assert torch.equal(mirrored["input"].flip(-1), batch["input"])
    assert len(task.variants({"input": torch.randn(2, 3)})) == 1


def test_answers_fit_into_a_cell(task):
    assert task.answer(torch.tensor([0.1, 0.2, 0.7, 0, 0, 0])) == "cat"
    assert Regression().answer(torch.tensor([1.5])) == 1.5
    with pytest.raises(InputError, match="2 numbers"):
        Regression().answer(torch.tensor([1.5, 2.0]))


def test_pictures_without_preprocess_are_from_0_to_1():
    pixels = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 1, 1, 3)
    seen = Classification().forward(nn.Identity(), {"input": pixels})
    torch.testing.assert_close(seen.flatten(), torch.tensor([0.0, 0.2, 1.0]))


def test_other_inputs_reach_the_model_as_they_are(task):
    for inputs in (torch.randn(2, 3), torch.randint(9, (2, 3))):
        assert task.forward(nn.Identity(), {"input": inputs}) is inputs


def test_normalising_does_not_stand_in_the_way_of_gradients_after_an_evaluation(task):
    pixels, model = torch.randint(256, (2, 3, 4, 4), dtype=torch.uint8), nn.Conv2d(3, 2, 4)
    with torch.inference_mode():
        task.forward(model, {"input": pixels})
    outputs = task.forward(model, {"input": pixels}).flatten(1)
    CrossEntropy()(outputs, task.target({"label": torch.tensor([0, 1])})).backward()
    assert model.weight.grad.abs().sum() > 0


def test_predictions_are_probabilities(task):
    outputs = torch.tensor([[0.0, 1.0, 2.0], [3.0, 0.0, 0.0]])
    expected = torch.tensor([[0.0900306, 0.2447285, 0.6652410], [0.9094430, 0.0452785, 0.0452785]])
    torch.testing.assert_close(task.predict(None, {}, outputs), expected)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P"])
def test_a_picture_becomes_a_sample(task, tmp_path, mode):
    file = tmp_path / "picture.png"
    Image.new("RGB", (40, 30), (10, 200, 30)).convert(mode).save(file)
    pixels = task.sample(str(file))["input"]
    assert (pixels.dtype, pixels.shape) == (torch.uint8, (3, 12, 16))
    if mode in ("RGB", "RGBA"):
        assert pixels[:, 5, 5].tolist() == [10, 200, 30]


def test_one_mean_makes_grey_pictures(tmp_path):
    file = tmp_path / "picture.png"
    Image.new("RGB", (40, 30), (80, 80, 80)).save(file)
    task = Classification(preprocess={"size": [6, 8], "mean": [0.1], "std": [0.3]})
    sample = task.sample(str(file))
    assert sample["input"].tolist() == [[[80] * 8] * 6]
    assert task.draw(sample, torch.tensor([1.0])).getpixel((0, 0)) == (80, 80, 80)


def test_a_sideways_photograph_is_turned_upright(task, tmp_path):
    file = tmp_path / "photo.jpg"
    photo = Image.new("RGB", (32, 24), "white")
    photo.paste("black", (0, 0, 16, 24))
    exif = photo.getexif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees clockwise
    photo.save(file, exif=exif, quality=95)
    pixels = task.sample(str(file))["input"]
    assert pixels[:, 1].float().mean() < 20  # the left half is the upper half now
    assert pixels[:, -2].float().mean() > 235


@pytest.mark.parametrize("content", [None, b"", b"GIF89a", b"\x89PNG\r\n\x1a\nrubbish", b"text"])
def test_what_is_no_picture_is_the_user_s_mistake(task, tmp_path, content):
    file = tmp_path / "picture.png"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=r"picture\.png"):
        task.sample(str(file))


@pytest.mark.parametrize("raw", ["[1.0, -2.5, 3]", "1.0, -2.5, 3", " 1,-2.5,3\n", "1e0,-25e-1,3."])
@pytest.mark.parametrize("task", [Classification(), Regression()])
def test_a_row_of_numbers_becomes_a_sample(task, raw):
    assert torch.equal(task.sample(raw)["input"], torch.tensor([1.0, -2.5, 3.0]))


@pytest.mark.parametrize("raw", ["", "[]", "photo.jpg", "1,,2", "[[1, 2]]", "1 2", "nan", "1, inf", "[" * 50_000])
def test_what_is_no_row_of_numbers_is_the_user_s_mistake(raw):
    with pytest.raises(InputError, match="is not a row of numbers"):
        Classification().sample(raw)


def test_a_prediction_is_described_by_its_likeliest_classes(task):
    described = task.describe({}, torch.tensor([0.05, 0.4, 0.3, 0.15, 0.01, 0.09]))
    assert described["class"] == "bee"
    assert described["probability"] == 0.4
    assert [found["class"] for found in described["top"]] == ["bee", "cat", "dog", "fox", "ant"]
    assert [found["probability"] for found in described["top"]] == [0.4, 0.3, 0.15, 0.09, 0.05]


def test_classes_without_names_are_numbers():
    assert Classification().describe({}, torch.tensor([0.25, 0.75])) == {
        "class": "1",
        "probability": 0.75,
        "top": [{"class": "1", "probability": 0.75}, {"class": "0", "probability": 0.25}],
    }


def test_difficulty_is_what_the_truth_lacks(task):
    assert task.difficulty({"label": torch.tensor(1)}, torch.tensor([0.2, 0.7, 0.1])) == pytest.approx(0.3)


def test_a_picture_is_drawn_with_its_class(task):
    sample = {"input": torch.full((3, 300, 320), 128, dtype=torch.uint8), "label": torch.tensor(2)}
    right, wrong = torch.tensor([0.1, 0.1, 0.8]), torch.tensor([0.1, 0.8, 0.1])
    drawn = {
        "truth": task.draw(sample, wrong, truth=True),
        "right": task.draw(sample, right),
        "wrong": task.draw(sample, wrong),
        "unlabelled": task.draw({"input": sample["input"]}, wrong),
    }
    for image in drawn.values():
        assert image.width == 320
        assert image.height > 300
        assert image.getpixel((100, 100)) == (128, 128, 128)
    assert [name for name, image in drawn.items() if has_red(image)] == ["wrong"]
    assert len({image.tobytes() for image in drawn.values()}) == 4


def test_a_small_picture_is_enlarged_and_a_long_name_still_fits():
    task = Classification(["a name that is far too long to fit below a picture of so few pixels"])
    image = task.draw({"input": torch.zeros(3, 8, 8, dtype=torch.uint8)}, torch.tensor([1.0]))
    assert image.getpixel((223, 223)) == (0, 0, 0)
    assert image.width > 400


def test_vectors_are_not_drawn(task):
    assert task.draw({"input": torch.randn(3)}, torch.tensor([1.0])) is None
    assert Regression().draw({"input": torch.randn(3)}, torch.tensor([1.0])) is None


def test_regression_describes_numbers_and_judges_by_squared_error():
    task = Regression()
    assert task.describe({}, torch.tensor([1.5])) == {"value": 1.5}
    assert task.describe({}, torch.tensor([1.5, 2.0])) == {"value": [1.5, 2.0]}
    assert task.difficulty({"target": torch.tensor([0.0, 1.0])}, torch.tensor([1.0, 3.0])) == pytest.approx(2.5)
    assert task.target({"target": 7}) == 7


def test_the_tasks_are_cheap_to_import():
    """torchvision and torchmetrics would cost more than torch itself."""
    code = "import sys, zoo_basics.tasks, zoo_basics.losses, zoo_basics.schedules, zoo_basics.muon\nprint(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torchvision", "torchmetrics", "torch._dynamo", "PIL.Image"} & set(modules)


def has_red(image):
    red, green, _ = image.split()
    return any(r > g + 50 for r, g in zip(red.tobytes(), green.tobytes(), strict=True))


def test_what_is_usual_for_each_task():
    assert (Classification.loss, Classification.metrics, Classification.monitor) == (
        "cross_entropy", ("accuracy",), "val/accuracy",
    )  # fmt: skip
    assert (Regression.loss, Regression.metrics, Regression.monitor) == ("mse", (), "val/loss")


def test_floats_are_no_pictures_to_mirror(task):
    assert len(task.variants({"input": torch.randn(2, 3, 4, 5)})) == 1


def test_captions_say_the_class_and_how_sure_it_is(task):
    """The pictures are those of `captioned` with the text written out, and every pixel shown is the picture's."""
    pixels = torch.randint(256, (3, 230, 240), dtype=torch.uint8)
    sample, prediction = {"input": pixels, "label": torch.tensor(2)}, torch.tensor([0.06, 0.815, 0.125])
    assert task.draw(sample, prediction).tobytes() == captioned(pixels, "bee 0.81", 1, right=False).tobytes()
    assert task.draw(sample, prediction, truth=True).tobytes() == captioned(pixels, "cat", 2).tobytes()
    sure = {**sample, "label": torch.tensor(1)}
    assert task.draw(sure, prediction).tobytes() == captioned(pixels, "bee 0.81", 1, right=True).tobytes()
    shown = task.draw(sample, prediction).crop((0, 0, 240, 230))
    assert torch.equal(torch.from_numpy(numpy.array(shown)).permute(2, 0, 1), pixels)


@pytest.mark.parametrize("side", [8, 100, 120])
def test_a_small_picture_is_enlarged_by_a_whole_number_into_even_squares(side):
    pixels = torch.randint(256, (3, side, side), dtype=torch.uint8)
    scale = -(-224 // side)
    shown = numpy.array(captioned(pixels, "ant", 0).crop((0, 0, scale * side, scale * side)))
    assert torch.equal(
        torch.from_numpy(shown).permute(2, 0, 1), pixels.repeat_interleave(scale, 1).repeat_interleave(scale, 2)
    )


def test_difficulty_and_answers_by_hand(task):
    assert task.difficulty({"label": torch.tensor(0)}, torch.tensor([1.0, 0.0])) == 0
    assert task.answer(torch.tensor([0.0, 0.0, 0.0, 0.2, 0.0, 0.8])) == "fox"
    assert Classification().answer(torch.tensor([0.1, 0.9])) == "1"
    assert Regression().answer(torch.tensor([[2.5]])) == 2.5


def test_targets_are_where_the_data_sets_have_them(task):
    assert task.target({"label": 3, "target": 4}) == 3
    assert Regression().target({"label": 3, "target": 4}) == 4
