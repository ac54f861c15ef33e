"""What `[train]`, `[eval]` and `[init]` may say. Signatures are the schema, as for components and plugins' tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt

from zoo.recipes.schema import Figure
from zoo.registry.plugins import Plugins

Count = Annotated[int, Ge(1)]


@dataclass(frozen=True)
class Train:
    """`[train]`: how long, how fast, on what, and what to keep.

    Args:
        epochs, steps: how long; one of them. A step is one update of the weights.
        batch_size: samples in a batch; a step takes `accumulate` of them.
        seed: everything random follows from it.
        device: `auto` is the GPU where there is one, else the CPU.
        precision: `auto` is bf16 on a GPU that has it and on a CPU with AMX or AVX512-BF16, else fp32.
        compile: run the model through `torch.compile`.
        channels_last: memory format of four-dimensional weights; faster convolutions.
        accumulate: batches whose gradients make one step; the loss is normalised over all of them.
        clip_norm: the largest norm that the gradient may have.
        lr_per: the batch that the rate was tuned for: the rate becomes lr x batch / lr_per.
        warmup_epochs, warmup_steps: the rate grows linearly up to the schedule's; one of them.
        groups: parameters by pattern with settings of their own: `[[train.groups]]`, `params`, then the optimizer's.
        freeze: parameters by pattern that stay as they are; modules held still stay in evaluation mode.
        initialize: pattern -> initialiser (`xavier_uniform`, `normal`, ...): first values of parameters.
        ema: decay of an exponential moving average of the weights, which is what is evaluated and saved.
        monitor: the figure that chooses the best weights; by default the task's.
        mode: whether the monitored figure should be small or large; by default the metric knows.
        patience: evaluations without improvement after which the run stops.
        keep: which weights the run leaves.
        workers: processes that load samples; `auto` takes the spare cores. They never change the result.
        evaluate_every_epochs, evaluate_every_steps: how often; one of them. By default every epoch.
        checkpoint_every_seconds: how much work a kill may cost. Evaluations save too.
        log_every_steps: a line in metrics.jsonl, and a look whether the loss is finite.
        time_limit: seconds after which the run ends as if it were done.
        deterministic: refuse operations whose result may vary on a GPU.
        fixed_batches: every batch has the full size; an epoch's rest is dropped.
    """

    epochs: Count | None = None
    steps: Count | None = None
    batch_size: Count = 32
    seed: Annotated[int, Ge(0), Lt(2**63)] = 0
    device: str = "auto"
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    compile: bool = False
    channels_last: bool = False
    accumulate: Count = 1
    clip_norm: Annotated[float, Gt(0)] | None = None
    lr_per: Count | None = None
    warmup_epochs: Annotated[float, Ge(0)] | None = None
    warmup_steps: Annotated[int, Ge(0)] | None = None
    groups: list[dict[str, Any]] = field(default_factory=list)
    freeze: list[str] = field(default_factory=list)
    initialize: dict[str, str] = field(default_factory=dict)
    ema: Annotated[float, Gt(0), Lt(1)] | None = None
    monitor: Figure | None = None
    mode: Literal["min", "max"] | None = None
    patience: Count | None = None
    keep: Literal["best", "last"] = "best"
    workers: Annotated[int, Ge(0), Le(128)] | Literal["auto"] = "auto"
    evaluate_every_epochs: Count | None = None
    evaluate_every_steps: Count | None = None
    checkpoint_every_seconds: Annotated[float, Gt(0)] = 300.0
    log_every_steps: Count = 50
    time_limit: Annotated[float, Gt(0)] | None = None
    deterministic: bool = False
    fixed_batches: bool = False


@dataclass(frozen=True)
class Eval:
    """`[eval]`: what is scored.

    Args:
        split: the split that is scored while training and at the end.
        metrics: names or tables of metric components; by default the task's.
        batch_size: by default twice `[train] batch_size`.
        pictures: samples drawn in the report.
    """

    split: str = "val"
    metrics: list[str | dict[str, Any]] | None = None
    batch_size: Count | None = None
    pictures: Annotated[int, Ge(0), Le(200)] = 12


@dataclass(frozen=True)
class Init:
    """`[init]`: weights to start from.

    Args:
        from: a run folder; a safetensors file, also under `$ZOO_DATA` or in the cache; or `hub:OWNER/NAME@COMMIT`.
        skip: parameters by pattern that are not taken over (a head for other classes).
        part: the part of the saved model that is taken (`encoder`); by default the whole.
        into: the part of the model that they are the weights of (`backbone`); by default the whole.
    """

    # `from` is a Python keyword, so the signature is written out instead of a dataclass field.
    from_: str
    skip: list[str] = field(default_factory=list)
    part: str | None = None
    into: str | None = None


TABLES: Mapping[str, Callable[..., Any]] = {"train": Train, "eval": Eval, "init": Init}


def tables_of(plugins: Plugins) -> dict[str, Callable[..., Any]]:
    """Return the tables that recipes may have, by name: classes and functions whose signatures are the schemas."""
    return {**TABLES, **plugins.tables(), **TABLES}
