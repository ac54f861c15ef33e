"""Answers that ignore the input: each task's against a case worked out by hand, and what a run makes of them."""

import json
import math

import pytest
import torch

import zoo
from zoo import TensorSplit
from zoo.jobs.baselines import baselines_of
from zoo.jobs.scoring import Scoring
from zoo.training.hardware import choose_device
from zoo.training.learner import Learner
from zoo_basics.losses import CrossEntropy
from zoo_basics.tasks import Classification, Regression
from zoo_detection.detection import Detection
from zoo_seq.forecasting.metrics import StepError
from zoo_seq.forecasting.task import Forecasting
from zoo_seq.language.task import LanguageModel
from zoo_seq.tokenizing import Tokenizer
from zoo_seq.translation.one_sentence import most_alike
from zoo_seq.translation.task import Translation
from zoo_vision.segmentation.task import Segmentation

PIXELS = {"size": [8, 8], "mean": [0.5] * 3, "std": [0.25] * 3}


def scored(task, batch, train, loss=None, metrics=None):
    """The baselines of one batch and one training split."""
    learner = Learner(torch.nn.Identity(), task, loss)
    scoring = Scoring(learner, metrics or {}, _Once(batch), "val", choose_device("cpu"))
    return baselines_of(scoring, train)


class _Once:
    def __init__(self, batch):
        self.batch = batch

    def epoch(self, epoch, first=0):
        return iter([self.batch])


class Kept:
    """A metric that keeps the predictions."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.seen = []

    def update(self, predictions, target):
        self.seen.append(predictions)

    def compute(self):
        return torch.tensor(float(len(self.seen)))

    def __deepcopy__(self, memo):
        return self


def test_the_majority_class():
    """Of training labels 0, 1, 1 and one more of each: 2/6, 3/6, 1/6."""
    train = TensorSplit(input=torch.zeros(3, 2), label=torch.tensor([0, 1, 1]))
    batch = {"input": torch.randn(4, 2), "label": torch.tensor([1, 1, 2, 0])}
    kept = Kept()
    figures = scored(Classification(["a", "b", "c"]), batch, train, CrossEntropy(), {"kept": kept})
    assert kept.seen[0].argmax(dim=1).tolist() == [1, 1, 1, 1]
    expected = -(2 * math.log(3 / 6) + math.log(1 / 6) + math.log(2 / 6)) / 4
    assert figures["val/loss"] == {"majority class": pytest.approx(expected)}


def test_the_mean():
    train = TensorSplit(input=torch.zeros(2, 2), target=torch.tensor([[1.0, 0.0], [3.0, 2.0]]))
    batch = {"input": torch.randn(1, 2), "target": torch.tensor([[4.0, 0.0]])}
    assert scored(Regression(), batch, train, torch.nn.MSELoss()) == {"val/loss": {"mean": pytest.approx(2.5)}}


def test_a_series_goes_on_with_its_last_value_or_a_mean():
    """From 9, 0, 0, 1, 3: 3, 3 ...; or 1, 1.25 ..., the mean of the four before it each time; or 0, the mean of all."""
    future = torch.zeros(1, 4)
    batch = {"input": torch.tensor([[9.0, 0, 0, 1, 3]]), "target": future[:, :1], "future": future}
    task = Forecasting({"mean": 0.0, "deviation": 1.0, "tau": 5})
    figures = scored(task, batch, TensorSplit(input=torch.zeros(1, 5)), torch.nn.MSELoss(), {"step_error": StepError()})
    assert figures["val/error_4"] == {"mean": 0, "last value": 3, "mean of the last four": pytest.approx(1.703125)}
    assert figures["val/loss"]["last value"] == 9


def test_unigrams():
    """Of the tokens a, a, b and one more of each of three: 3/6, 2/6, 1/6."""
    vocab = Tokenizer.train("aab", "char").to_asset()
    index = Tokenizer.from_asset(vocab).vocab.index
    tokens = torch.tensor([[index["a"], index["a"], index["b"]]])
    figures = scored(
        LanguageModel(vocab),
        {"input": tokens, "label": tokens},
        TensorSplit(input=tokens, label=tokens),
        CrossEntropy(),
    )
    assert figures["val/loss"]["unigram"] == pytest.approx(-(2 * math.log(3 / 6) + math.log(2 / 6)) / 3)


def test_the_majority_of_pixels_that_are_not_void():
    mask = torch.tensor([[[1, 1], [0, 255]]], dtype=torch.uint8)
    task, kept = Segmentation(["sky", "road"], PIXELS), Kept()
    pictures = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    train = TensorSplit(input=pictures, mask=mask)
    loss = CrossEntropy(ignore_index=255)
    figures = scored(task, {"input": pictures, "mask": mask}, train, loss, {"kept": kept})
    assert kept.seen[0].tolist() == [[[1, 1], [1, 1]]]
    assert figures["val/loss"]["majority class"] == pytest.approx(-(2 * math.log(3 / 5) + math.log(2 / 5)) / 3)


def test_the_mean_box_of_each_class():
    """Class 0 at 0 to 4 and at 2 to 8 pixels: at 1 to 6. Class 1 never."""
    boxes = torch.tensor([[[0.0, 0, 4, 4], [0, 0, 0, 0]], [[2, 2, 8, 8], [0, 0, 0, 0]]])
    train = TensorSplit(
        input=torch.zeros(2, 3, 8, 8, dtype=torch.uint8), boxes=boxes, labels=torch.tensor([[0, -1], [0, -1]])
    )
    batch = {"input": torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "boxes": boxes[:1], "labels": torch.tensor([[0, -1]])}
    kept = Kept()
    scored(Detection(["cat", "dog"], PIXELS), batch, train, metrics={"kept": kept})
    ((found,),) = kept.seen
    torch.testing.assert_close(found["boxes"], torch.tensor([[1.0, 1, 6, 6]]))
    assert found["labels"].tolist() == [0]
    assert found["scores"].tolist() == [1]


@pytest.mark.parametrize("beam", [1, 3])
def test_one_sentence(beam):
    """Of three sentences the one that shares most words with the others, whatever is asked."""
    texts = ["the cat sits.", "the dog sits.", "a bird flies"]
    tokenizer = Tokenizer.train("\n".join(texts), "word", reserved=("<unk>", "<pad>", "<bos>", "<eos>"))
    index = tokenizer.vocab.index
    task = Translation(tokenizer.to_asset(), tokenizer.to_asset(), beam=beam)
    ends = torch.tensor([index["<bos>"]]), torch.tensor([index["<eos>"]])
    samples = [
        {"source": torch.cat([line, ends[1]]), "target": torch.cat([ends[0], line, ends[1]]), "references": [text]}
        for line, text in zip(tokenizer.encode_lines(texts), texts, strict=True)
    ]
    kept = Kept()
    figures = scored(task, task.collate(samples), samples, CrossEntropy(ignore_index=index["<pad>"]), {"kept": kept})
    assert kept.seen[0] in [[texts[0]] * 3, [texts[1]] * 3]  # both share as much
    assert math.isfinite(figures["val/loss"]["one sentence"])


def test_the_sentence_most_like_the_others():
    """Parts of a, ab, b: {a}, {a, ab, b}, {b}. F2 of a with all three: 1, 5/13, 0; of ab: 5/7, 1, 5/7; of b as of a."""
    assert most_alike(["a", "ab", "b"]) == 1


def test_answers_are_made_from_all_of_the_split_as_it_is(monkeypatch):
    """From a random part of it, not from the first samples of a split in order; and without its augmentation."""
    monkeypatch.setattr("zoo.jobs.baselines.SAMPLES", 50)
    labels = torch.arange(5).repeat_interleave(100)

    def refused(batch, generator):
        raise AssertionError("augmented")

    seen = []
    task = Classification()
    monkeypatch.setattr(task, "baselines", lambda train: seen.extend(train) or {})
    scored(task, {}, TensorSplit(transform=refused, input=torch.zeros(500, 1), label=labels))
    found = torch.cat([batch["label"] for batch in seen])
    assert len(found) == 50
    assert found.bincount(minlength=5).min() > 2


def test_a_map_style_split_is_asked_without_augmentation():
    class Plain(torch.utils.data.Dataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return {"input": torch.zeros(1), "target": torch.tensor([float(index)])}

    class Augmented(Plain):
        plain = Plain()

        def __getitem__(self, index):
            raise AssertionError("augmented")

    batch = {"input": torch.zeros(1, 1), "target": torch.tensor([[0.5]])}
    assert scored(Regression(), batch, Augmented(), torch.nn.MSELoss()) == {"val/loss": {"mean": 0}}


def test_a_run_keeps_and_shows_them(tmp_path):
    """The share of the digits' most frequent training class among the test digits, in results.json and the report."""
    from zoo_vision.digits import digits

    splits = digits().splits
    majority = splits["train"].tensors["label"].bincount().argmax()
    share = float((splits["test"].tensors["label"] == majority).float().mean())
    zoo.run("digits", {"train.epochs": 1, "train.device": "cpu"}, quick=True, out=tmp_path / "run")
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["baselines"]["test/accuracy"] == {"majority class": pytest.approx(share)}
    assert set(results["baselines"]) == set(results["figures"])
    assert f"majority class {share:.4g}" in (tmp_path / "run" / "report.html").read_text()
