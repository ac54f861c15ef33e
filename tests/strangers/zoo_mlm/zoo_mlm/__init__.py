"""A masked language model of sentence pairs (Devlin et al., 2019), made small, and a classifier on its encoder."""

from pathlib import Path

from zoo import dataset, hookimpl, loss, model, task


@hookimpl
def zoo_components():
    return [
        task("mlm", "zoo_mlm.learning:MaskedLanguage", summary="Masked words, and is the next sentence the next?"),
        loss("mlm", "zoo_mlm.learning:WordsAndNext", task="mlm", summary="The two losses of Devlin et al., 2019"),
        model("mlm", "zoo_mlm.learning:MaskedLanguageModel", task="mlm", summary="An encoder with two heads"),
        model("sentence_classes", "zoo_mlm.learning:SentenceClasses", task="classification", summary="One with one"),
        dataset("sentence_pairs", "zoo_mlm.data:sentence_pairs", task="mlm", summary="Animals do this, and did that"),
        dataset("sentences", "zoo_mlm.data:sentences", task="classification", summary="Which animal is it about?"),
    ]


@hookimpl
def zoo_recipes():
    return Path(__file__).parent / "recipes"
