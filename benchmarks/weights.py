"""Saving and loading a ResNet-18 against `torch.save`, and `torch.load` with `load_state_dict`.

Two of each are shown for zoo: the weights file alone, as torch's rival does it, and what a run folder does, which
hashes every byte, flushes to disk and renames on saving, and checks the hash on loading.
"""

from __future__ import annotations

import itertools
import os
import statistics
import tempfile
from pathlib import Path

import torch
from torch import nn
from torchvision.models import resnet18

from benchmarks.side_by_side import median_ratio, print_table, rounds
from zoo.runs.folder import WEIGHTS, Folder
from zoo.runs.predictor import load_model
from zoo.runs.weights import build_empty, encode, filled, read_tensors, weights_of

ROUNDS = 15


def main() -> None:
    model = resnet18()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        run = Folder(folder)
        numbers = itertools.count()
        saved: dict[str, Path] = {}

        def torch_save() -> None:
            torch.save(model.state_dict(), new_file("pt"))

        def zoo_save() -> None:
            tensors, tied = weights_of(model)
            with new_file("safetensors").open("wb", buffering=0) as file:
                os.writev(file.fileno(), encode(tensors, {"tied": tied}))

        def zoo_commit() -> None:
            tensors, tied = weights_of(model)
            run.commit({WEIGHTS: encode(tensors, {"tied": tied})})

        def new_file(ending: str) -> Path:
            """A new name each time: what overwriting frees would be timed too."""
            saved[ending] = folder / f"{next(numbers)}.{ending}"
            return saved[ending]

        def torch_load() -> nn.Module:
            loaded = resnet18()
            loaded.load_state_dict(torch.load(saved["pt"], weights_only=True))
            return loaded

        def zoo_load() -> nn.Module:
            tensors, metadata = read_tensors(saved["safetensors"])
            return filled(build_empty(resnet18), resnet18, tensors, metadata["tied"], "the file")

        def zoo_checked_load() -> nn.Module:
            return load_model(run, resnet18)

        pairs = [(torch_save, zoo_save, 2), (torch_save, zoo_commit, 2)]
        pairs += [(torch_load, zoo_load, 5), (torch_load, zoo_checked_load, 5)]
        rows = [("what", "milliseconds (median)", "times faster than torch", "target")]
        for rival, ours, target in pairs:
            times = rounds({"rival": rival, "ours": ours}, ROUNDS)
            ratio = f"{median_ratio(times['rival'], times['ours']):.2f}"
            rows.append((rival.__name__, f"{statistics.median(times['rival']) * 1000:.1f}", "", ""))
            rows.append((ours.__name__, f"{statistics.median(times['ours']) * 1000:.1f}", ratio, str(target)))
    print_table(rows)


if __name__ == "__main__":
    main()
