"""The metrics against counting by hand, fed in unequal batches."""

import math
import subprocess
import sys

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from zoo import InputError
from zoo_basics import metrics

CLASSES = 4


def fed(metric, predictions, target, split=3):
    metric.update(predictions[:split], target[:split])
    metric.update(predictions[split:], target[split:])
    return metric.compute()


@pytest.fixture
def scored():
    torch.manual_seed(0)
    scores, target = torch.randn(40, CLASSES).softmax(1), torch.randint(CLASSES, (40,))
    return scores, target


def counts(scores, target):
    """True, and predicted: lists of class by sample."""
    return target.tolist(), [max(range(CLASSES), key=row.__getitem__) for row in scores.tolist()]


def recall(truths, found, chosen):
    mine = [guess == truth for truth, guess in zip(truths, found, strict=True) if truth == chosen]
    return sum(mine) / len(mine)


def test_accuracy(scored):
    truths, found = counts(*scored)
    right = sum(truth == guess for truth, guess in zip(truths, found, strict=True))
    assert float(fed(metrics.accuracy(CLASSES), *scored)) == pytest.approx(right / 40)
    by_class = [recall(truths, found, chosen) for chosen in range(CLASSES)]
    assert float(fed(metrics.accuracy(CLASSES, average="macro"), *scored)) == pytest.approx(sum(by_class) / CLASSES)


def test_top_k_accuracy(scored):
    scores, target = scored
    ranked = [sorted(range(CLASSES), key=row.__getitem__)[-2:] for row in scores.tolist()]
    share = sum(truth in best for truth, best in zip(target.tolist(), ranked, strict=True)) / 40
    assert float(fed(metrics.top_k_accuracy(CLASSES, k=2), scores, target)) == pytest.approx(share)


def test_top_k_of_more_than_all_classes_is_refused():
    with pytest.raises(InputError, match="is 5, and there are 4 classes"):
        metrics.top_k_accuracy(CLASSES)


def test_f1(scored):
    truths, found = counts(*scored)
    by_class = []
    for chosen in range(CLASSES):
        hits = sum(truth == guess == chosen for truth, guess in zip(truths, found, strict=True))
        by_class.append(2 * hits / (truths.count(chosen) + found.count(chosen)))
    assert float(fed(metrics.f1(CLASSES), *scored)) == pytest.approx(sum(by_class) / CLASSES)
    weighted = sum(truths.count(chosen) * by_class[chosen] for chosen in range(CLASSES)) / 40
    assert float(fed(metrics.f1(CLASSES, average="weighted"), *scored)) == pytest.approx(weighted)


def test_confusion_matrix(scored):
    pairs = list(zip(*counts(*scored), strict=True))
    expected = [[pairs.count((truth, guess)) for guess in range(CLASSES)] for truth in range(CLASSES)]
    assert fed(metrics.confusion_matrix(CLASSES), *scored).tolist() == expected
    assert metrics.confusion_matrix(CLASSES).axes == ("truth", "prediction")


@pytest.mark.parametrize(
    ("make", "ignored"),
    [
        (metrics.accuracy, -100),
        (metrics.accuracy, 1),
        (metrics.accuracy, 255),
        (metrics.f1, -100),
        (metrics.f1, 255),  # a class would still have its zero in the macro mean
        (metrics.confusion_matrix, -100),
        (metrics.confusion_matrix, 1),
    ],
)
def test_ignored_targets_do_not_count(make, ignored, scored):
    scores, target = scored
    target[::3] = ignored
    kept = target != ignored
    without = fed(make(CLASSES), scores[kept], target[kept])
    torch.testing.assert_close(fed(make(CLASSES, ignore_index=ignored), scores, target), without)


def test_errors_of_numbers():
    torch.manual_seed(0)
    predictions, target = torch.randn(10, 3), torch.randn(10, 3)
    differences = [x - y for x, y in zip(predictions.flatten().tolist(), target.flatten().tolist(), strict=True)]
    squared, absolute = sum(d * d for d in differences) / 30, sum(map(abs, differences)) / 30
    assert float(fed(metrics.mean_squared_error(), predictions, target)) == pytest.approx(squared, rel=1e-5)
    assert float(fed(metrics.mean_absolute_error(), predictions, target)) == pytest.approx(absolute, rel=1e-5)


def test_perplexity_is_the_exponential_of_the_loss():
    torch.manual_seed(0)
    outputs, target = torch.randn(6, CLASSES, 5), torch.randint(CLASSES, (6, 5))
    assert float(fed(metrics.Perplexity(), outputs, target)) == pytest.approx(
        math.exp(F.cross_entropy(outputs, target))
    )
    target[0, 2:] = -100
    expected = math.exp(F.cross_entropy(outputs, target, ignore_index=-100))
    assert float(fed(metrics.Perplexity(ignore_index=-100), outputs, target)) == pytest.approx(expected)


def test_perplexity_of_no_idea_is_the_number_of_classes():
    assert float(fed(metrics.Perplexity(), torch.zeros(5, 7), torch.arange(5))) == pytest.approx(7)


def test_perplexity_of_a_very_unlikely_truth_is_finite():
    outputs = torch.tensor([[0.0, 120.0], [0.0, 0.0]])
    assert float(fed(metrics.Perplexity(), outputs, torch.tensor([0, 0]), split=1)) == pytest.approx(
        math.exp((120 + math.log(2)) / 2), rel=1e-4
    )


def test_the_direction_of_each_metric_is_known():
    higher = [metrics.accuracy(CLASSES), metrics.top_k_accuracy(CLASSES, k=2), metrics.f1(CLASSES)]
    lower = [metrics.mean_squared_error(), metrics.mean_absolute_error(), metrics.Perplexity()]
    assert all(metric.higher_is_better is True for metric in higher)
    assert all(metric.higher_is_better is False for metric in lower)


def test_listing_imports_neither_torch_nor_torchmetrics():
    code = """
import sys, zoo_basics
assert len(zoo_basics.zoo_components()) == 33
print([name for name in ("torch", "torchmetrics", "torchvision", "numpy") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_confusion_matrix_can_be_of_shares(scored):
    """Rows are truths, columns what was predicted."""
    pairs = list(zip(*counts(*scored), strict=True))
    table = torch.tensor([[pairs.count((truth, guess)) for guess in range(CLASSES)] for truth in range(CLASSES)])
    for normalize, whole in (("true", table.sum(1, keepdim=True)), ("pred", table.sum(0, keepdim=True)), ("all", 40)):
        found = fed(metrics.confusion_matrix(CLASSES, normalize=normalize), *scored)
        torch.testing.assert_close(found, table / whole)


def test_top_k_takes_five_and_ignores_what_it_should():
    scores = torch.arange(7.0).flip(0).expand(4, 7).softmax(1)
    target = torch.tensor([0, 4, 5, 6])
    assert float(fed(metrics.top_k_accuracy(7), scores, target, split=2)) == 0.5
    assert float(fed(metrics.top_k_accuracy(7, k=6, ignore_index=6), scores, target, split=2)) == 1
    assert float(fed(metrics.top_k_accuracy(7, k=7), scores, target, split=2)) == 1


def test_perplexity_is_given_outputs_and_counts_what_is_kept():
    """By hand: of three places one is padding; two classes at even odds, then at 3 to 1."""
    assert metrics.Perplexity.takes_outputs is True
    outputs = torch.tensor([[0.0, 0.0], [0.0, math.log(3)], [9.0, 0.0]])
    found = fed(metrics.Perplexity(ignore_index=7), outputs, torch.tensor([0, 1, 7]), split=1)
    assert float(found) == pytest.approx(math.exp((math.log(2) - math.log(0.75)) / 2))


def test_metrics_start_anew_after_a_reset(scored):
    for make in (metrics.accuracy, metrics.f1, metrics.confusion_matrix):
        metric = make(CLASSES)
        first = fed(metric, *scored)
        metric.reset()
        assert torch.equal(fed(metric, *scored), first)
