"""What `[train]` can ask for, continued: when a run evaluates, what it keeps, when it ends, and when it refuses to."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from tests.zoo.probe_parts import Bells
from tests.zoo.training import RECIPE, Recorder, left, resume, run, weights
from zoo import InputError, RunFailed
from zoo.jobs.score import score
from zoo.runs.folder import Folder

pytestmark = pytest.mark.usefixtures("probe_parts")

PER_EPOCH = 5


def scripted(*values: float | str) -> dict[str, Any]:
    """Evaluations with these figures, the good ones large."""
    return {"eval.metrics": [{"name": "scripted", "values": list(values)}], "train.monitor": "val/scripted"}


def weights_after(out: Path, epochs: int) -> dict[str, torch.Tensor]:
    run(out, epochs=epochs, keep="last")
    return weights(out)


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(tensor, second[name]) for name, tensor in first.items())


# Evaluations


@pytest.mark.parametrize(
    ("train", "steps"),
    [
        ({}, [5, 10, 15]),
        ({"evaluate_every_epochs": 2}, [10, 15]),
        ({"evaluate_every_steps": 4}, [4, 8, 12, 15]),
        ({"evaluate_every_steps": 100}, [15]),
        ({"evaluate_every_steps": 15}, [15]),
    ],
)
def test_evaluations_come_as_asked_and_at_the_end(tmp_path: Path, train: dict[str, Any], steps: list[int]) -> None:
    """And they change nothing: the weights at the end are the same."""
    run(tmp_path / "run", listener=(listener := Recorder()), epochs=3, keep="last", **train)
    assert [step for step, _ in listener.evaluations] == steps
    assert same(weights(tmp_path / "run"), weights_after(tmp_path / "plain", 3))


def test_a_figure_is_the_mean_over_samples(tmp_path: Path) -> None:
    """However the batches fall: 64 samples in batches of 10, or in one."""
    figures = [run(tmp_path / str(size), {"eval.batch_size": size})["figures"]["val/loss"] for size in (10, 64)]
    assert figures[0] == pytest.approx(figures[1], rel=1e-6)


def test_the_log_has_the_mean_loss_of_the_steps_since_the_last_line(tmp_path: Path) -> None:
    run(tmp_path, listener=(listener := Recorder()), log_every_steps=3)
    losses = [step.loss.item() for step in listener.steps]
    logged = {event["step"]: event["train/loss"] for event in Folder(tmp_path).log.events() if "train/loss" in event}
    assert list(logged) == [3, 5, 6, 9, 10]  # before an evaluation there is a line too
    for start, end in ((0, 3), (3, 5), (5, 6), (6, 9), (9, 10)):
        assert logged[end] == pytest.approx(sum(losses[start:end]) / (end - start))


def test_a_part_is_logged_as_the_mean_over_the_steps_that_had_it(tmp_path: Path) -> None:
    """And `loss_odd` is not called `loss_loss_odd`."""
    run(tmp_path, {"loss": "taking_turns"}, listener=(listener := Recorder()), log_every_steps=5)
    losses = [step.loss.item() for step in listener.steps[:5]]
    event = next(event for event in Folder(tmp_path).log.events() if event["step"] == 5 and "train/loss" in event)
    assert event["train/loss_odd"] == pytest.approx((losses[0] + losses[2] + losses[4]) / 3)
    assert event["train/loss_even"] == pytest.approx((losses[1] + losses[3]) / 2)


# What is kept


@pytest.mark.parametrize(("seconds", "first"), [(1e-9, 8), (1000.0, 6)])
def test_checkpoints_between_evaluations(tmp_path: Path, seconds: float, first: int) -> None:
    """After step 7 a run is lost; it goes on after that step, or after the evaluation before it."""

    def fail(number: int) -> None:
        if number == 8:
            raise RunFailed("lost")

    run(tmp_path / "unbroken")
    with pytest.raises(RunFailed):
        run(tmp_path / "lost", listener=Recorder(fail), checkpoint_every_seconds=seconds)
    resume(tmp_path / "lost", listener := Recorder())
    assert listener.steps[0].number == first
    assert left(tmp_path / "lost") == left(tmp_path / "unbroken")


@pytest.mark.parametrize(
    ("values", "train", "best"),
    [
        ((0.1, 0.9, 0.5), {}, 2),
        ((0.1, 0.9, 0.5), {"mode": "min"}, 1),
        ((0.1, 0.9, 0.5), {"keep": "last"}, 3),
        ((0.5, 0.5, 0.5), {}, 1),
        ((0.5, 0.5, 0.5), {"mode": "min"}, 1),
        (("nan", 0.2, 0.1), {}, 2),
        ((0.3, "nan", 0.1), {}, 1),
    ],
)
def test_the_weights_of_the_best_or_the_last_evaluation(
    tmp_path: Path, values: tuple[float, ...], train: dict[str, Any], best: int
) -> None:
    """And the figures beside them are those of the same evaluation."""
    results = run(tmp_path / "run", scripted(*values), epochs=3, **train)
    assert same(weights(tmp_path / "run"), weights_after(tmp_path / "plain", best))
    assert results["figures"]["val/scripted"] == values[best - 1]


def test_patience_ends_a_run(tmp_path: Path) -> None:
    values = (0.5, 0.4, 0.6, 0.6, 0.5, 0.9)
    for patience, epochs in ((1, 2), (2, 5), (3, 6)):
        results = run(tmp_path / str(patience), scripted(*values), epochs=6, patience=patience)
        assert results["steps"] == epochs * PER_EPOCH


def test_a_monitored_figure_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"`val/acuracy` is monitored.*\n  help: .*val/loss"):
        run(tmp_path, monitor="val/acuracy")


@pytest.mark.parametrize(
    ("values", "mode", "rates"),
    [
        ((0.5, 0.6, 0.7), "max", (0.1, 0.1, 0.1)),
        ((0.7, 0.6, 0.5), "max", (0.1, 0.1, 0.01)),
        ((0.5, 0.6, 0.7), "min", (0.1, 0.1, 0.01)),
        ((0.7, 0.6, 0.5), "min", (0.1, 0.1, 0.1)),
    ],
)
def test_a_plateau_follows_the_monitored_figure(
    tmp_path: Path, values: tuple[float, ...], mode: str, rates: tuple[float, ...]
) -> None:
    """The rate of each epoch, by hand: cut once the figure has got worse, in whichever direction that is."""
    settings = {**scripted(*values), "schedule": {"name": "plateau", "patience": 0, "factor": 0.1}}
    run(tmp_path, settings, listener := Recorder(), epochs=3, mode=mode)
    assert [step.lr for step in listener.steps] == pytest.approx([rate for rate in rates for _ in range(PER_EPOCH)])


def test_a_time_limit_ends_a_run_as_if_it_were_done(tmp_path: Path) -> None:
    results = run(tmp_path, epochs=1_000_000, time_limit=0.3)
    assert 0.3 <= results["seconds"] < 10
    assert 0 < results["steps"] < 5_000_000
    assert Folder(tmp_path).log.events()[-1]["step"] == results["steps"]  # evaluated last


# Losses that are not finite


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_names_its_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: float) -> None:
    """The run stops, and what was saved before is as it was: the weights and a checkpoint to go on from."""
    calls: list[int] = []

    def spoil(outputs: torch.Tensor) -> None:
        calls.append(torch.is_grad_enabled())
        if sum(calls) == 8 and calls[-1]:
            outputs.data.fill_(bad)

    run(tmp_path / "good")
    monkeypatch.setattr(Bells, "loss", spoil)
    with pytest.raises(RunFailed, match=r"the loss is (nan|inf) at step 8 \(epoch 2, batch 3 of 5\)"):
        run(tmp_path / "bad")
    monkeypatch.setattr(Bells, "loss", None)
    assert same(weights(tmp_path / "bad"), weights_after(tmp_path / "plain", 1))
    resume(tmp_path / "bad")
    assert left(tmp_path / "bad") == left(tmp_path / "good")


def test_weights_that_are_not_finite_are_never_saved(tmp_path: Path) -> None:
    """The loss of the epoch's last step is finite, its gradient is not: only the next loss would show it."""
    settings = {"loss": {"name": "broken_gradient", "after": 9}}
    with pytest.raises(RunFailed, match=r"weights are not finite after step 10: body\.weight"):
        run(tmp_path / "bad", settings)
    assert same(weights(tmp_path / "bad"), weights_after(tmp_path / "plain", 1))


# Memory


@pytest.mark.parametrize(
    "error",
    [MemoryError(), torch.OutOfMemoryError("out"), RuntimeError("DefaultCPUAllocator: can't allocate memory: 8 bytes")],
)
def test_where_memory_runs_out_half_a_batch_is_advised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(outputs: torch.Tensor) -> None:
        raise error

    monkeypatch.setattr(Bells, "loss", fail)
    help = r"train\.batch_size=8 train\.accumulate=6 needs half of it"
    with pytest.raises(RunFailed, match=rf"memory ran out with batches of 16\n.*{help}"):
        run(tmp_path / "run", accumulate=3)
    monkeypatch.setattr(Bells, "loss", lambda outputs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(tmp_path / "other")


# The check at the end


@pytest.mark.parametrize("model", ["random_in_evaluation", "state_outside"])
def test_a_model_that_is_not_what_was_saved_fails_the_run(tmp_path: Path, model: str) -> None:
    with pytest.raises(RunFailed, match="the saved weights do not score as the model did"):
        run(tmp_path, {"model": model})
    assert not (tmp_path / "results.json").exists()


# Starting from weights


def test_init_starts_from_saved_weights(tmp_path: Path) -> None:
    """One step at a rate of nearly 0 leaves what it started from; assets and components come along."""
    run(tmp_path / "first")
    run(tmp_path / "second", {"init.from": str(tmp_path / "first"), "optimizer.lr": 1e-30}, seed=9)
    assert same(weights(tmp_path / "second"), weights(tmp_path / "first"))


def test_init_from_damaged_weights_is_refused(tmp_path: Path) -> None:
    run(tmp_path / "first")
    (tmp_path / "first" / "weights.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(RunFailed, match=r"weights\.safetensors is damaged"):
        run(tmp_path / "second", {"init.from": str(tmp_path / "first")})
    with pytest.raises(InputError, match="is no run folder"):
        run(tmp_path / "third", {"init.from": str(tmp_path / "absent")})


def test_a_recipe_of_init_and_eval_alone(tmp_path: Path) -> None:
    """Scores saved weights with the components of their own run, and leaves a folder that predicts."""
    trained = run(tmp_path / "first")
    recipe = tmp_path / "score.toml"
    recipe.write_text(f'[init]\nfrom = "{tmp_path / "first"}"\n[eval]\nsplit = "val"\npictures = 0\n')
    results = zoo.run(recipe, out=tmp_path / "scored")
    assert results["figures"] == trained["figures"] == score(tmp_path / "first")["figures"]
    assert same(weights(tmp_path / "scored"), weights(tmp_path / "first"))
    predictions = [zoo.load(tmp_path / name, "cpu").predict("0.5")["value"] for name in ("first", "scored")]
    assert predictions[0] == pytest.approx(predictions[1], abs=0.05)  # it has no [train], so its precision is `auto`
    with pytest.raises(InputError, match="complete"):
        resume(tmp_path / "scored")


def test_a_dry_run_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert zoo.run(RECIPE, dry_run=True)["steps"] == 1
    assert list(tmp_path.iterdir()) == []


def test_compile_compiles_model_task_and_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Traced by the compiler, and run without generated code, which takes a minute to make; test_cuda has that."""
    traced = []
    compile = torch.nn.Module.compile

    def through_eager(model: torch.nn.Module) -> None:
        traced.append(type(model).__name__)
        compile(model, backend="eager")

    monkeypatch.setattr(torch.nn.Module, "compile", through_eager)
    run(tmp_path / "compiled", compile=True)
    run(tmp_path / "plain")
    assert traced == ["Learner"]
    for name, tensor in weights(tmp_path / "compiled").items():
        torch.testing.assert_close(tensor, weights(tmp_path / "plain")[name])
