"""The split that the student got wrong: the last fifth of a file, as it is and by class, against a fifth of each class.

A support vector machine on the pixels of Classify-Leaves at 32x32; what it is trained on differs, nothing else.

    python -m experiments.ordered_split
"""

from __future__ import annotations

import torch
from sklearn.svm import SVC

from experiments.tables import print_markdown
from zoo_vision.picture_csv import picture_csv
from zoo_vision.picture_data import hold_out

HELD_OUT = 0.2


def main() -> None:
    data = picture_csv("classify-leaves", size=(32, 32), val_size=0.0)
    tensors, classes = data.splits["train"].tensors, data.assets["classes"]
    pixels, labels = tensors["input"].flatten(1).numpy() / 255, tensors["label"]
    by_class = labels.argsort(stable=True)
    end = round(len(labels) * (1 - HELD_OUT))
    splits = {
        "the last fifth of the file": (torch.arange(end), torch.arange(end, len(labels))),
        "the last fifth, were it ordered by class": (by_class[:end], by_class[end:]),
        "a fifth of every class": hold_out(labels, HELD_OUT, 0, classes),
    }
    rows = []
    for name, (kept, held) in splits.items():
        machine = SVC(C=10.0).fit(pixels[kept], labels[kept].numpy())
        never = len(set(labels[held].tolist()) - set(labels[kept].tolist()))
        accuracies = [f"{machine.score(pixels[own], labels[own].numpy()):.3f}" for own in (kept, held)]
        rows.append([name, str(never), *accuracies])
    print_markdown(["held out", "classes never trained on", "training accuracy", "val accuracy"], rows)


if __name__ == "__main__":
    main()
