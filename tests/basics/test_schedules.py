"""The rates of every schedule, against formulas written out here and against torch's own schedules by epoch."""

import inspect
import json
import math

import pytest
import torch
from torch.optim import lr_scheduler

import zoo_basics
from zoo.recipes.schema import parameters_of
from zoo.runs.checkpoint import join_tensors, split_tensors
from zoo_basics import schedules

EPOCHS, PER_EPOCH = 6, 5
TOTAL = EPOCHS * PER_EPOCH
LR, HEAD_LR = 0.4, 1.2

BUILDERS = {
    "constant": lambda optimizer: schedules.constant(optimizer),
    "step": lambda optimizer: schedules.step(optimizer, PER_EPOCH, step_size=2, gamma=0.3),
    "multi_step": lambda optimizer: schedules.multi_step(optimizer, PER_EPOCH, milestones=[4, 1], gamma=0.5),
    "exponential": lambda optimizer: schedules.exponential(optimizer, PER_EPOCH, gamma=0.8),
    "polynomial": lambda optimizer: schedules.polynomial(optimizer, TOTAL, power=0.9, end_factor=0.1),
    "cosine": lambda optimizer: schedules.cosine(optimizer, TOTAL, end_factor=0.05),
    "one_cycle": lambda optimizer: schedules.one_cycle(optimizer, TOTAL),
}

FACTORS = {
    "constant": lambda step: 1,
    "step": lambda step: 0.3 ** math.floor(step / (2 * PER_EPOCH)),
    "multi_step": lambda step: 0.5 ** ((step >= 1 * PER_EPOCH) + (step >= 4 * PER_EPOCH)),
    "exponential": lambda step: math.exp(math.log(0.8) * step / PER_EPOCH),
    "polynomial": lambda step: 0.1 + 0.9 * ((TOTAL - step) / TOTAL) ** 0.9,
    "cosine": lambda step: 0.05 + 0.95 * math.cos(math.pi * step / TOTAL / 2) ** 2,
}


def two_groups(momentum=0.9):
    body, head = torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1))
    return torch.optim.SGD([{"params": [body]}, {"params": [head], "lr": HEAD_LR}], lr=LR, momentum=momentum)


def rates(optimizer, schedule, steps):
    """The rates of both groups at each step, as the training loop has them: the update, then the schedule."""
    found = []
    for _ in range(steps):
        optimizer.step()
        found.append([group["lr"] for group in optimizer.param_groups])
        schedule.step()
    return found


@pytest.mark.parametrize("name", FACTORS)
def test_rates_follow_the_formula_in_every_group(name):
    optimizer = two_groups()
    for step, (body, head) in enumerate(rates(optimizer, BUILDERS[name](optimizer), TOTAL)):
        assert body == pytest.approx(LR * FACTORS[name](step), rel=1e-12)
        assert head == pytest.approx(HEAD_LR * FACTORS[name](step), rel=1e-12)


TORCHS = {
    "step": lambda optimizer: lr_scheduler.StepLR(optimizer, 2, 0.3),
    "multi_step": lambda optimizer: lr_scheduler.MultiStepLR(optimizer, [1, 4], 0.5),
    "exponential": lambda optimizer: lr_scheduler.ExponentialLR(optimizer, 0.8),
}


@pytest.mark.parametrize("name", TORCHS)
def test_rates_at_the_start_of_epochs_are_torch_s(name):
    ours, theirs = two_groups(), two_groups()
    by_step = rates(ours, BUILDERS[name](ours), TOTAL)
    by_epoch = rates(theirs, TORCHS[name](theirs), EPOCHS)
    assert by_step[::PER_EPOCH] == [pytest.approx(pair, rel=1e-12) for pair in by_epoch]


def test_polynomial_and_cosine_to_zero_are_torch_s():
    pairs = [(schedules.polynomial, lr_scheduler.PolynomialLR), (schedules.cosine, lr_scheduler.CosineAnnealingLR)]
    for ours, theirs in pairs:
        one, other = two_groups(), two_groups()
        expected = rates(other, theirs(other, TOTAL), TOTAL)
        assert rates(one, ours(one, TOTAL), TOTAL) == [pytest.approx(pair, rel=1e-9, abs=1e-15) for pair in expected]


@pytest.mark.parametrize("name", ["polynomial", "cosine"])
def test_the_last_rate_is_the_end_factor_and_stays(name):
    optimizer = two_groups()
    schedule = BUILDERS[name](optimizer)
    rates(optimizer, schedule, TOTAL + 3)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(LR * FACTORS[name](TOTAL))


def test_one_cycle_climbs_to_each_group_s_rate_and_falls_far_below():
    optimizer = two_groups()
    by_step = rates(optimizer, schedules.one_cycle(optimizer, TOTAL, pct_start=0.4), TOTAL)
    top = round(0.4 * TOTAL) - 1
    for group, peak in enumerate((LR, HEAD_LR)):
        course = [pair[group] for pair in by_step]
        assert course[0] == pytest.approx(peak / 25)
        assert course[top] == pytest.approx(peak)
        assert course == sorted(course[: top + 1]) + sorted(course[top + 1 :], reverse=True)
        assert course[-1] == pytest.approx(peak / 25 / 1e4)


def test_one_cycle_takes_another_peak():
    optimizer = two_groups()
    by_step = rates(optimizer, schedules.one_cycle(optimizer, TOTAL, max_lr=0.7), TOTAL)
    assert max(pair[0] for pair in by_step) == pytest.approx(0.7)


def test_one_cycle_turns_momentum_only_where_there_is_one():
    with_momentum, without = two_groups(0.9), two_groups(0.0)
    for optimizer in (with_momentum, without):
        schedules.one_cycle(optimizer, TOTAL)
    assert with_momentum.param_groups[0]["momentum"] == 0.95
    assert without.param_groups[0]["momentum"] == 0
    adagrad = torch.optim.Adagrad([torch.nn.Parameter(torch.zeros(1))])
    rates(adagrad, schedules.one_cycle(adagrad, TOTAL), TOTAL)


@pytest.mark.parametrize(("mode", "figures"), [("min", [3.0, 2.0, 2.0, 2.5, 2.0]), ("max", [0.1, 0.5, 0.5, 0.4, 0.5])])
def test_plateau_waits_for_its_patience(mode, figures):
    optimizer = two_groups()
    schedule = schedules.plateau(optimizer, mode, factor=0.5, patience=1)
    course = []
    for figure in figures:
        schedule.step(figure)
        course.append(optimizer.param_groups[0]["lr"])
    assert course == [LR, LR, LR, LR / 2, LR / 2]
    assert optimizer.param_groups[1]["lr"] == HEAD_LR / 2


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("stop", [1, 7, PER_EPOCH, TOTAL - 1])
def test_a_resumed_schedule_has_the_same_rates(name, stop):
    """The state passes through JSON, as in a checkpoint."""
    whole, first, second = two_groups(), two_groups(), two_groups()
    expected = rates(whole, BUILDERS[name](whole), TOTAL)
    before = BUILDERS[name](first)
    start = rates(first, before, stop)

    after = BUILDERS[name](second)
    second.load_state_dict(through_json(first.state_dict()))
    after.load_state_dict(through_json(before.state_dict()))
    assert start + rates(second, after, TOTAL - stop) == expected


def test_a_resumed_plateau_remembers_its_best():
    first, second = two_groups(), two_groups()
    before, after = (schedules.plateau(optimizer, "max", patience=2) for optimizer in (first, second))
    for figure in (0.5, 0.4, 0.3):
        before.step(figure)
    second.load_state_dict(through_json(first.state_dict()))
    after.load_state_dict(through_json(before.state_dict()))
    for schedule in (before, after):
        schedule.step(0.45)
    assert first.param_groups[0]["lr"] == second.param_groups[0]["lr"] == pytest.approx(LR / 10)


def test_the_run_supplies_all_that_a_recipe_need_not_choose():
    supplied = ("optimizer", "total_steps", "steps_per_epoch", "mode")
    chosen = {
        component.name: [key for key, found in parameters_of(component.load(), supplied).items() if found.required]
        for component in zoo_basics.SCHEDULES
    }
    required = {"step": ["step_size"], "multi_step": ["milestones"], "exponential": ["gamma"]}
    assert chosen == {name: required.get(name, []) for name in chosen}
    for component in zoo_basics.SCHEDULES:
        assert all(found.type is not None for found in parameters_of(component.load(), supplied).values())


def through_json(state):
    plain, tensors = split_tensors(state)
    return join_tensors(json.loads(json.dumps(plain)), tensors)


def test_usual_settings_are_torch_s():
    """Whoever knows torch's schedules finds them here: names and defaults."""
    pairs = {
        (schedules.step, lr_scheduler.StepLR): ["gamma"],
        (schedules.multi_step, lr_scheduler.MultiStepLR): ["gamma"],
        (schedules.polynomial, lr_scheduler.PolynomialLR): ["power"],
        (schedules.one_cycle, lr_scheduler.OneCycleLR): ["pct_start", "div_factor", "final_div_factor"],
        (schedules.plateau, lr_scheduler.ReduceLROnPlateau): ["mode", "factor", "patience", "threshold"],
    }
    for (ours, theirs), names in pairs.items():
        own, known = (inspect.signature(function).parameters for function in (ours, theirs))
        assert {name: own[name].default for name in names} == {name: known[name].default for name in names}
    ends = [
        inspect.signature(ours).parameters["end_factor"].default for ours in (schedules.polynomial, schedules.cosine)
    ]
    assert ends == [0.0, 0.0]


def test_one_cycle_is_torch_s_with_the_settings_that_are_asked_for():
    asked = {"pct_start": 0.6, "div_factor": 8.0, "final_div_factor": 50.0}
    ours, theirs = two_groups(), two_groups()
    course = rates(ours, schedules.one_cycle(ours, TOTAL, max_lr=0.7, **asked), TOTAL)
    expected = rates(theirs, lr_scheduler.OneCycleLR(theirs, 0.7, TOTAL, **asked), TOTAL)
    assert course == expected
    assert course[0][0] == pytest.approx(0.7 / 8)
    assert course[-1][0] == pytest.approx(0.7 / 8 / 50)


def test_betas_turn_where_there_is_no_momentum():
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule = schedules.one_cycle(optimizer, TOTAL)
    assert optimizer.param_groups[0]["betas"][0] == 0.95
    rates(optimizer, schedule, round(0.3 * TOTAL) - 1)
    assert optimizer.param_groups[0]["betas"][0] == pytest.approx(0.85)


@pytest.mark.parametrize(("threshold", "cut"), [(0.01, False), (0.2, True)])
def test_a_plateau_takes_only_what_is_more_than_its_threshold_for_better(threshold, cut):
    optimizer = two_groups()
    schedule = schedules.plateau(optimizer, factor=0.5, patience=0, threshold=threshold)
    for figure in (1.0, 0.9):
        schedule.step(figure)
    assert optimizer.param_groups[0]["lr"] == (LR / 2 if cut else LR)


def test_a_plateau_follows_falling_and_rising_figures():
    """The same course is better for one and worse for the other, and the factor is the one that is asked for."""
    for mode, factors in (("min", [1, 0.2, 0.04]), ("max", [1, 1, 1])):
        optimizer = two_groups()
        schedule = schedules.plateau(optimizer, mode, factor=0.2, patience=0)
        course = []
        for figure in (0.5, 0.6, 0.7):
            schedule.step(figure)
            course.append(optimizer.param_groups[0]["lr"])
        assert course == pytest.approx([LR * factor for factor in factors])


def test_rates_worked_out_by_hand():
    """Ten steps, two an epoch: what a person would write into a table."""

    def course(schedule, steps=10):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        return [rate for (rate,) in rates(optimizer, schedule(optimizer), steps)]

    stairs = course(lambda optimizer: schedules.step(optimizer, 2, step_size=2))
    assert stairs == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01])
    stones = course(lambda optimizer: schedules.multi_step(optimizer, 2, milestones=[3, 1]))
    assert stones == pytest.approx([1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01])
    smooth = course(lambda optimizer: schedules.exponential(optimizer, 2, gamma=0.25))
    assert smooth == pytest.approx([0.5**step for step in range(10)])
    line = course(lambda optimizer: schedules.polynomial(optimizer, 10, end_factor=0.5), 12)
    assert line == pytest.approx([1 - 0.05 * step for step in range(10)] + [0.5, 0.5])
    wave = course(lambda optimizer: schedules.cosine(optimizer, 4), 6)
    assert wave == pytest.approx([1, 0.8535534, 0.5, 0.1464466, 0, 0])
