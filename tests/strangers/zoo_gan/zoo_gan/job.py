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


def players(experiment):
    """How they are trained, as `zoo.train` asks for it."""
    if experiment.train.accumulate > 1:
        raise zoo.InputError("a GAN's step is one batch", "train.accumulate=1")
    settings, model, update = experiment.table("gan"), experiment.model, experiment.update
    optimizer = settings.discriminator(params=model.discriminator.parameters())
    experiment.stateful["discriminator"] = optimizer
    critic = replace(update, optimizer=optimizer, schedule=None, ema=None)

    def steps(start):
        experiment.learner.train()
        for number, (epoch, batch) in enumerate(experiment.batches_after(start), start + 1):
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
