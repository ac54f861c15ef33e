"""The batches of a split, epoch by epoch. An epoch can be entered anywhere: its order follows from (seed, epoch)."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, Protocol

import torch

from zoo.data import Batch, TensorSplit
from zoo.tasks import takes
from zoo.training.randomness import mix, order, seeded

Collate = Callable[[list[dict[str, Any]]], Batch]


class Batches(Protocol):
    """Batches on the device."""

    @property
    def samples(self) -> int:
        """Samples in all."""

    def __len__(self) -> int:
        """Batches an epoch."""

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from the `first` on."""

    def of(self, indices: torch.Tensor) -> Batch:
        """The samples of these indices as one batch, untransformed."""


def make_batches(
    split: Any,
    size: int,
    device: torch.device,
    collate: Collate,
    *,
    seed: int = 0,
    training: bool = False,
    workers: int | Literal["auto"] = 0,
    fixed: bool = False,
) -> Batches:
    """Batches of a split: shuffled and transformed where `training`, else in order and as they are."""
    plan = _Shuffled(split, size, seed, fixed) if training else _InOrder(split, size)
    if isinstance(split, TensorSplit):
        return _TensorBatches(split, plan, device, seed, training)
    if hasattr(split, "batch"):
        return _WholeBatches(split, plan, device, seed, training)
    count = _spare_cores(device) if workers == "auto" else workers
    return _SampleBatches(split, plan, device, collate, seed, training, count)


class _InOrder:
    """Which samples each batch holds: all, as they come."""

    def __init__(self, split: Any, size: int) -> None:
        self.samples, self.size = len(split), size
        self.batches = -(-self.samples // size)

    def ranges(self, first: int) -> Iterator[tuple[int, int]]:
        for batch in range(first, self.batches):
            yield batch * self.size, min(self.samples, (batch + 1) * self.size)

    def indices(self, epoch: int, first: int, device: torch.device) -> Iterator[torch.Tensor]:
        for start, end in self.ranges(first):
            yield torch.arange(start, end, device=device)


class _Shuffled(_InOrder):
    """Which samples each training batch of an epoch holds: a random order, or the split's own `batching`."""

    def __init__(self, split: Any, size: int, seed: int, fixed: bool) -> None:
        super().__init__(split, size)
        self.seed = seed
        self.batching = getattr(split, "batching", None)
        if self.batching is not None:
            self.batches = len(self._own(0))
        elif fixed and self.samples >= size:
            self.batches = self.samples // size

    def indices(self, epoch: int, first: int, device: torch.device) -> Iterator[torch.Tensor]:
        if self.batching is not None:
            yield from [each.to(device) for each in self._own(epoch)[first:]]
            return
        whole = order(self.seed, epoch, self.samples).to(device)
        for start, end in self.ranges(first):
            yield whole[start:end]

    def _own(self, epoch: int) -> Sequence[torch.Tensor]:
        own = self.batching(self.size, torch.Generator().manual_seed(mix(self.seed, epoch)))  # type: ignore[misc]
        if epoch and len(own) != self.batches:
            raise RuntimeError(
                f"`batching` of the split makes {self.batches} batches in one epoch and {len(own)} in another"
            )
        return own  # type: ignore[no-any-return]


class _TensorBatches:
    """Whole tensors on the device, indexed there: no worker, no collate, no copy between devices."""

    def __init__(self, split: TensorSplit, plan: _InOrder, device: torch.device, seed: int, training: bool) -> None:
        self.tensors = {name: tensor.to(device) for name, tensor in split.tensors.items()}
        self.transform = _Transform(split.transform if training else None, device, seed)
        self.plan, self.device, self.training, self.samples = plan, device, training, plan.samples

    def __len__(self) -> int:
        return self.plan.batches

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        if not self.training:
            for start, end in self.plan.ranges(first):
                yield {name: tensor[start:end] for name, tensor in self.tensors.items()}
            return
        for number, chosen in enumerate(self.plan.indices(epoch, first, self.device), first):
            yield self.transform(self.of(chosen), epoch, number)

    def of(self, indices: torch.Tensor) -> Batch:
        return {name: tensor.index_select(0, indices) for name, tensor in self.tensors.items()}


class _WholeBatches:
    """Batches that a split makes as a whole: no worker, no collate."""

    def __init__(self, split: Any, plan: _InOrder, device: torch.device, seed: int, training: bool) -> None:
        self.split, self.plan, self.device, self.samples = split, plan, device, plan.samples
        self.transform = _Transform(getattr(split, "batch_transform", None) if training else None, device, seed)

    def __len__(self) -> int:
        return self.plan.batches

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        for number, chosen in enumerate(self.plan.indices(epoch, first, torch.device("cpu")), first):
            yield self.transform(self.of(chosen), epoch, number)

    def of(self, indices: torch.Tensor) -> Batch:
        batch: Batch = to_device(self.split.batch(indices), self.device)
        return batch


class _SampleBatches:
    """Samples of a map-style dataset, loaded here or by workers: the same samples either way."""

    def __init__(
        self,
        split: Any,
        plan: _InOrder,
        device: torch.device,
        collate: Collate,
        seed: int,
        training: bool,
        workers: int,
    ) -> None:
        self.loaded = _Seeded(split, seed) if training else _Plain(split)
        self.split, self.plan, self.device, self.samples = split, plan, device, plan.samples
        self.collate = collate
        self.transform = _Transform(getattr(split, "batch_transform", None) if training else None, device, seed)
        self.keys = _Keys()
        self.loader = self._loader(workers) if workers else None

    def __len__(self) -> int:
        return self.plan.batches

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        self.keys.batches = self._keys_of(epoch, first)
        for number, batch in enumerate(self.loader or self._loaded_here(), first):
            yield self.transform(to_device(batch, self.device), epoch, number)

    def of(self, indices: torch.Tensor) -> Batch:
        batch: Batch = to_device(self.collate([self.split[index] for index in indices.tolist()]), self.device)
        return batch

    def _keys_of(self, epoch: int, first: int) -> list[list[tuple[int, int]]]:
        chosen = self.plan.indices(epoch, first, torch.device("cpu"))
        return [[(epoch, index) for index in indices.tolist()] for indices in chosen]

    def _loaded_here(self) -> Iterator[Batch]:
        for keys in self.keys.batches:
            with _one_thread():
                batch = self.collate([self.loaded[key] for key in keys])
            yield batch

    def _loader(self, workers: int) -> Any:
        from torch.utils.data import DataLoader

        return DataLoader(
            self.loaded,
            batch_sampler=self.keys,
            num_workers=workers,
            collate_fn=self.collate,
            pin_memory=self.device.type == "cuda",
            persistent_workers=True,
            worker_init_fn=_ignore_signals,
            generator=torch.Generator().manual_seed(0),  # or it would draw from the global one
        )


class _Transform:
    """What a split does to a whole training batch; nothing where it does nothing."""

    def __init__(self, function: Callable[..., Batch] | None, device: torch.device, seed: int) -> None:
        self.function, self.device, self.seed = function, device, seed
        self.takes_epoch = function is not None and takes(function, "epoch")

    def __call__(self, batch: Batch, epoch: int, number: int) -> Batch:
        if self.function is None:
            return batch
        generator = torch.Generator(self.device).manual_seed(mix(self.seed, epoch, number, 1))
        return self.function(batch, generator, epoch) if self.takes_epoch else self.function(batch, generator)


class _Keys:
    """The batch sampler of a loader whose workers outlive an epoch."""

    def __init__(self) -> None:
        self.batches: list[list[tuple[int, int]]] = []

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


class _Plain(torch.utils.data.Dataset[Any]):
    def __init__(self, split: Any) -> None:
        self.split = split

    def __getitem__(self, key: tuple[int, int]) -> Any:
        return self.split[key[1]]


class _Seeded(torch.utils.data.Dataset[Any]):
    """Samples whose random draws follow from (seed, epoch, index). A split with `set_epoch` is told the epoch."""

    def __init__(self, split: Any, seed: int) -> None:
        self.split, self.seed = split, seed

    def __getitem__(self, key: tuple[int, int]) -> Any:
        if hasattr(self.split, "set_epoch"):  # here, since a worker has a split of its own
            self.split.set_epoch(key[0])
        with seeded(mix(self.seed, *key, 2)):
            return self.split[key[1]]


@contextmanager
def _one_thread() -> Iterator[None]:
    """A worker has one thread; with more, a sum over a picture may round otherwise."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _ignore_signals(worker: int) -> None:
    """A stop is for the training process to make, also where the signal goes to the whole process group."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def to_device(batch: Any, device: torch.device) -> Any:
    """Return a batch with its tensors on the device, however it nests."""
    if device.type == "cpu":
        return batch
    if isinstance(batch, torch.Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, dict):
        return {name: to_device(value, device) for name, value in batch.items()}
    if isinstance(batch, list | tuple):
        parts = [to_device(value, device) for value in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else type(batch)(parts)
    return batch


def sample_of(batch: Any, index: int) -> Any:
    """Return one sample of a batch, however it nests; what is the same for all samples stays."""
    if isinstance(batch, dict):
        return {name: sample_of(value, index) for name, value in batch.items()}
    if isinstance(batch, list | tuple) or (isinstance(batch, torch.Tensor) and batch.ndim):
        return batch[index]
    return batch


def _spare_cores(device: torch.device) -> int:
    """Workers beside the training process: none where the CPU itself trains."""
    return min(8, (os.cpu_count() or 1) - 1) if device.type == "cuda" else 0
