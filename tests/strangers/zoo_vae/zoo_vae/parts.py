"""Encoder and decoder, the task between them, and the loss."""

import torch
from torch import nn

from zoo import Normalize, Task


class VAE(nn.Module):
    """Inputs (B, num_inputs), flattened -> mean and log-variance (B, size) of a code; `decode` goes back."""

    def __init__(self, num_inputs: int, size: int = 8, width: int = 64) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(num_inputs, width), nn.ReLU(), nn.Linear(width, 2 * size))
        self.decoder = nn.Sequential(nn.Linear(size, width), nn.ReLU(), nn.Linear(width, num_inputs))

    def forward(self, inputs):
        return self.encoder(inputs).chunk(2, dim=1)

    def decode(self, code):
        return self.decoder(code)


class ELBO(nn.Module):
    """The negative evidence lower bound (Kingma and Welling, 2014, equation 10), over pixels and over samples.

    Args:
        beta: weight of the divergence (Higgins et al., 2017).
    """

    def __init__(self, beta: float = 0.01) -> None:
        super().__init__()
        self.beta = beta

    def forward(self, outputs, target):
        mean, log_variance = outputs["mean"], outputs["log_variance"]
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
        pixels = (outputs["made"] - target).square().mean(), target.numel()
        return {"pixels": pixels, "divergence": self.beta * divergence}


class Reconstruction(Task):
    """Make inputs again from a code; in training the code is drawn, else it is the mean."""

    loss = "elbo"
    metrics = ("mean_squared_error",)

    def __init__(self, preprocess: dict) -> None:
        super().__init__()
        self.normalize = Normalize(preprocess)

    def forward(self, model, batch):
        mean, log_variance = model(self.target(batch))
        noise = torch.randn_like(mean) if self.training else 0
        return {
            "mean": mean,
            "log_variance": log_variance,
            "made": model.decode(mean + noise * (log_variance / 2).exp()),
        }

    def target(self, batch):
        return self.normalize(batch["input"]).flatten(1)

    def predict(self, model, batch, outputs=None):
        return super().predict(model, batch, outputs)["made"]

    def baselines(self, train):
        mean = torch.cat([self.target(batch) for batch in train]).mean(0)
        return {"mean picture": _Always(mean)}


class _Always(nn.Module):
    """Decodes every code as one picture."""

    def __init__(self, picture) -> None:
        super().__init__()
        self.picture = picture

    def forward(self, inputs):
        return inputs.new_zeros(2, len(inputs), 1).unbind(0)

    def decode(self, code):
        return self.picture.repeat(len(code), 1)
