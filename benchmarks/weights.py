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
from zoo.run_folder import WEIGHTS, Folder
from zoo.weights import encode, load_model, read_tensors, weights_of

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
            return load_model(resnet18, tensors, metadata["tied"], "the file")

        def zoo_checked_load() -> nn.Module:
            tensors, metadata = read_tensors(run.checked(WEIGHTS))
            return load_model(resnet18, tensors, metadata["tied"], "the file")

        rivals = [torch_save, zoo_save, zoo_commit, torch_load, zoo_load, zoo_checked_load]
        times = rounds({rival.__name__: rival for rival in rivals}, ROUNDS)
    rows = [("what", "milliseconds (median)", "times faster than torch", "target")]
    for name, seconds in times.items():
        rival = "torch_save" if "load" not in name else "torch_load"
        target = "" if name == rival else "2" if rival == "torch_save" else "5"
        ratio = f"{median_ratio(times[rival], seconds):.2f}"
        rows.append((name, f"{statistics.median(seconds) * 1000:.1f}", ratio, target))
    print_table(rows)


if __name__ == "__main__":
    main()
