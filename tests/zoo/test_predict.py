"""Predictions from raw inputs: what may be named, in batches or one by one; and inputs that are wrong."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import zoo as public
from tests.conftest import Command
from zoo import InputError, Task
from zoo.cli.inputs import raw_inputs
from zoo.recipes.recipe import Recipe
from zoo.runs.predictor import BATCH, Run


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that classifies pictures of 28x28 in grey."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    public.run("digits", ["train.epochs=1", "expect={}"], out=folder)
    return folder


def exact(folder: Path) -> Run:
    """The run without bf16, which some machines have."""
    run = public.load(folder)
    run.task.autocast = nullcontext
    return run


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """20 pictures of several sizes in `pics` and below, in the order of their names; and what is no picture there."""
    monkeypatch.chdir(tmp_path)
    names = sorted([f"pics/{number}.png" for number in range(17)] + ["pics/a/b/1.JPG", "pics/a/2.jpeg", "pics/z.bmp"])
    for seed, name in enumerate(names):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise(seed, 20 + seed)).save(name)
    for name in ("notes.txt", "a/.png.txt", "png"):
        Path("pics", name).write_text("no picture")
    Path("pics/folder.png").mkdir()
    return names


def noise(seed: int, side: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)


# What may be named


def test_a_folder_is_the_pictures_in_it_and_a_pattern_is_what_it_matches(pictures: list[str]) -> None:
    suffixes = public.PICTURE_SUFFIXES
    assert list(raw_inputs(["pics"], suffixes)) == pictures
    assert list(raw_inputs(["pics/a", "pics/3.png", "pics/a"], suffixes)) == [
        *pictures[17:19],
        "pics/3.png",
        *pictures[17:19],
    ]
    assert list(raw_inputs(["pics/1?.png"], suffixes)) == [f"pics/1{number}.png" for number in range(7)]
    assert list(raw_inputs(["pics/**/*.jp*g"], suffixes)) == ["pics/a/2.jpeg"]
    assert list(raw_inputs(["pics/*.txt"], suffixes)) == ["pics/notes.txt"], "who names a file means it"
    assert list(raw_inputs(["none", "none/*.png", "-x"], suffixes)) == ["none", "none/*.png", "-x"]
    Path("pics/[1].png").write_bytes(Path("pics/1.png").read_bytes())
    assert list(raw_inputs(["pics/[1].png"], suffixes)) == ["pics/[1].png"], "a file's own name is no pattern"


def test_a_dash_is_the_lines_of_stdin(pictures: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("pics/1.png\n\npics/a\r\n  \nlast one"))
    expected = ["first", "pics/1.png", *pictures[17:19], "last one", "after"]
    assert list(raw_inputs(["first", "-", "after"], public.PICTURE_SUFFIXES)) == expected
    monkeypatch.setattr("sys.stdin", None)
    assert list(raw_inputs(["-"], ())) == []


def test_a_sentence_is_never_taken_for_a_path(pictures: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(" pics \npics/*\n"))
    assert list(raw_inputs(["pics", "*", "", "-"], ())) == ["pics", "*", "", " pics ", "pics/*"]


@pytest.fixture
def run_of(tmp_path: Path) -> Callable[..., Run]:
    """`run_of(task)`: a run folder's model that sums a sample up, without the folder."""
    return lambda task: Run(tmp_path, torch.nn.Flatten(), task, Recipe("run"), {}, torch.device("cpu"))


class Sums(Task):
    """The sum of so many ones as the input says; batches are remembered."""

    def __init__(self, suffixes: tuple[str, ...]) -> None:
        self.suffixes = suffixes
        self.batches: list[tuple[int, ...]] = []

    def sample(self, raw: Any) -> dict[str, Any]:
        if not str(raw).isdigit():
            raise InputError(f"`{raw}` is no number")
        return {"input": torch.ones(int(raw)), "raw": raw}

    def collate(self, samples: list[dict[str, Any]]) -> dict[str, Any]:
        return {"input": torch.stack([sample["input"] for sample in samples])}

    def predict(self, model: Any, batch: dict[str, Any], outputs: Any = None) -> torch.Tensor:
        self.batches.append(tuple(batch["input"].shape))
        if batch["input"].shape[1] > 8:
            raise InputError("too long")
        return super().predict(model, batch, outputs).sum(dim=1)

    def describe(self, sample: dict[str, Any], prediction: torch.Tensor) -> dict[str, Any]:
        return {"sum": prediction.item()}


def test_files_go_in_batches_of_one_size_and_come_back_in_order(run_of: Callable[..., Run]) -> None:
    task = Sums((".png",))
    numbers = [3, 2, 3, 3, 2, 1] * 4
    assert run_of(task).predict([str(number) for number in numbers]) == [{"sum": number} for number in numbers]
    assert BATCH == 16
    assert task.batches == [(9, 3), (5, 2), (2, 1), (3, 2), (2, 1), (3, 3)]


def test_texts_go_one_by_one_as_they_come(run_of: Callable[..., Run]) -> None:
    """Else a line on stdin would wait for others, and a language model's draws would depend on its neighbours."""
    task, taken = Sums(()), []
    outcomes = run_of(task).predict_each(taken.append(raw) or raw for raw in ("1", "1", "1"))
    assert next(iter(outcomes))[0] == "1"
    assert taken == ["1"]
    assert len(list(outcomes)) == 2
    assert task.batches == [(1, 1)] * 3


def test_what_is_wrong_stands_in_the_place_of_its_input(run_of: Callable[..., Run]) -> None:
    outcomes = dict(run_of(Sums((".png",))).predict_each(["1", "many", "9", "2"]))
    assert [str(outcomes[raw]) for raw in ("many", "9")] == ["`many` is no number", "too long"]
    assert [outcomes[raw][1] for raw in ("1", "2")] == [1, 2]
    with pytest.raises(InputError, match="`many` is no number"):
        run_of(Sums((".png",))).predict(["1", "many"])


def test_a_path_is_given_to_a_task_as_text(run_of: Callable[..., Run]) -> None:
    ((raw, (sample, _)),) = run_of(Sums(())).predict_each([Path("3")])
    assert (raw, sample["raw"]) == (Path("3"), "3")
    assert run_of(Sums(())).predict("3") == {"sum": 3}
    assert run_of(Sums(())).predict(("3",)) == [{"sum": 3}]
    assert run_of(Sums(())).predict([]) == []


# Pictures


def test_paths_pictures_and_arrays_say_the_same(digits: Path, pictures: list[str]) -> None:
    """The model itself, called with the resized picture in grey, says it too."""
    run = exact(digits)
    name = pictures[-1]
    array = np.asarray(Image.open(name))
    same = run.predict([name, Path(name), Image.open(name), array])
    assert all(each == same[0] for each in same)
    grey = Image.fromarray(array).convert("L").resize((28, 28), Image.Resampling.BILINEAR)
    mean, std = (run.assets["preprocess"][key][0] for key in ("mean", "std"))
    floats = (torch.from_numpy(np.array(grey)) / 255 - mean) / std
    with torch.no_grad():
        best = run.model(floats[None, None]).softmax(dim=1)[0].max(dim=0)
    assert same[0]["class"] == run.assets["classes"][best.indices]
    assert same[0]["probability"] == pytest.approx(best.values.item(), abs=1e-5)


def test_batches_say_what_single_pictures_say(digits: Path, pictures: list[str]) -> None:
    run = exact(digits)
    for together, alone in zip(run.predict(pictures), map(run.predict, pictures), strict=True):
        assert together["class"] == alone["class"]
        assert together["probability"] == pytest.approx(alone["probability"], abs=1e-5)


@pytest.mark.parametrize(
    "array",
    [np.zeros((8, 8, 3)), np.zeros((8, 8, 2), np.uint8), np.zeros(8, np.uint8), np.zeros((1, 8, 8, 3), np.uint8),
     np.zeros((0, 8, 3), np.uint8)],
    ids=lambda array: f"{array.dtype}{array.shape}",
)  # fmt: skip
def test_an_array_that_is_no_picture(array: np.ndarray) -> None:
    with pytest.raises(InputError, match="picture"):
        public.read_picture(array)


def test_a_picture_in_memory_is_read_as_its_file_is(tmp_path: Path) -> None:
    """Also what is transparent, in grey, turned by EXIF, or closed already; and what is given stays open."""
    colours = np.concatenate([noise(1, 6), np.full((6, 6, 1), 90, np.uint8)], axis=2)
    for array in (noise(2, 6), noise(3, 6)[..., 0], colours):
        Image.fromarray(array).save(tmp_path / "a.png")
        read = public.read_picture(tmp_path / "a.png")
        assert read.mode == "RGB"
        assert read.tobytes() == public.read_picture(array).tobytes()
    opened = Image.open(tmp_path / "a.png")
    assert public.read_picture(opened).tobytes() == public.read_picture(opened).tobytes()
    turned = Image.fromarray(noise(4, 6)[:4])
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.info["exif"] = exif.tobytes()
    assert public.read_picture(turned).size == (4, 6)


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is a folder, not a picture") as raised:
        public.read_picture(tmp_path)
    assert ".webp" in raised.value.help


# The command


def predicted(stdout: str) -> dict[str, dict[str, Any]]:
    return {line["input"]: line for line in map(json.loads, stdout.splitlines())}


def test_a_broken_picture_costs_only_itself(digits: Path, pictures: list[str], zoo: Command) -> None:
    """Each is a line on stderr; the others are predicted, and the status says that not all is well."""
    Path("pics/5.png").write_bytes(Path("pics/5.png").read_bytes()[:200])
    finished = zoo("predict", digits, "pics", "none.png")
    assert finished.status == 2
    assert list(predicted(finished.stdout)) == [name for name in pictures if name != "pics/5.png"]
    first, second = (line for line in finished.stderr.splitlines() if not line.startswith("predictions/"))
    assert first.startswith("error: pics/5.png cannot be read as a picture: ")
    assert second == "error: there is no picture none.png"
    assert zoo("predict", digits, pictures[0]).status == 0


def test_a_broken_text_costs_only_itself(zoo: Command, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("many\n2.5\n"))
    finished = zoo("predict", tiny, "0.5", "-")
    assert (finished.status, finished.stderr) == (2, "error: `many` is no number\n")
    assert list(predicted(finished.stdout)) == ["0.5", "2.5"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    public.run("tiny_curve", ["train.epochs=1", "expect={}"], out=folder)
    return folder


@pytest.fixture
def drawing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Has the tiny task draw two pictures of every prediction; the working folder is empty."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "zoo_tiny.curve.Curve.drawings",
        lambda self, sample, prediction: {"": Image.new("RGB", (1, 1)), "mask": Image.new("L", (2, 2))},
        raising=False,
    )
    return tmp_path


def test_drawn_predictions_overwrite_nothing(tiny: Path, drawing: Path, zoo: Command) -> None:
    """A sentence gives its beginning to the name of its file, be it as long as it likes."""
    finished = zoo("predict", tiny, "1.5", "1", "1", "0." + "3" * 300, "--out", "a/b")
    names = ["1.png", "1-mask.png", "1-2.png", "1-mask-2.png", "1-3.png", "1-mask-3.png", "0.png", "0-mask.png"]
    assert finished.stderr.splitlines() == [str(Path("a/b", name)) for name in names]
    assert sorted(file.name for file in Path("a/b").iterdir()) == sorted(names)
    assert zoo("predict", tiny, "9" * 300 + "e-300").status == 0
    assert [file.name for file in sorted(Path("predictions").iterdir())] == ["9" * 60 + "-mask.png", "9" * 60 + ".png"]


def test_the_file_of_an_input_without_a_name(
    tiny: Path, drawing: Path, zoo: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo_tiny.curve.Curve.sample", lambda self, raw: {"input": torch.zeros(1)})
    zoo("predict", tiny, "", "a\x1b[31mb", "--out", "out")
    assert sorted(file.name for file in Path("out").iterdir()) == [
        "a\\x1b[31mb-mask.png", "a\\x1b[31mb.png", "input-mask.png", "input.png",
    ]  # fmt: skip


@pytest.mark.parametrize("place", ["file", "file/x/y", "dangling", "locked/x"])
def test_a_place_that_takes_no_pictures_is_refused_before_anything(
    place: str, tiny: Path, drawing: Path, zoo: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("file").touch()
    Path("dangling").symlink_to("nowhere/at/all")
    Path("locked").mkdir()
    allowed = os.access
    monkeypatch.setattr("os.access", lambda path, mode: "locked" not in str(path) and allowed(path, mode))
    monkeypatch.setattr("zoo.runs.predictor.load", lambda *arguments: pytest.fail("it was loaded"))
    finished = zoo("predict", tiny, "1", "--out", place)
    assert (finished.status, finished.stdout) == (2, "")
    assert finished.stderr.startswith(f"error: {place} cannot be written into: ")
    assert Path(place.partition("/")[0]).name in finished.stderr.partition(": ")[2]


def test_a_disk_that_is_full_is_a_failed_run(
    tiny: Path, drawing: Path, zoo: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Any, file: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("PIL.Image.Image.save", full)
    finished = zoo("predict", tiny, "1")
    assert (finished.status, finished.stderr) == (
        3,
        "error: predictions/1.png cannot be written: No space left on device\n",
    )


@pytest.mark.parametrize("place", ["none/s.csv", "folder", "file/s.csv", "locked/s.csv"])
def test_a_submission_into_no_folder_is_refused_before_anything_is_predicted(
    place: str, tiny: Path, tmp_path: Path, zoo: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("locked").mkdir()
    Path("file").touch()
    allowed = os.access
    monkeypatch.setattr("os.access", lambda path, mode: "locked" not in str(path) and allowed(path, mode))
    monkeypatch.setattr("zoo.jobs.predict.predict_split", lambda *arguments: pytest.fail("it was predicted"))
    finished = zoo("predict", tiny, "--split", "val", "--submission", place)
    assert (finished.status, finished.stdout) == (2, "")
    assert place.removesuffix("/s.csv") in finished.stderr


@pytest.mark.parametrize(
    "arguments",
    [(), ("--submission", "s.csv"), ("0.5", "--submission", "s.csv"), ("0.5", "--variants"),
     ("0.5", "--split", "val"), ("--split", "val", "--set", "a=1")],
    ids=" ".join,
)  # fmt: skip
def test_arguments_that_do_not_go_together(arguments: tuple[str, ...], tiny: Path, zoo: Command) -> None:
    finished = zoo("predict", tiny, *arguments)
    assert (finished.status, finished.stdout, finished.stderr[:6]) == (2, "", "error:")
