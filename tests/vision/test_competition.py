"""A competition from its files to a submission, on the command line; and the commands around experiments."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Command

CLASSES = ("blue", "green", "red")

RECIPE = """
task = "classification"

[model]
name = "mlp"
widths = [16]

[dataset]
name = "picture_csv"
folder = "colours"
root = "data"
size = [8, 8]
augment = ["flip"]

[optimizer]
name = "adam"
lr = 0.01

[train]
epochs = 8
batch_size = 8
"""


@pytest.fixture
def colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Noisy pictures of three colours: 36 labelled, 9 to predict, whose sample submission is in another order."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    random = np.random.default_rng(0)
    for number in range(45):
        pixels = random.integers(0, 120, (10, 10, 3), dtype=np.uint8)
        pixels[..., 2 - number % 3] += 120
        Image.fromarray(pixels).save(tmp_path / "data" / f"{number}.png")
    rows = [f"{number}.png,{CLASSES[number % 3]}" for number in range(36)]
    (tmp_path / "data" / "train.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    (tmp_path / "data" / "test.csv").write_text("\n".join(["image", *(f"{n}.png" for n in range(36, 45))]) + "\n")
    rows = [f"{number}.png,red" for number in reversed(range(36, 45))]
    (tmp_path / "data" / "sample_submission.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    (tmp_path / "colours.toml").write_text(RECIPE)
    return tmp_path


def test_from_files_to_a_submission(colours: Path, zoo: Command) -> None:
    assert zoo("folds", "colours.toml", "--folds", "3", "--out", "run").status == 0
    finished = zoo("predict", "run/average", "--split", "test", "--submission", "out.csv", "--variants")
    assert finished.status == 0, finished.stderr
    with open("out.csv", newline="") as file:
        head, *rows = list(csv.reader(file))
    assert head == ["image", "label"]
    assert [name for name, _ in rows] == [f"{number}.png" for number in reversed(range(36, 45))]
    assert all(answer == CLASSES[int(Path(name).stem) % 3] for name, answer in rows)


def test_variants_are_averaged(colours: Path, zoo: Command) -> None:
    import torch

    from zoo.jobs.predict import predict_split, predictions
    from zoo.jobs.scoring import reopen

    zoo("run", "colours.toml", "train.epochs=1", "--out", "run")
    *_, both = predict_split(Path("run"), "test", variants=True)
    scoring = reopen("run", split="test").scoring
    plain = torch.stack(list(predictions(scoring)))
    scoring.batches.tensors["input"] = scoring.batches.tensors["input"].flip(-1)
    mirrored = torch.stack(list(predictions(scoring)))
    torch.testing.assert_close(torch.stack(both), (plain + mirrored) / 2)
    assert not torch.equal(plain, mirrored)


def test_without_a_submission_there_is_a_line_for_each_sample(colours: Path, zoo: Command) -> None:
    zoo("run", "colours.toml", "--out", "run")
    lines = [json.loads(line) for line in zoo("predict", "run", "--split", "test").stdout.splitlines()]
    assert [line["input"] for line in lines] == [f"{number}.png" for number in range(36, 45)]
    assert {line["answer"] for line in lines} <= set(CLASSES)


def test_without_a_sample_the_columns_are_the_training_file_s(colours: Path, zoo: Command) -> None:
    """And the order is the test file's."""
    (colours / "data" / "sample_submission.csv").unlink()
    for name in ("train.csv", "test.csv"):
        text = (colours / "data" / name).read_text()
        (colours / "data" / name).write_text(text.replace("image", "file", 1).replace("label", "colour", 1))
    recipe = RECIPE.replace("\nsize", '\npicture_column = "file"\nlabel_column = "colour"\nsize')
    (colours / "colours.toml").write_text(recipe)
    zoo("run", "colours.toml", "train.epochs=1", "--out", "run")
    assert zoo("predict", "run", "--split", "test", "--submission", "out.csv").status == 0
    with open("out.csv", newline="") as file:
        head, *rows = list(csv.reader(file))
    assert head == ["file", "colour"]
    assert [name for name, _ in rows] == [f"{number}.png" for number in range(36, 45)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [("40.png,red\n", "", "`40.png` is not asked for"), ("40.png", "99.png", "`99.png` is not predicted"),
     ("image,label", "image,label,score", "no table of two columns")],
)  # fmt: skip
def test_another_form_than_the_sample_s_is_refused(
    colours: Path, zoo: Command, old: str, new: str, message: str
) -> None:
    zoo("run", "colours.toml", "train.epochs=1", "--out", "run")
    sample = colours / "data" / "sample_submission.csv"
    sample.write_text(sample.read_text().replace(old, new))
    finished = zoo("predict", "run", "--split", "test", "--submission", "out.csv")
    assert finished.status == 2 and message in finished.stderr
    assert not Path("out.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("--split", "tset"), "did you mean `test`?"), ((), "name inputs"), (("x.png", "--variants"), "name inputs")],
)
def test_wrong_arguments_of_predict(colours: Path, zoo: Command, arguments: tuple[str, ...], message: str) -> None:
    zoo("run", "colours.toml", "train.epochs=1", "--out", "run")
    finished = zoo("predict", "run", *arguments)
    assert finished.status == 2 and message in finished.stderr


def test_compare(colours: Path, zoo: Command) -> None:
    zoo("run", "colours.toml", "train.epochs=2", "--out", "a")
    zoo("run", "colours.toml", "train.epochs=4", "model.widths=[4]", "--out", "b")
    compared = json.loads(zoo("compare", "a", "b", "--json").stdout)
    assert compared["runs"] == ["a", "b"]
    assert compared["differences"] == {"train.epochs": [2, 4], "model.widths": [[16], [4]]}
    results = [json.loads(Path(run, "results.json").read_text()) for run in "ab"]
    assert compared["figures"]["val/accuracy"] == [one["figures"]["val/accuracy"] for one in results]
    finished = zoo("compare", "a", "b", "--plot", "plots")
    assert "model.widths" in finished.stdout and "[4]" in finished.stdout
    assert Path("plots/val-accuracy.png").read_bytes().startswith(b"\x89PNG")
    Path("b/results.json").unlink()
    finished = zoo("compare", "a", "b")
    assert finished.status == 2 and "zoo resume b" in finished.stderr


def test_preview_draws_augmented_samples_with_their_labels(colours: Path, zoo: Command) -> None:
    finished = zoo("preview", "colours.toml", "--samples", "6", "--out", "seen.png")
    assert finished.status == 0, finished.stderr
    with Image.open("seen.png") as sheet:
        assert sheet.width > 3 * 224 and sheet.height > 224
        pixels = np.asarray(sheet.convert("RGB"), dtype=int)[:200, :200]
    assert sorted(pixels.mean(axis=(0, 1)))[-1] > 120  # the first sample's own colour


def test_bench_finds_the_knee(colours: Path, zoo: Command) -> None:
    finished = zoo("bench", "colours.toml", "--batch-size", "2,16", "--seconds", "0.4", "--json", "--out", "bench")
    found = json.loads(finished.stdout)
    assert [row["batch_size"] for row in found["rows"]] == [2, 16]
    assert found["rows"][1]["examples_per_second"] > 2 * found["rows"][0]["examples_per_second"]
    assert found["knee"] == 16
    assert all(row["peak_mib"] > 0 and row["less_loading"] > 0 for row in found["rows"])
    with open("bench/bench.csv", newline="") as file:
        assert [int(row["batch_size"]) for row in csv.DictReader(file)] == [2, 16]
    assert Path("bench/bench.png").read_bytes().startswith(b"\x89PNG")
    assert zoo("bench", "colours.toml", "--batch-size", "2,x").status == 2


def test_the_knee_is_the_smallest_batch_that_is_nearly_fastest() -> None:
    from zoo_lab.bench import Row, knee

    def rows(*rates: float) -> list[Row]:
        return [Row(32 * (n + 1), rate, rate, 1.0) for n, rate in enumerate(rates)]

    assert knee(rows(1033, 1174, 1124, 1200, 1165)) == 64  # the notes' ResNet on leaves
    assert knee(rows(100, 100, 100)) == 32
