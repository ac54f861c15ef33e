"""Device and precision, on a machine with GPUs and on one without, both pretended; and how threads are timed."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch

from zoo import InputError
from zoo.training import hardware
from zoo.training.hardware import autocast, choose_device, choose_precision, placed, slowdown_of_threads

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[torch.device]]:
    """Pretends that there are so many GPUs; returns those that were made the current one."""

    def pretend(count: int) -> list[torch.device]:
        current: list[torch.device] = []
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.cuda, "set_device", current.append)
        return current

    return pretend


def test_auto_is_the_gpu_where_there_is_one(gpus: Callable[[int], list[torch.device]]) -> None:
    assert gpus(0) == [] and choose_device("auto") == CPU
    current = gpus(2)
    assert choose_device("auto") == torch.device("cuda", 0)
    assert choose_device("cuda:1") == torch.device("cuda", 1)
    assert choose_device("cpu") == CPU
    assert current == [torch.device("cuda", 0), torch.device("cuda", 1)]


@pytest.mark.parametrize(
    ("name", "count", "message"),
    [
        ("gpu", 0, r"no device `gpu`\n.*did you mean `cuda`\?"),
        ("GPU:1", 0, r"did you mean `cuda:1`\?"),
        ("meta", 0, r"no device `meta`\n.*auto, cpu, cuda or cuda:N"),
        ("nonsense", 0, r"no device `nonsense`"),
        ("cuda", 0, r"this machine has 0 CUDA devices"),
        ("cuda:2", 2, r"this machine has 2 CUDA devices"),
    ],
)
def test_a_device_that_is_not_there(
    gpus: Callable[[int], list[torch.device]], name: str, count: int, message: str
) -> None:
    gpus(count)
    with pytest.raises(InputError, match=message):
        choose_device(name)


@pytest.mark.parametrize("flag", ["_is_amx_tile_supported", "_is_avx512_bf16_supported"])
def test_auto_is_bf16_where_the_processor_multiplies_in_it(monkeypatch: pytest.MonkeyPatch, flag: str) -> None:
    cpu = SimpleNamespace(_is_amx_tile_supported=lambda: False, _is_avx512_bf16_supported=lambda: False)
    monkeypatch.setattr(torch, "cpu", cpu)
    assert choose_precision("auto", CPU) == "fp32"
    setattr(cpu, flag, lambda: True)
    assert choose_precision("auto", CPU) == "bf16"


def test_auto_is_bf16_on_a_gpu_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for has in (True, False):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation, has=has: has)
        assert choose_precision("auto", CUDA) == ("bf16" if has else "fp32")


def test_a_precision_that_is_named_is_kept() -> None:
    assert [choose_precision(name, CUDA) for name in ("fp32", "bf16", "fp16")] == ["fp32", "bf16", "fp16"]
    assert [choose_precision(name, CPU) for name in ("fp32", "bf16")] == ["fp32", "bf16"]
    with pytest.raises(InputError, match="`fp16` needs a GPU"):
        choose_precision("fp16", CPU)


def test_autocast_computes_in_the_precision() -> None:
    x = torch.ones(2, 2)
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        with autocast(precision, CPU):
            assert (x @ x).dtype == dtype
    assert {"bf16": torch.bfloat16, "fp16": torch.float16} == hardware.DTYPES


def test_threads_are_timed_against_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: 3 seconds with one thread, 12, 6 and 9 with all: the least counts, and 6 / 3 is 2."""
    left, threads = [12.0, 6.0, 9.0], [4]

    def seconds_of(work: Callable[[], object]) -> float:
        work()
        return 3.0 if threads[0] == 1 else left.pop(0)

    monkeypatch.setattr(torch, "get_num_threads", lambda: threads[0])
    monkeypatch.setattr(torch, "set_num_threads", lambda count: threads.__setitem__(0, count))
    monkeypatch.setattr(hardware, "_seconds_of", seconds_of)
    assert slowdown_of_threads() == 2.0
    assert threads == [4] and left == []
    monkeypatch.setattr(hardware, "_seconds_of", lambda work: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        slowdown_of_threads()
    assert threads == [4]
    threads[0] = 1
    assert slowdown_of_threads() == 1.0


def test_seconds_are_those_of_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([10.0, 12.5])
    monkeypatch.setattr(hardware, "time", SimpleNamespace(perf_counter=lambda: next(times)))
    assert hardware._seconds_of(lambda: None) == 2.5


def test_only_modules_are_moved() -> None:
    part = object()
    assert placed(part, CPU, channels_last=True) is part
    module = torch.nn.Conv2d(3, 4, 2)
    assert not placed(module, CPU).weight.is_contiguous(memory_format=torch.channels_last)
    assert placed(module, CPU, channels_last=True).weight.is_contiguous(memory_format=torch.channels_last)
    assert placed(torch.nn.Linear(2, 2), torch.device("meta")).weight.device.type == "meta"
