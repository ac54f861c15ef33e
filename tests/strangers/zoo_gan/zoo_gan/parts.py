"""What a recipe of the job names: a dataset, a model, a metric and the task between them."""

import torch
from torch import nn
from torch.func import functional_call
from torch.nn.functional import softplus

from zoo import Data, InputError, Losses, Task, TensorSplit

NOISE = 2


def ring(size: int = 512, spread: float = 0.05, seed: int = 0) -> Data:
    """Points around the unit circle, `target` (2,); and noise, `input` (2,), which training batches draw anew."""
    generator = torch.Generator().manual_seed(seed)
    angle = 2 * torch.pi * torch.rand(2 * size, generator=generator)
    points = torch.stack([angle.cos(), angle.sin()], 1) + spread * torch.randn(2 * size, 2, generator=generator)
    noise = torch.randn(2 * size, NOISE, generator=generator)
    train = TensorSplit(target=points[:size], input=noise[:size], transform=with_noise)
    return Data({"train": train, "val": TensorSplit(target=points[size:], input=noise[size:])})


def with_noise(batch, generator):
    return {**batch, "input": torch.randn(batch["input"].shape, generator=generator, device=generator.device)}


class GAN(nn.Module):
    """`generator` (B, 2) -> (B, 2) and `discriminator` (B, 2) -> (B, 1); called with noise, it generates."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        for name, size in (("generator", 2), ("discriminator", 1)):
            layers = nn.Linear(2, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, size)
            self.add_module(name, nn.Sequential(*layers))

    def forward(self, noise):
        return self.generator(noise)


class Generation(Task):
    """Points that cannot be told from real ones."""

    metrics = ("energy_distance",)
    monitor = "val/energy_distance"

    def losses(self, model, loss, batch):
        """Of both players, neither of which reaches the other's weights; where they are scored, only points count."""
        points = self.outputs(model, batch)
        if not self.training:
            return Losses({}, None, points)
        with self.autocast():
            held = {name: weight.detach() for name, weight in model.discriminator.named_parameters()}
            fooled = functional_call(model.discriminator, held, points).float()
            real, fake = model.discriminator(self.target(batch)).float(), model.discriminator(points.detach()).float()
        discriminator = softplus(-real).mean() + softplus(fake).mean()
        return Losses({"generator": softplus(-fooled).mean(), "discriminator": discriminator}, None, points)

    def baselines(self, train):
        points = torch.cat([batch["target"] for batch in train])
        mean, root = points.mean(0), torch.linalg.cholesky(points.T.cov())
        return {"normal distribution": lambda noise: mean + noise @ root.T}

    def sample(self, raw):
        if not raw.isdigit():
            raise InputError(f"`{raw}` is no seed", "a point follows from a number: 7")
        return {"input": torch.randn(NOISE, generator=torch.Generator().manual_seed(int(raw)))}

    def describe(self, sample, prediction):
        return {"point": prediction.tolist()}


class EnergyDistance:
    """Energy distance of the points made to the real ones (Szekely and Rizzo, 2013); 0 where they are alike."""

    higher_is_better = False

    def __init__(self) -> None:
        self.reset()

    def reset(self):
        self.pairs = []

    def update(self, predictions, target):
        self.pairs.append((predictions, target))

    def compute(self):
        made, real = map(torch.cat, zip(*self.pairs, strict=True))
        return 2 * torch.cdist(made, real).mean() - torch.cdist(made, made).mean() - torch.cdist(real, real).mean()
