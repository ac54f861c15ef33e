"""Series that go on: numbers worked out by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import zoo as zoo_package
from tests.conftest import Command
from zoo import InputError
from zoo_seq.forecasting.ar_mlp import AutoregressiveMLP
from zoo_seq.forecasting.metrics import StepError
from zoo_seq.forecasting.series import series_data
from zoo_seq.forecasting.series_csv import series_csv
from zoo_seq.forecasting.sine import sine
from zoo_seq.forecasting.task import Forecasting, roll_out


def test_a_window_and_what_follows() -> None:
    """Of 300 numbers, three back: 180 to train on, which no held-out window looks into, nor the other way round."""
    data = series_data(torch.arange(300.0), 3, 0.4)
    mean, deviation = (data.assets["scale"][name] for name in ("mean", "deviation"))
    train, val = data.splits["train"].tensors, data.splits["val"].tensors
    numbers = {
        (split, name): (part[name] * deviation + mean).round().int().tolist()
        for split, part in (("train", train), ("val", val))
        for name in part
    }
    assert numbers["train", "input"] == [[start, start + 1, start + 2] for start in range(177)]
    assert numbers["train", "target"] == [[start + 3] for start in range(177)]
    starts = range(180, 300 - 3 - 64 + 1)
    assert numbers["val", "input"] == [[start, start + 1, start + 2] for start in starts]
    assert numbers["val", "future"] == [list(range(start + 3, start + 67)) for start in starts]
    assert torch.equal(val["future"][:, :1], val["target"])
    assert data.facts == {"num_inputs": 3, "num_outputs": 1} and data.assets["scale"]["tau"] == 3


def test_the_scale_is_that_of_what_is_trained_on() -> None:
    """What is held out is a thousand times as large, and nothing of it is seen."""
    values = torch.cat([torch.tensor([1.0, 5.0]).repeat(90), torch.full((120,), 3000.0)])
    data = series_data(values, 3, 0.4)
    assert data.assets["scale"]["mean"] == pytest.approx(3)
    assert data.assets["scale"]["deviation"] == pytest.approx(2 * math.sqrt(180 / 179))
    assert data.splits["val"].tensors["input"][0].tolist() == pytest.approx([2997 / 2] * 3, rel=1e-2)


@pytest.mark.parametrize(("size", "enough"), [(170, True), (168, False)])
def test_how_few_numbers_will_do(size: int, enough: bool) -> None:
    """A window of 4 and 64 ahead are 68 numbers, here 40%."""
    values = torch.arange(float(size))
    if enough:
        assert len(series_data(values, 4, 0.4).splits["val"]) == 1
        return
    with pytest.raises(InputError, match="168 numbers are too few: 101 to train on"):
        series_data(values, 4, 0.4)


def test_one_number_more_than_a_window_is_enough_to_train_on() -> None:
    """5 of 74, four back; with 4 of 73 there is no next one."""
    values = torch.arange(74.0)
    assert len(series_data(values, 4, 69 / 74).splits["train"]) == 1
    with pytest.raises(InputError, match="4 to train on, where more than 4 are needed"):
        series_data(values[1:], 4, 69 / 73)


class LastPlusOne(nn.Module):
    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        assert numbers.shape[1] == 2
        return numbers[:, -1:] + 1


def test_forecasts_are_made_from_forecasts() -> None:
    assert roll_out(LastPlusOne(), torch.tensor([[5.0, 6.0]]), 4).tolist() == [[7, 8, 9, 10]]


def test_errors_by_steps_ahead() -> None:
    metric = StepError()
    truth = torch.zeros(4, 64)
    for rows in truth.split(2):
        metric.update(rows + torch.arange(1.0, 65), rows)
    assert {name: float(value) for name, value in metric.compute().items()} == {
        "error_1": 1, "error_4": 4, "error_16": 16, "error_64": 64,
    }  # fmt: skip


def test_errors_are_roots_of_means_of_squares() -> None:
    """By hand: of 1, 1 and 5 the root of 9; of batches of two and one; three steps ahead and no more."""
    metric = StepError()
    for errors in ([[1.0, 0, 0], [1.0, 0, 0]], [[5.0, 0, 0]]):
        metric.update(torch.tensor(errors), torch.zeros(len(errors), 3))
    assert {name: float(value) for name, value in metric.compute().items()} == {"error_1": 3}
    metric.reset()
    metric.update(torch.tensor([[1.0, 2, 3, 7]]), torch.tensor([[1.0, 2, 3, 4]]))
    assert {name: float(value) for name, value in metric.compute().items()} == {"error_1": 0, "error_4": 3}


@pytest.mark.parametrize("half_life", [None, 1.0, 2.0])
def test_the_past_fades_by_halves(half_life: float | None) -> None:
    """By hand: the nearest number counts as it is, one that is a half-life further back half."""
    model = AutoregressiveMLP(4, widths=(), half_life=half_life)
    weights = {None: [1.0] * 4, 1.0: [0.125, 0.25, 0.5, 1.0], 2.0: [2**-1.5, 0.5, 2**-0.5, 1.0]}[half_life]
    assert model.weights.tolist() == pytest.approx(weights)
    (layer,) = model.layers
    numbers = torch.arange(1.0, 5.0)
    expected = (layer.weight[0] * numbers * torch.tensor(weights)).sum() + layer.bias
    torch.testing.assert_close(model(numbers[None])[0], expected)
    assert list(model.state_dict()) == ["layers.0.weight", "layers.0.bias"]


def test_a_perceptron_has_the_layers_that_are_asked_for() -> None:
    for widths, types in (((), []), ((7,), [nn.Linear, nn.ReLU]), ((7, 3), [nn.Linear, nn.ReLU] * 2)):
        model = AutoregressiveMLP(4, widths)
        assert [type(layer) for layer in model.layers] == [*types, nn.Linear]
        sizes = [layer.weight.shape for layer in model.layers if isinstance(layer, nn.Linear)]
        assert sizes == [(out, before) for before, out in zip((4, *widths), (*widths, 1), strict=True)]
    assert [layer.out_features for layer in AutoregressiveMLP(4).layers[::2]] == [10, 10, 1]  # type: ignore[union-attr]


# Data


@pytest.mark.parametrize("values", [torch.ones(500), torch.arange(100.0)], ids=["flat", "short"])
def test_a_series_that_will_not_do(values: torch.Tensor) -> None:
    with pytest.raises(InputError, match=r"all the same|too few"):
        series_data(values, 4, 0.4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "no column `x`"),
        ("", "no row"),
        ("x\n1\n\nhello\n", "line 4: `hello` is no number"),
        ("x,y\n1,2\n,3\n", "line 3: `` is no number"),
        ("x\n1\ninf\n", "line 3: `inf` is no number"),
        ("x\n1\nnan\n", "line 3: `nan` is no number"),
    ],
)
def test_a_csv_file_that_will_not_do(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "series.csv"
    file.write_text(text)
    with pytest.raises(InputError) as failed:
        series_csv(str(file), "x")
    assert message in f"{failed.value} {failed.value.help}"
    with pytest.raises(InputError, match="cannot be read"):
        series_csv(str(tmp_path / "nothing.csv"), "x")


def test_a_column_is_a_series(tmp_path: Path) -> None:
    """In the order of its rows, with what is asked for; Excel's mark at the start is no part of a name."""
    file = tmp_path / "series.csv"
    file.write_text("\ufeffx,y\n" + "\n".join(f"{1.7e9 + number},0" for number in range(300)), encoding="utf-8")
    data = series_csv(str(file), "x")
    assert len(data.splits["train"]) == 176
    data = series_csv(str(file), "x", tau=6, held_out=0.5)
    scale, train = data.assets["scale"], data.splits["train"].tensors["input"]
    assert train.shape == (144, 6) and scale["mean"] == pytest.approx(1.7e9 + 74.5, abs=0.01)
    numbers = train[3].double() * scale["deviation"] + scale["mean"] - 1.7e9
    assert numbers.tolist() == pytest.approx([3, 4, 5, 6, 7, 8], abs=0.1)


def test_a_sine_wave_is_the_books() -> None:
    """sin(0.01 t) for t from 1; noise of a deviation of its own, the same by the same seed."""

    def values(**more: Any) -> torch.Tensor:
        data = sine(**{"size": 1000, "tau": 1, **more})
        scale = data.assets["scale"]
        return data.splits["train"].tensors["input"][:, 0] * scale["deviation"] + scale["mean"]

    time = torch.arange(1, 600)
    plain = values(noise=0.0)
    torch.testing.assert_close(plain, torch.sin(0.01 * time), atol=1e-4, rtol=1e-4)
    assert (values(noise=0.5) - plain).std().item() == pytest.approx(0.5, rel=0.1)
    assert (values() - plain).std().item() == pytest.approx(0.2, rel=0.1)
    assert torch.equal(values(seed=1), values(seed=1)) and not torch.equal(values(seed=1), values(seed=2))
    assert len(sine(500, tau=8).splits["train"]) == 292
    assert len(sine(500, tau=8, held_out=0.5).splits["train"]) == 242


def test_small_changes_of_large_numbers_are_kept() -> None:
    """Seconds since 1970, say: fp32 has steps of 128 there."""
    values = 1.7e9 + 20 * torch.sin(torch.arange(400, dtype=torch.float64) / 10)
    scaled = series_data(values, 4, 0.4).splits["train"].tensors["input"]
    assert scaled.dtype == torch.float32
    torch.testing.assert_close(scaled, series_data(values - 1.7e9, 4, 0.4).splits["train"].tensors["input"])


# The task

SCALE = {"mean": 10.0, "deviation": 2.0, "tau": 2}


def test_a_raw_series_is_scaled_and_its_forecast_is_scaled_back() -> None:
    """By hand: the last two of three numbers less 10, by 2; a forecast times 2 and 10 more."""
    task = Forecasting(SCALE, steps=3)
    sample = task.sample("[8, 12, 16]")
    assert sample["input"].tolist() == [1, 3]
    found = task.predict(LastPlusOne(), {"input": sample["input"][None]})
    assert found.tolist() == [[4, 5, 6]]
    assert task.describe(sample, found[0]) == {"next": [18, 20, 22]}
    assert task.describe(sample, torch.tensor([1 / 3]))["next"] == [10.666667]
    for raw in ("8", "8, x", "8, inf", ""):
        with pytest.raises(InputError, match="is no series of 2 numbers or more"):
            task.sample(raw)


def test_forecasts_go_as_far_as_the_future_is_known() -> None:
    """Metrics compare all of it; of a training sample, one step."""
    task, batch = Forecasting(SCALE, steps=3), {"input": torch.tensor([[1.0, 2.0]]), "target": torch.tensor([[9.0]])}
    metric = StepError()
    task.update("error", metric, None, batch, None, task.predict(LastPlusOne(), batch))
    assert {name: float(value) for name, value in metric.compute().items()} == {"error_1": 6}
    held = {**batch, "future": torch.tensor([[3.0, 4, 5, 8, 7]])}
    forecast = task.predict(LastPlusOne(), held)
    metric.reset()
    task.update("error", metric, None, held, None, forecast)
    assert {name: float(value) for name, value in metric.compute().items()} == {"error_1": 0, "error_4": 2}
    assert task.difficulty({"future": held["future"][0]}, forecast[0]) == pytest.approx(4 / 5)
    assert task.difficulty({}, forecast[0]) == 0


def test_a_picture_shows_each_forecast_at_the_place_that_it_is_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """The series goes up by one, so all lines lie on what came: the k-th step from place i is the number i + k - 1."""
    from matplotlib.axes import Axes

    lines, plain = {}, Axes.plot

    def noted(self: Any, *values: Any, **more: Any) -> Any:
        lines[more["label"]] = values
        return plain(self, *values, **more)

    monkeypatch.setattr(Axes, "plot", noted)
    numbers = torch.arange(80.0)
    batch = {"input": numbers.unfold(0, 2, 1)[:70], "target": numbers[2:72, None]}
    picture = Forecasting(SCALE).pictures(LastPlusOne(), batch)["forecasts"]
    assert picture.size[0] > picture.size[1]
    assert lines.pop("what came")[0].tolist() == numbers[2:72].tolist()
    assert lines.keys() == {"1 ahead", "4 ahead", "16 ahead", "64 ahead"}
    for places, values in lines.values():
        assert (values - places).tolist() == [2] * 70


def test_a_run_goes_on_with_numbers(tmp_path: Path, zoo: Command) -> None:
    zoo_package.run("sine", {"train.epochs": 2, "dataset.tau": 4}, quick=True, out=tmp_path / "run")
    assert (tmp_path / "run" / "pictures" / "forecasts.png").exists()
    found = json.loads(zoo("predict", tmp_path / "run", "0.1, 0.2, 0.3, 0.4, 0.5", "--set", "steps=3").stdout)
    assert len(found["next"]) == 3
    assert zoo("predict", tmp_path / "run", "0.1, x").status == 2
    assert zoo("eval", tmp_path / "run", "--split", "train").stdout.count("error_") == 1  # a step ahead is known
    refused = zoo("folds", "sine", "--folds", "2", "--out", tmp_path / "folds")
    assert refused.status == 2 and "cannot be cross-validated" in refused.stderr
