"""Random draws: each follows from a seed and a place, and none leaves a trace in what is drawn elsewhere."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
import torch

from zoo.training.randomness import mix, order, random_state, restore_random_state, seed_all, seeded

CPU = torch.device("cpu")


def drawn() -> tuple[float, float, float]:
    """The next number of each global generator."""
    return torch.rand(1).item(), random.random(), float(np.random.rand())


def test_mix_is_splitmix64() -> None:
    """The second number of the published stream from the seed 0, less its last bit, and no seed of 64 bits."""
    assert mix(0) == 0x6E789E6AA1B965F4 >> 1
    assert all(0 <= mix(number, 2**63 - number) < 2**63 for number in range(100))


def test_mix_depends_on_every_number_and_on_its_place() -> None:
    numbers = [mix(), mix(0), mix(1), mix(0, 0), mix(0, 1), mix(1, 0), mix(0, 0, 1), mix(0, 1, 0), mix(1, 0, 0)]
    assert len(set(numbers)) == len(numbers)


def test_one_seed_sets_every_global_generator() -> None:
    draws = []
    for seed in (1, 1, 2, 2**32 + 1):
        seed_all(seed)
        draws.append(drawn())
    assert draws[0] == draws[1]
    assert not set(draws[0]) & set(draws[2])
    assert draws[0][:2] != draws[3][:2]  # of numpy's seed there are 32 bits


def test_seeded_draws_follow_from_the_seed_and_leave_the_others_as_they_were() -> None:
    seed_all(0)
    expected = [drawn(), drawn()]
    seed_all(0)
    outside = [drawn()]
    inside = []
    for seed in (5, 5, 6):
        with seeded(seed):
            inside.append(drawn())
    with pytest.raises(ZeroDivisionError), seeded(7):
        drawn()
        raise ZeroDivisionError
    outside.append(drawn())
    assert outside == expected
    assert inside[0] == inside[1]
    assert not set(inside[0]) & set(inside[2])


def test_a_state_is_taken_up_where_it_was_left() -> None:
    """Through JSON, as the checkpoint keeps it; of two Gaussian numbers that Python draws together one is left."""
    seed_all(3)
    random.gauss()
    state = random_state(CPU)
    state["python"] = json.loads(json.dumps(state["python"]))
    expected = random.gauss(), random.random(), torch.rand(2).tolist()
    seed_all(4)
    restore_random_state(state, CPU)
    assert (random.gauss(), random.random(), torch.rand(2).tolist()) == expected


def test_each_epoch_has_an_order_of_its_own() -> None:
    orders = [order(seed, epoch, 50).tolist() for seed in (0, 1) for epoch in (0, 1, 2)]
    assert all(sorted(indices) == list(range(50)) for indices in orders)
    assert len({tuple(indices) for indices in orders}) == 6
    assert order(1, 2, 50).tolist() == orders[-1]
