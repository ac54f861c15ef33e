"""The job: generator and discriminator are updated side by side, each by an optimizer of its own."""

from dataclasses import dataclass, replace
from typing import Annotated, Any

from annotated_types import Ge

import zoo


@dataclass(frozen=True)
class Settings:
    """`[gan]`: the discriminator's optimizer, and its steps for one of the generator, whose is `[optimizer]`."""

    discriminator: Annotated[Any, zoo.Nested("optimizer")]
    steps: Annotated[int, Ge(1)] = 1


def begin(recipe, overrides, out):
    experiment = zoo.prepare(recipe, overrides)
    steps = players(experiment)
    with zoo.start_run(experiment, out) as run:
        return trained(experiment, run, steps)


def go_on(folder):
    with zoo.resume_run(folder) as (experiment, run):
        return trained(experiment, run, players(experiment))


def trained(experiment, run, steps):
    run.resume_command = "zoo gan-resume"
    return zoo.train(experiment, run, steps)


def players(experiment):
    """How they are trained, as `zoo.train` asks for it."""
    settings, model, update = experiment.table("gan"), experiment.model, experiment.update
    optimizer = settings.discriminator(params=model.discriminator.parameters())
    experiment.stateful["discriminator"] = optimizer
    critic = replace(update, optimizer=optimizer, schedule=None, ema=None)

    def steps(start):
        experiment.learner.train()
        for number, (epoch, batch) in enumerate(batches(experiment, start), start + 1):
            model.zero_grad()
            parts = experiment.learner(batch).values
            update.backward(sum(parts.values()))
            critic.step(number)
            model.discriminator.zero_grad()  # or `update`, which knows all weights, would move it again
            if number % settings.steps == 0:
                update.step(number)
            parts = {name: part.detach() for name, part in parts.items()}
            rate = update.optimizer.param_groups[0]["lr"]
            yield zoo.Step(number, epoch, sum(parts.values()), parts, experiment.task.batch_size(batch), rate)

    return steps


def batches(experiment, start):
    epoch, first = divmod(start, experiment.steps_per_epoch)
    while epoch * experiment.steps_per_epoch < experiment.total_steps:
        for batch in experiment.batches.epoch(epoch, first):
            yield epoch, batch
        epoch, first = epoch + 1, 0
