"""Gradients through time: how they fade or explode, and what clipping does (notes 54).

First, the gradient of the last state with respect to the state some steps before, before training; recurrent weights of
the plain network are a random rotation times a gain. Then a plain network of one layer is trained on windows of 128
characters with SGD, with its gradients clipped and as they are.

    python -m experiments.recurrent_gradients
"""

from __future__ import annotations

import statistics

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from experiments.tables import print_markdown
from zoo_seq.language.recurrent import rnn
from zoo_seq.language.timemachine import timemachine

WIDTH, BATCH, STEPS = 256, 32, 128
DISTANCES = (1, 8, 32, 64, 128)
GAINS = (0.8, 1.0, 1.2, 1.6)
UPDATES = 400


def main() -> None:
    rows = [[f"RNN, gain {gain}", *_faded(_network(nn.RNN, gain))] for gain in GAINS]
    rows += [["GRU", *_faded(_network(nn.GRU))], ["LSTM", *_faded(_network(nn.LSTM))]]
    print_markdown(["gradient of the last state", *(f"{distance} steps back" for distance in DISTANCES)], rows)
    print()
    rows = [_trained(rate, clip) for rate in (0.1, 1.0, 4.0) for clip in (None, 1.0)]
    print_markdown(["rate", "clipped at", "median norm", "largest norm", "loss of the last 50 updates"], rows)


def _network(layer: type[nn.RNNBase], gain: float | None = None) -> nn.RNNBase:
    torch.manual_seed(0)
    network = layer(WIDTH, WIDTH)
    if gain is not None:
        nn.init.orthogonal_(network.weight_hh_l0, gain)
    return network


def _faded(network: nn.RNNBase) -> list[str]:
    """Norms by distance, as a share of that one step back."""
    inputs = 0.1 * torch.randn(DISTANCES[-1] + 1, BATCH, WIDTH, generator=torch.Generator().manual_seed(1))
    states, state = [], None
    for x in inputs:
        _, state = network(x[None], state)
        hidden = state[0] if isinstance(state, tuple) else state
        hidden.retain_grad()
        states.append(hidden)
    direction = torch.randn(states[-1].shape, generator=torch.Generator().manual_seed(2))
    (states[-1] * direction).sum().backward()
    norms = [float(states[-1 - distance].grad.norm()) for distance in DISTANCES]  # type: ignore[union-attr]
    return [f"{norm / norms[0]:.2g}" for norm in norms]


def _trained(rate: float, clip: float | None) -> list[str]:
    torch.manual_seed(0)
    data = timemachine(num_steps=STEPS)
    split = data.splits["train"]
    model = rnn(data.facts["vocab_size"], width=WIDTH)
    parameters = list(model.parameters())
    optimizer = torch.optim.SGD(parameters, lr=rate)
    generator = torch.Generator().manual_seed(0)
    norms, losses = [], []
    for _ in range(UPDATES):
        chosen = torch.randint(len(split), (BATCH,), generator=generator)
        batch = split.transform({"start": split.tensors["start"][chosen]}, generator)
        logits, _ = model(batch["input"])
        loss = F.cross_entropy(logits.flatten(0, 1), batch["label"].flatten())
        optimizer.zero_grad()
        loss.backward()
        norms.append(float(nn.utils.clip_grad_norm_(parameters, float("inf") if clip is None else clip)))
        losses.append(float(loss.detach()))
        optimizer.step()
    last = statistics.fmean(losses[-50:])
    return [str(rate), str(clip or "no"), f"{statistics.median(norms):.2f}", f"{max(norms):.3g}", f"{last:.2f}"]


if __name__ == "__main__":
    main()
