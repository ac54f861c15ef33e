"""What came before AlexNet: a support vector machine with a Gaussian kernel, on Fashion-MNIST's pixels (notes 24).

python -m experiments.kernel_svm [10000 60000]
"""

from __future__ import annotations

import sys
import time

from sklearn.svm import SVC

from experiments.tables import print_markdown
from zoo_vision.fashion_mnist import fashion_mnist

C = 10.0  # the middle one of those that the data set's authors tried


def main(sizes: list[int]) -> None:
    rows = []
    for size in sizes:
        splits = fashion_mnist(val_size=0.0, train_size=size).splits
        (pixels, labels), (test_pixels, test_labels) = (
            (splits[name].tensors["input"].flatten(1).numpy() / 255, splits[name].tensors["label"].numpy())
            for name in ("train", "test")
        )
        started = time.perf_counter()
        machine = SVC(C=C, kernel="rbf", gamma="scale").fit(pixels, labels)
        seconds = time.perf_counter() - started
        rows.append([f"{size:,}", f"{machine.score(test_pixels, test_labels):.4f}", f"{seconds:.0f} s"])
    print_markdown(["training pictures", "test accuracy", "training"], rows)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [10_000, 60_000])
