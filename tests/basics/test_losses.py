"""The losses against loops over single numbers, and their counts against the mean over a union of batches."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F  # noqa: N812

from zoo import InputError
from zoo_basics.losses import CrossEntropy, KLDivergence, binary_cross_entropy, huber, l1, mse, smooth_l1


def slow_cross_entropy(outputs, target, ignore_index=None, label_smoothing=0.0, class_weights=None):
    """Position by position; the mean weighs each target by the weight of its class."""
    classes = outputs.shape[1]
    weights = class_weights or [1.0] * classes
    logits = outputs.movedim(1, -1).reshape(-1, classes).double().tolist()
    total = weight = 0.0
    for row, truth in zip(logits, target.flatten().tolist(), strict=True):
        if truth == ignore_index:
            continue
        log_sum = math.log(sum(math.exp(value) for value in row))
        share = [label_smoothing / classes + (1 - label_smoothing) * (index == truth) for index in range(classes)]
        total += sum(part * weights[index] * (log_sum - row[index]) for index, part in enumerate(share))
        weight += weights[truth]
    return total / weight if weight else 0.0


SETTINGS = [
    {},
    {"ignore_index": -100},
    {"ignore_index": 0},
    {"label_smoothing": 0.1},
    {"class_weights": [0.5, 2.0, 1.0]},
    {"ignore_index": 2, "label_smoothing": 0.3, "class_weights": [0.2, 3.0, 1.0]},
]


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(SETTINGS),
    st.sampled_from([(4,), (1,), (2, 3), (2, 2, 2)]),
    st.integers(0, 2**31),
)
def test_cross_entropy_equals_its_loop(parameters, shape, seed):
    torch.manual_seed(seed)
    outputs = 3 * torch.randn(shape[0], 3, *shape[1:])
    target = torch.randint(3, shape)
    if parameters.get("ignore_index") == -100:
        target[torch.rand(shape) < 0.5] = -100
    loss = CrossEntropy(**parameters)(outputs, target)
    assert float(loss) == pytest.approx(slow_cross_entropy(outputs, target, **parameters), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("parameters", SETTINGS)
def test_cross_entropy_counts_what_its_mean_is_over(parameters):
    torch.manual_seed(1)
    outputs, target = torch.randn(7, 3, 5), torch.randint(3, (7, 5))
    if parameters.get("ignore_index") == -100:
        target[:2, 1:] = -100
    assert_counts_right(CrossEntropy(**parameters), outputs, target, first=2)


@pytest.mark.parametrize("weights", [None, [0.5, 2.0, 1.0]])
def test_cross_entropy_takes_probabilities(weights):
    torch.manual_seed(0)
    outputs, target = torch.randn(5, 3, 2), torch.randn(5, 3, 2).softmax(dim=1)
    loss = CrossEntropy(class_weights=weights)
    expected = -(target * outputs.log_softmax(1) * torch.tensor(weights or [1.0] * 3)[:, None]).sum(1).mean()
    torch.testing.assert_close(loss(outputs, target), expected)
    assert_counts_right(loss, outputs, target, first=1)


def test_cross_entropy_of_ignored_targets_alone_is_zero_and_so_is_its_gradient():
    outputs = torch.randn(2, 3, requires_grad=True)
    loss = CrossEntropy(ignore_index=1, class_weights=[0.1, 1.0, 1.0])(outputs, torch.tensor([1, 1]))
    loss.backward()
    assert loss == 0
    assert torch.equal(outputs.grad, torch.zeros(2, 3))


def test_cross_entropy_ignores_nothing_by_itself():
    with pytest.raises(IndexError):
        CrossEntropy()(torch.randn(2, 3), torch.tensor([1, -100]))


def test_cross_entropy_refuses_weights_for_other_classes():
    with pytest.raises(InputError, match="2 class_weights for a model of 3 classes"):
        CrossEntropy(class_weights=[1.0, 2.0])(torch.randn(2, 3), torch.tensor([0, 1]))


def distances(function):
    return lambda output, target: function(abs(output - target))


ELEMENTWISE = {
    "mse": (mse(), distances(lambda d: d * d)),
    "l1": (l1(), distances(lambda d: d)),
    "smooth_l1": (smooth_l1(0.5), distances(lambda d: d * d if d < 0.5 else d - 0.25)),
    "smooth_l1 of beta 0": (smooth_l1(0.0), distances(lambda d: d)),
    "huber": (huber(2.0), distances(lambda d: d * d / 2 if d < 2 else 2 * (d - 1))),
    "binary_cross_entropy": (
        binary_cross_entropy(),
        lambda x, y: -y * math.log(1 / (1 + math.exp(-x))) - (1 - y) * math.log(1 - 1 / (1 + math.exp(-x))),
    ),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_losses_equal_their_formulas(name):
    loss, formula = ELEMENTWISE[name]
    torch.manual_seed(0)
    outputs, target = 3 * torch.randn(6, 4), torch.rand(6, 4)
    pairs = zip(outputs.flatten().tolist(), target.flatten().tolist(), strict=True)
    assert float(loss(outputs, target)) == pytest.approx(sum(formula(x, y) for x, y in pairs) / 24, rel=1e-5)
    assert_counts_right(loss, outputs, target, first=1)


def test_elementwise_losses_take_integer_targets():
    loss = binary_cross_entropy()(torch.tensor([[2.0], [-1.0]]), torch.tensor([[1], [0]]))
    assert float(loss) == pytest.approx((math.log(1 + math.exp(-2)) + math.log(1 + math.exp(-1))) / 2)


@pytest.mark.parametrize("loss", [mse(), binary_cross_entropy(), KLDivergence()])
def test_a_column_against_a_row_is_refused(loss):
    with pytest.raises(InputError, match=r"outputs are \(4, 1\) and the targets \(4,\)"):
        loss(torch.randn(4, 1), torch.rand(4))


def test_kl_divergence_equals_its_formula():
    torch.manual_seed(0)
    outputs, target = torch.randn(5, 4, 3), torch.randn(5, 4, 3).softmax(1)
    target[0, 1] = 0.0  # 0 log 0 is 0
    p, q = target.movedim(1, -1).reshape(-1, 4).tolist(), outputs.softmax(1).movedim(1, -1).reshape(-1, 4).tolist()
    total = sum(a * math.log(a / b) for one, other in zip(p, q, strict=True) for a, b in zip(one, other) if a)  # noqa: B905
    assert float(KLDivergence()(outputs, target)) == pytest.approx(total / 15, rel=1e-5)
    assert_counts_right(KLDivergence(), outputs, target, first=2)


def test_kl_divergence_of_equals_is_zero():
    outputs = torch.randn(3, 5)
    assert float(KLDivergence()(outputs, outputs.softmax(1))) == pytest.approx(0, abs=1e-6)


def test_plain_settings_are_pytorch_s_own_means():
    torch.manual_seed(0)
    outputs, target = torch.randn(8, 5), torch.randn(8, 5)
    assert torch.equal(mse()(outputs, target), F.mse_loss(outputs, target))
    labels = torch.randint(5, (8,))
    assert torch.equal(CrossEntropy()(outputs, labels), F.cross_entropy(outputs, labels))


def assert_counts_right(loss, outputs, target, first):
    """Two batches of unequal size, weighted by their counts, give the value and the gradient of their union."""
    outputs = outputs.clone().requires_grad_()
    batches = [(outputs[:first], target[:first]), (outputs[first:], target[first:])]
    counts = [loss.count(*batch) for batch in batches]
    joined = sum(loss(*batch) * count for batch, count in zip(batches, counts, strict=True)) / sum(counts)
    whole = loss(outputs, target)
    torch.testing.assert_close(joined, whole)
    torch.testing.assert_close(torch.autograd.grad(joined, outputs)[0], torch.autograd.grad(whole, outputs)[0])
    assert float(loss.count(outputs, target)) == pytest.approx(float(sum(counts)))


def test_counts_are_distributions_elements_and_targets():
    """By hand: halves weighted by twice the counts would give the same mean."""
    distributions = torch.rand(5, 3, 2).softmax(1)
    assert CrossEntropy().count(distributions, distributions) == 10
    assert KLDivergence().count(distributions, distributions) == 10
    assert mse().count(distributions, distributions) == 30
    labels = torch.tensor([[0, 1], [2, 2]])
    assert int(CrossEntropy().count(torch.randn(2, 3, 2), labels)) == 4
    assert int(CrossEntropy(ignore_index=2).count(torch.randn(2, 3, 2), labels)) == 2
    assert float(CrossEntropy(class_weights=[1.0, 2.0, 5.0]).count(torch.randn(2, 3, 2), labels)) == 13
    weighted = CrossEntropy(ignore_index=2, class_weights=[1.0, 2.0, 5.0])
    assert float(weighted.count(torch.randn(2, 3, 2), labels)) == 3


def test_the_usual_bends_are_torch_s():
    torch.manual_seed(0)
    outputs, target = 3 * torch.randn(40), 3 * torch.randn(40)
    assert torch.equal(smooth_l1()(outputs, target), F.smooth_l1_loss(outputs, target))
    assert torch.equal(huber()(outputs, target), F.huber_loss(outputs, target))


def test_class_weights_go_where_the_loss_goes():
    loss = CrossEntropy(class_weights=[1.0, 2.0])
    assert "class_weights" in dict(loss.named_buffers())
    assert loss.to("meta").class_weights.device.type == "meta"


def test_smoothing_spreads_a_share_of_the_truth_by_hand():
    """Two classes at logits 0 and log 3: probabilities 1/4 and 3/4; a fifth is spread, so the truth keeps 0.9."""
    outputs = torch.tensor([[0.0, math.log(3)]])
    expected = -0.9 * math.log(0.25) - 0.1 * math.log(0.75)
    assert float(CrossEntropy(label_smoothing=0.2)(outputs, torch.tensor([0]))) == pytest.approx(expected)


def test_weighted_probabilities_of_a_sequence_are_a_mean_over_its_places():
    outputs, target = torch.zeros(2, 2, 3), torch.tensor([1.0, 0.0])[None, :, None].expand(2, 2, 3)
    assert float(CrossEntropy(class_weights=[2.0, 5.0])(outputs, target)) == pytest.approx(2 * math.log(2))
