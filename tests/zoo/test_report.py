"""A run's report: which samples it shows, how tables are turned into pictures, and the page itself."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import nn

from zoo import Task, TensorSplit
from zoo.jobs import report
from zoo.jobs.report import side_by_side, write_report, write_run_report
from zoo.jobs.scoring import Scoring
from zoo.runs.folder import Folder
from zoo.training.batches import make_batches
from zoo.training.learner import Learner

CPU = torch.device("cpu")
RESULTS: dict[str, Any] = {"figures": {"val/loss": 0.123456}, "expect": {}}
COLOURS = {True: "red", False: "blue"}


class Drawn(Task):
    """Predictions are the more difficult the further they are from 10; truth is red, a prediction blue."""

    def difficulty(self, sample: dict[str, Any], prediction: Any) -> float:
        return abs(float(prediction) - 10)

    def draw(self, sample: dict[str, Any], prediction: Any, truth: bool = False) -> Any:
        return Image.new("RGB", (10 + int(sample["input"]), 20), COLOURS[truth])

    def texts(self, sample: dict[str, Any], prediction: Any) -> dict[str, str]:
        return {"<in>": f"{float(sample['input']):g} & more", "out": f"{float(prediction):g}"}

    def pictures(self, model: Any, batch: Any) -> dict[str, Any]:
        assert not model.training and not torch.is_grad_enabled()
        return {"portrait": Image.new("RGB", (len(batch["input"]), 3))}


def scoring() -> Scoring:
    """Numbers that a model leaves as they are: 9, 1, 10, 30, 12, in batches of two."""
    x = torch.tensor([[9.0], [1.0], [10.0], [30.0], [12.0]])
    task = Drawn()
    batches = make_batches(TensorSplit(input=x, target=x), 2, CPU, task.collate)
    return Scoring(Learner(nn.Identity(), task, nn.MSELoss()), {}, batches, "val", CPU)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    own = Folder(tmp_path / "lenet" / "3")
    own.path.mkdir(parents=True)
    own.commit({"classes.json": [json.dumps(["cat", "dog"]).encode()]})
    return own


def page(folder: Folder) -> str:
    return (folder.path / "report.html").read_text()


def test_the_worst_predictions_come_first(folder: Folder) -> None:
    """By hand: 30 is off by 20, 1 by 9, 12 by 2, 9 by 1."""
    write_run_report(folder, RESULTS, scoring(), 3)
    names = sorted(file.name for file in (folder.path / "pictures").glob("val-*"))
    assert names == ["val-00-sample-3.png", "val-01-sample-1.png", "val-02-sample-4.png"]
    assert "Of the first 5 samples of `val` the 3 worst, the worst first." in page(folder)
    assert page(folder).index("<td>30<") < page(folder).index("<td>1<") < page(folder).index("<td>12<")
    assert "<th>&lt;in&gt;<th>out" in page(folder) and "<td>30 &amp; more<td>30" in page(folder)


def test_truth_stands_to_the_left_of_the_prediction(folder: Folder) -> None:
    write_run_report(folder, RESULTS, scoring(), 1)
    with Image.open(folder.path / "pictures" / "val-00-sample-3.png") as picture:
        assert picture.size == (2 * 40 + 8, 20)
        pixels = [picture.getpixel((x, 10)) for x in (0, 39, 40, 47, 48, 87)]
    red, white, blue = (255, 0, 0), (255, 255, 255), (0, 0, 255)
    assert pixels == [red, red, white, white, blue, blue]
    assert "val-00-sample-3: truth, prediction" in page(folder)


def test_only_the_first_samples_are_looked_at(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the report says so: whole batches, until there are three samples."""
    monkeypatch.setattr(report, "LOOKED_AT", 3)
    write_run_report(folder, RESULTS, scoring(), 1)
    assert "Of the first 4 samples of `val` the 1 worst" in page(folder)


def test_without_pictures_there_is_the_model_alone(folder: Folder) -> None:
    write_run_report(folder, RESULTS, scoring(), 0)
    assert [file.name for file in (folder.path / "pictures").iterdir()] == ["portrait.png"]
    assert "worst" not in page(folder)
    with Image.open(folder.path / "pictures" / "portrait.png") as picture:
        assert picture.size == (2, 3)


def test_pictures_of_unequal_size_stand_side_by_side() -> None:
    sheet = side_by_side([Image.new("RGB", (3, 5), "red"), Image.new("RGB", (4, 9), "blue")])
    assert sheet.size == (3 + 8 + 4, 9)
    assert [sheet.getpixel(place) for place in ((2, 4), (2, 5), (5, 0), (11, 8))] == [
        (255, 0, 0), (255, 255, 255), (255, 255, 255), (0, 0, 255),
    ]  # fmt: skip


# Tables


def test_a_table_of_counts_has_the_truth_in_its_rows(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What matplotlib is given, beside the table: shares of each row, counts at (column, row), names of classes."""
    from matplotlib.axes import Axes

    given: dict[str, Any] = {"texts": {}}
    imshow, text, ticks = Axes.imshow, Axes.text, Axes.set_yticklabels

    def imshow_noted(axes: Axes, values: Any, **keywords: Any) -> Any:
        given["shares"] = values
        return imshow(axes, values, **keywords)

    def text_noted(axes: Axes, x: float, y: float, shown: str, **keywords: Any) -> Any:
        given["texts"][x, y] = shown, keywords.get("color")
        return text(axes, x, y, shown, **keywords)

    def ticks_noted(axes: Axes, labels: Any, **keywords: Any) -> Any:
        given["labels"], given["axes"] = labels, (axes.get_xlabel(), axes.get_ylabel())
        return ticks(axes, labels, **keywords)

    monkeypatch.setattr(Axes, "imshow", imshow_noted)
    monkeypatch.setattr(Axes, "text", text_noted)
    monkeypatch.setattr(Axes, "set_yticklabels", ticks_noted)
    tables = {"val/confusion": [[3, 1], [0, 2]], "val/long": [1, 2, 3], "val/broad": [[1, 2, 3], [4, 5, 6]]}
    write_run_report(folder, {**RESULTS, "tables": tables}, scoring(), 0)
    assert given["shares"] == [[0.75, 0.25], [0, 1]]
    assert {place: shown for place, (shown, _) in given["texts"].items()} == {
        (0, 0): "3", (1, 0): "1", (0, 1): "0", (1, 1): "2",
    }  # fmt: skip
    assert [given["texts"][place][1] for place in ((0, 0), (1, 0))] == ["white", "black"]
    assert given["labels"] == ["cat", "dog"]
    assert given["axes"] == ("predicted", "truth")
    assert sorted(file.name for file in (folder.path / "pictures").iterdir()) == ["portrait.png", "val-confusion.png"]


def test_a_class_without_samples_has_an_empty_row(folder: Folder) -> None:
    write_run_report(folder, {**RESULTS, "tables": {"val/confusion": [[0, 0], [0, 2]]}}, scoring(), 0)
    assert (folder.path / "pictures" / "val-confusion.png").exists()


# Curves


@pytest.fixture
def plots(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    drawn: dict[str, Any] = {}

    def plot(title: str, series: Any) -> bytes:
        drawn[title] = series
        return b"png"

    monkeypatch.setattr(report, "_plot", plot)
    return drawn


EVENTS = [
    {"step": 2, "epoch": 1, "lr": 0.1, "train/loss": 3.0},
    {"step": 4, "epoch": 1, "val/loss": 2.0, "val/accuracy": 0.5},
    {"step": 6, "epoch": 2, "lr": 0.1, "train/loss": 1.0, "train/loss_part": 0.5},
]


def test_losses_and_other_figures_have_a_plot_each(folder: Folder, plots: dict[str, Any]) -> None:
    for event in EVENTS:
        folder.log.append(event)
    write_run_report(folder, RESULTS, scoring(), 0)
    assert plots == {
        "loss": {"train/loss": [(2, 3.0), (6, 1.0)], "train/loss_part": [(6, 0.5)], "val/loss": [(4, 2.0)]},
        "figures": {"val/accuracy": [(4, 0.5)]},
    }


@pytest.mark.parametrize(
    ("title", "values", "scale"),
    [("loss", [100.0, 1.0], "log"), ("loss", [100.0, 3.0], "linear"), ("loss", [100.0, 0.0], "linear"),
     ("figures", [100.0, 1.0], "linear")],
)  # fmt: skip
def test_losses_that_fall_far_are_drawn_on_a_log_scale(
    monkeypatch: pytest.MonkeyPatch, title: str, values: list[float], scale: str
) -> None:
    from matplotlib.figure import Figure

    scales = []
    original = Figure.savefig

    def noted(figure: Figure, *arguments: Any, **keywords: Any) -> None:
        scales.append(figure.axes[0].get_yscale())
        original(figure, *arguments, **keywords)

    monkeypatch.setattr(Figure, "savefig", noted)
    picture = report._plot(title, {"a": list(enumerate(values))})
    assert scales == [scale]
    with Image.open(io.BytesIO(picture)) as image:
        assert image.format == "PNG"


# The page


def test_the_page_shows_figures_beside_baselines_and_whether_bounds_are_met(folder: Folder) -> None:
    results = {
        "figures": {"val/<b>": 0.123456, "val/other": 2.0},
        "baselines": {"val/<b>": {"majority <class>": 0.25, "mean": 0.5}},
        "expect": {"val/<b>": {"value": 0.12, "met": True}, "val/other": {"value": 2.0, "met": False}},
        "steps": 40,
        "best_step": 20,
        "unheard": "of",
    }
    write_report(folder, results, [("val-loss", b"abc")], [], "a <note>")
    text = page(folder)
    assert "<tr><td>val/&lt;b&gt;<td>0.1235<td>majority &lt;class&gt; 0.25, mean 0.5" in text
    assert "<tr><td>val/other<td>2<td>" in text
    assert "<li class=met>val/&lt;b&gt;: 0.12 (met)" in text and "<li class=missed>val/other: 2.0 (missed)" in text
    assert "<tr><td>steps<td>40" in text and "<tr><td>best step<td>20" in text and "unheard" not in text
    assert "<p>a &lt;note&gt;</p>" in text
    assert "<h1>lenet/3</h1>" in text
    assert "<img src='data:image/png;base64,YWJj' alt='val-loss'><figcaption>val-loss<" in text
    assert "http" not in text
    assert (folder.path / "pictures" / "val-loss.png").read_bytes() == b"abc"
