"""What needs a GPU: bf16 and fp16, compiled models, deterministic mode, resuming there, and no wait in the loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from tests.zoo.test_resume import SETTINGS
from tests.zoo.training import Recorder, experiment, left, resume, run, stopped, stopped_again, stops_at, weights
from zoo.jobs.score import score
from zoo.training.loop import fit

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.usefixtures("probe_parts"),
    pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA GPU"),
]

ON_GPU = {"device": "cuda", "deterministic": True}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
def test_a_resumed_run_in_deterministic_mode_is_the_unbroken_one(tmp_path: Path, settings: dict[str, Any]) -> None:
    run(tmp_path / "unbroken", settings, **ON_GPU)
    stopped(tmp_path / "stopped", stops_at(1), settings, **ON_GPU)
    stopped_again(tmp_path / "stopped", stops_at(7))
    resume(tmp_path / "stopped")
    assert left(tmp_path / "stopped") == left(tmp_path / "unbroken")


def test_two_runs_in_deterministic_mode_are_one(tmp_path: Path) -> None:
    settings = {"model": "pictured", "dataset.in_memory": False}
    for name in ("first", "second"):
        run(tmp_path / name, settings, workers=2, channels_last=True, **ON_GPU)
    assert left(tmp_path / "first") == left(tmp_path / "second")


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_trains_like_fp32(tmp_path: Path, precision: str) -> None:
    """fp16 with its scaler, a resume in between; the weights stay fp32."""
    settings = {"optimizer.momentum": 0.9, "model.width": 32}
    full = run(tmp_path / "full", settings, epochs=10, **ON_GPU)
    stopped(tmp_path / "half", stops_at(12), settings, epochs=10, **{**ON_GPU, "precision": precision})
    half = resume(tmp_path / "half")
    assert half["precision"] == precision
    assert half["figures"]["val/loss"] == pytest.approx(full["figures"]["val/loss"], abs=0.05)
    assert {tensor.dtype for tensor in weights(tmp_path / "half").values()} == {torch.float32}
    assert score(tmp_path / "half", device="cuda")["figures"]["val/loss"] == pytest.approx(
        half["figures"]["val/loss"], rel=1e-3
    )


def test_auto_takes_bf16_where_the_gpu_has_it(tmp_path: Path) -> None:
    expected = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    assert run(tmp_path, device="auto", precision="auto")["precision"] == expected


def test_a_compiled_model_computes_the_same(tmp_path: Path) -> None:
    run(tmp_path / "compiled", compile=True, **ON_GPU)
    run(tmp_path / "plain", **ON_GPU)
    for name, tensor in weights(tmp_path / "compiled").items():
        torch.testing.assert_close(tensor, weights(tmp_path / "plain")[name], rtol=1e-3, atol=1e-4)


def test_weights_of_a_gpu_predict_on_a_cpu(tmp_path: Path) -> None:
    run(tmp_path, **ON_GPU)
    there, here = (zoo.load(tmp_path, device).predict("0.5")["value"] for device in ("cuda", "cpu"))
    assert there == pytest.approx(here, rel=1e-4)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_step_never_waits_for_the_device(accumulate: int) -> None:
    """torch itself raises at whatever would synchronise."""
    settings = {"optimizer.momentum": 0.9, "schedule": "cosine", "loss": "positives"}
    parts = experiment(settings, device="cuda", clip_norm=0.1, ema=0.9, warmup_steps=3, accumulate=accumulate)
    number = 4 if accumulate == 1 else 2
    steps = fit(parts.learner.train(), parts.batches, parts.update, steps=number, accumulate=accumulate)
    next(steps)  # the first fills caches, and the epoch's order goes to the device
    torch.cuda.set_sync_debug_mode("error")
    try:
        assert list(steps)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_memory_that_runs_out_is_a_failed_run_with_advice(tmp_path: Path) -> None:
    def exhaust(number: int) -> None:
        torch.empty(2**50, device="cuda")

    with pytest.raises(zoo.RunFailed, match=r"(?s)memory ran out with batches of 16.*train\.batch_size=8"):
        run(tmp_path, listener=Recorder(exhaust), device="cuda")
