"""Model, task and loss as one module: what each is given, what of it is trained, saved and taken up again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import zoo
from tests.zoo.conftest import Install
from tests.zoo.training import experiment, resume, run, stopped, stops_at, weights
from zoo import InputError, Task
from zoo.jobs.evaluate import evaluate
from zoo.jobs.score import score
from zoo.tasks import Losses
from zoo.training.batches import sample_of, to_device
from zoo.training.learner import Learner

PLUGIN = """
import torch
from torch import nn
from zoo import Data, Run, RunFolder, Task, dataset, hookimpl, loss, metric, model, task

class Scale(nn.Module):
    "A loss whose scale is trained."
    def __init__(self):
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(0.0))
        self.register_buffer("calls", torch.tensor(0))
    def forward(self, outputs, target):
        self.calls += self.training
        return (-self.log_scale).exp() * (outputs - target).square().mean() + self.log_scale

class Taught(nn.Module):
    "The error, and in training the distance from what a teacher says."
    def __init__(self, teacher: RunFolder):
        super().__init__()
        self.teacher = teacher
    def forward(self, outputs, target, batch):
        parts = {"hard": (outputs - target).square().mean()}
        if self.training:
            assert isinstance(self.teacher, Run)
            parts["soft"] = (outputs - self.teacher.outputs(batch)).square().mean()
        return parts

class Counting(Task):
    "A curve that is trained with a number of its own, and counts."
    loss = "mse"
    def __init__(self):
        super().__init__()
        self.register_buffer("steps", torch.tensor(0))
        self.shift = nn.Parameter(torch.tensor(0.0))
    def forward(self, model, batch):
        self.steps += self.training
        return model(batch["input"]) + self.shift
    def sample(self, raw):
        return {"input": torch.tensor([float(raw)])}
    def describe(self, sample, prediction):
        return {"value": prediction.item()}

class Slope:
    "The mean slope of the model: a metric that asks for model and batch, and for a gradient."
    higher_is_better = False
    def __init__(self):
        self.reset()
    def reset(self):
        self.slopes = []
    def update(self, predictions, target, model, batch):
        with torch.enable_grad():
            x = batch["input"].clone().requires_grad_()
            self.slopes.append(torch.autograd.grad(model(x).sum(), x)[0].mean())
    def compute(self):
        return torch.stack(self.slopes).mean()

@hookimpl
def zoo_components():
    here = __name__
    return [
        loss("scale", f"{here}:Scale", summary="."), loss("taught", f"{here}:Taught", summary="."),
        task("counting", f"{here}:Counting", like="curve", summary="."), metric("slope", f"{here}:Slope", summary="."),
    ]
"""


@pytest.fixture(autouse=True)
def plugin(install: Install) -> None:
    install(seam=PLUGIN)


pytestmark = pytest.mark.usefixtures("probe_parts")


def test_a_loss_s_own_parameters_are_trained_saved_and_scored_with(tmp_path: Path) -> None:
    """Against the closed form: the scale that is best for an error e is log e."""
    settings = {"loss": "scale", "train.keep": "last", "train.freeze": ["*"]}
    run(tmp_path / "long", settings, epochs=40)
    saved = weights(tmp_path / "long")
    assert {name for name in saved if ":" in name} == {"loss:log_scale", "loss:calls"}
    error = experiment(settings).data.splits["train"]
    model = zoo.load(tmp_path / "long", "cpu").model
    with torch.no_grad():
        mean = (model(error.tensors["input"]) - error.tensors["target"]).square().mean()
    assert saved["loss:log_scale"].item() == pytest.approx(mean.log().item(), abs=0.1)
    assert saved["loss:calls"] == 200
    assert score(tmp_path / "long")["figures"] == _json(tmp_path / "long" / "results.json")["figures"]


def test_loss_and_task_are_resumed(tmp_path: Path) -> None:
    settings = {"loss": "scale", "task": "counting"}
    run(tmp_path / "whole", settings)
    stopped(tmp_path / "halves", stops_at(4), settings)
    resume(tmp_path / "halves")
    whole, halves = weights(tmp_path / "whole"), weights(tmp_path / "halves")
    assert {"loss:log_scale", "loss:calls", "task:steps", "task:shift"} <= whole.keys()
    assert whole.keys() == halves.keys() and all(torch.equal(whole[name], halves[name]) for name in whole)
    assert whole["task:shift"] != 0 and whole["loss:log_scale"] != 0 and whole["task:steps"] > 4


def test_a_task_s_parameters_come_with_a_loaded_run(tmp_path: Path) -> None:
    run(tmp_path / "run", {"task": "counting"})
    loaded, saved = zoo.load(tmp_path / "run", "cpu"), weights(tmp_path / "run")
    plain = {name: tensor for name, tensor in saved.items() if ":" not in name}
    loaded.model.load_state_dict(plain)  # strict: the model's own names are as they were
    with torch.no_grad():
        expected = loaded.model(torch.tensor([[0.5]])).item() + saved["task:shift"].item()
    assert loaded.predict("0.5")["value"] == pytest.approx(expected)


def test_fine_tuning_takes_loss_and_task_over(tmp_path: Path) -> None:
    run(tmp_path / "first", {"loss": "scale"}, epochs=4)
    before = weights(tmp_path / "first")["loss:log_scale"]
    settings = {"init.from": str(tmp_path / "first"), "loss": "scale", "optimizer.lr": 1e-9}
    run(tmp_path / "second", settings, epochs=1)
    assert weights(tmp_path / "second")["loss:log_scale"].item() == pytest.approx(before.item(), abs=1e-6)


def test_a_teacher_is_given_in_training_only_and_its_weights_are_recorded(tmp_path: Path) -> None:
    """The soft part is among the training figures, and in no evaluation, whether of the run or of the folder."""
    run(tmp_path / "teacher", epochs=3)
    settings = {"loss": {"name": "taught", "teacher": str(tmp_path / "teacher")}}
    results = run(tmp_path / "student", settings)
    log = (tmp_path / "student" / "metrics.jsonl").read_text().splitlines()
    names = {name for line in log for name in json.loads(line)}
    assert {"train/loss_soft", "train/loss_hard", "val/loss_hard"} <= names and "val/loss_soft" not in names
    digest = _json(tmp_path / "teacher" / "manifest.json")["files"]["weights.safetensors"]["sha256"]
    assert _json(tmp_path / "student" / "environment.json")["runs"] == {str(tmp_path / "teacher"): digest}
    assert not any(":" in name for name in weights(tmp_path / "student"))  # the teacher is not the student's
    (tmp_path / "teacher").rename(tmp_path / "moved")
    assert score(tmp_path / "student")["figures"] == pytest.approx(results["figures"])
    assert zoo.load(tmp_path / "student", "cpu").predict("0.5")["value"] is not None


def test_another_teacher_is_noticed_on_resume(tmp_path: Path) -> None:
    run(tmp_path / "teacher", epochs=1)
    settings = {"loss": {"name": "taught", "teacher": str(tmp_path / "teacher")}}
    stopped(tmp_path / "student", stops_at(3), settings)
    (tmp_path / "teacher").rename(tmp_path / "before")
    run(tmp_path / "teacher", epochs=2)
    with pytest.raises(InputError, match=r"is not the run that .*student was begun with"):
        resume(tmp_path / "student")
    (tmp_path / "teacher").rename(tmp_path / "other")
    (tmp_path / "before").rename(tmp_path / "teacher")
    resume(tmp_path / "student")


def test_a_given_run_has_no_gradients_and_is_in_evaluation_mode(tmp_path: Path) -> None:
    run(tmp_path / "teacher", epochs=1)
    teacher = experiment({"loss": {"name": "taught", "teacher": str(tmp_path / "teacher")}}).learner.loss.teacher
    assert not any(param.requires_grad for param in teacher.model.parameters())
    assert not any(module.training for module in teacher.model.modules())
    assert not teacher.outputs({"input": torch.ones(2, 1)}).requires_grad


def test_a_metric_may_ask_for_the_model_and_a_gradient() -> None:
    """Against the slope of the network by finite differences."""
    parts = experiment({"eval.metrics": ["slope"], "train.monitor": "val/loss"})
    slope = evaluate(parts.scoring)["val/slope"]
    x = parts.data.splits["val"].tensors["input"].double()
    model = parts.model.double()
    with torch.no_grad():
        expected = (model(x + 1e-6) - model(x - 1e-6)).mean() / 2e-6
    assert slope == pytest.approx(expected.item(), rel=1e-4)


def test_a_task_is_told_which_metric_it_updates() -> None:
    class Named(Task):
        def update(self, name: str, metric: Any, model: Any, batch: Any, outputs: Any, predictions: Any) -> None:
            seen.append((name, predictions is outputs, model))

    seen: list[tuple[Any, ...]] = []
    parts = experiment({"eval.metrics": [{"name": "mean_squared_error", "as": "twice"}]})
    parts.scoring.learner.task = Named()
    evaluate(parts.scoring, limit=1)
    assert seen == [("twice", True, parts.model)]


def test_a_task_that_is_like_another_takes_its_components(write: Callable[..., Path]) -> None:
    """`curve` is what the stranger's model and dataset serve."""
    from zoo.recipes.check import check
    from zoo.recipes.recipe import load_recipe
    from zoo.registry.catalog import Catalog

    text = 'task = "{}"\nmodel = "tiny_mlp"\ndataset = "sine_curve"\noptimizer = "sgd"\n[train]\nepochs = 1'
    assert not check(load_recipe(write("a.toml", text.format("counting"))), Catalog())
    codes = [problem.code for problem in check(load_recipe(write("b.toml", text.format("regression"))), Catalog())]
    assert codes == ["task-mismatch", "task-mismatch"]


def test_only_tasks_are_like_others() -> None:
    with pytest.raises(TypeError, match="`like` is for tasks"):
        zoo.model("net", "m:Net", like="curve")


class Own(Task):
    """A model that makes its own losses."""

    def losses(self, model: Any, loss: Any, batch: Any) -> Any:
        values = {"first": (model(batch["input"]).mean(), 3), "second": model(batch["input"]).square().mean()}
        return values, {"second": torch.tensor(2.0)}, None


def test_a_task_may_make_the_losses_and_say_what_they_are_means_over() -> None:
    scored = Learner(nn.Identity(), Own(), None)({"input": torch.tensor([1.0, 3.0])})
    assert {name: value.item() for name, value in scored.values.items()} == {"first": 2.0, "second": 5.0}
    assert {name: float(count) for name, count in scored.counts.items()} == {"first": 3, "second": 2}


@pytest.mark.parametrize("counts", [None, {}])
def test_what_is_not_said_is_a_mean_over_the_samples(counts: Any) -> None:
    class Silent(Task):
        def losses(self, model: Any, loss: Any, batch: Any) -> Losses:
            return Losses(batch["input"].mean(), counts, None)

    scored = Learner(nn.Identity(), Silent(), None)({"input": torch.ones(4, 2)})
    assert scored.counts == {"loss": 4} and scored.values["loss"] == 1


def test_a_task_without_its_base_s_constructor_is_a_module() -> None:
    class Forgetful(Task):
        def __init__(self) -> None:
            self.layer = nn.Linear(1, 1)

    assert [name for name, _ in Forgetful().named_parameters()] == ["layer.weight", "layer.bias"]


def test_the_model_is_called_in_the_run_s_precision_and_its_outputs_are_fp32() -> None:
    parts = experiment(precision="bf16")
    seen: list[torch.dtype] = []
    parts.model.body.register_forward_hook(lambda module, given, output: seen.append(output.dtype))
    scored = parts.learner(next(parts.batches.epoch(0)))
    assert seen == [torch.bfloat16] and scored.outputs.dtype == torch.float32


def test_batches_nest() -> None:
    pictures = [torch.zeros(3, 4), torch.zeros(3, 5)]
    batch = {"pictures": pictures, "truth": {"boxes": torch.zeros(2, 4)}, "pair": (torch.zeros(2), "text"), "n": 2}
    moved = to_device(batch, torch.device("meta"))
    assert all(picture.is_meta for picture in moved["pictures"])
    assert moved["truth"]["boxes"].is_meta and moved["pair"][0].is_meta and moved["pair"][1] == "text"
    sample = sample_of(batch, 1)
    assert sample["pictures"].shape == (3, 5) and sample["truth"]["boxes"].shape == (4,) and sample["n"] == 2


def _json(file: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(file.read_text())
    return value
