"""Series that go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

import zoo as zoo_package
from tests.conftest import Command
from zoo import InputError
from zoo_seq.forecasting.metrics import StepError
from zoo_seq.forecasting.series import series_data
from zoo_seq.forecasting.series_csv import series_csv
from zoo_seq.forecasting.sine import sine
from zoo_seq.forecasting.task import roll_out


def test_a_window_and_what_follows() -> None:
    data = series_data(torch.arange(300.0), 3, 0.4)
    mean, deviation = (data.assets["scale"][name] for name in ("mean", "deviation"))
    train, val = data.splits["train"].tensors, data.splits["val"].tensors
    assert (train["input"][0] * deviation + mean).tolist() == pytest.approx([0, 1, 2], abs=1e-3)
    assert (train["target"][-1] * deviation + mean).item() == pytest.approx(179, abs=1e-3)
    assert (val["future"][0] * deviation + mean)[:3].tolist() == pytest.approx([183, 184, 185], abs=1e-3)
    assert torch.equal(val["future"][:, :1], val["target"])


class LastPlusOne(nn.Module):
    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
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


@pytest.mark.parametrize("values", [torch.ones(500), torch.arange(100.0)], ids=["flat", "short"])
def test_a_series_that_will_not_do(values: torch.Tensor) -> None:
    with pytest.raises(InputError, match=r"all the same|too few"):
        series_data(values, 4, 0.4)


@pytest.mark.parametrize(
    ("text", "message"),
    [("a,b\n1,2\n", "no column `x`"), ("", "no row"), ("x\n1\n\nhello\n", "line 4: `hello` is no number")],
)
def test_a_csv_file_that_will_not_do(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "series.csv"
    file.write_text(text)
    with pytest.raises(InputError) as failed:
        series_csv(str(file), "x")
    assert message in f"{failed.value} {failed.value.help}"


def test_a_column_is_a_series(tmp_path: Path) -> None:
    file = tmp_path / "series.csv"
    file.write_text("x\n" + "\n".join(map(str, range(300))))
    assert len(series_csv(str(file), "x").splits["train"]) == 176
    assert len(sine(500, tau=8).splits["train"]) == 292


def test_small_changes_of_large_numbers_are_kept() -> None:
    """Seconds since 1970, say: fp32 has steps of 128 there."""
    values = 1.7e9 + 20 * torch.sin(torch.arange(400, dtype=torch.float64) / 10)
    scaled = series_data(values, 4, 0.4).splits["train"].tensors["input"]
    assert scaled.dtype == torch.float32
    torch.testing.assert_close(scaled, series_data(values - 1.7e9, 4, 0.4).splits["train"].tensors["input"])


def test_a_run_goes_on_with_numbers(tmp_path: Path, zoo: Command) -> None:
    zoo_package.run("sine", {"train.epochs": 2, "dataset.tau": 4}, quick=True, out=tmp_path / "run")
    assert (tmp_path / "run" / "pictures" / "forecasts.png").exists()
    found = json.loads(zoo("predict", tmp_path / "run", "0.1, 0.2, 0.3, 0.4, 0.5", "--set", "steps=3").stdout)
    assert len(found["next"]) == 3
    assert zoo("predict", tmp_path / "run", "0.1, x").status == 2
    assert zoo("eval", tmp_path / "run", "--split", "train").stdout.count("error_") == 1  # a step ahead is known
    refused = zoo("run", "sine", "train.folds=2", "--out", tmp_path / "folds")
    assert refused.status == 2 and "cannot be cross-validated" in refused.stderr
