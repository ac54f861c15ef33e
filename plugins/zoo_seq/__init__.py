"""Sequences: from a sine wave to a Transformer that translates."""

from collections.abc import Callable
from typing import Any

from zoo import Component, dataset, hookimpl, metric, model, task


@hookimpl
def zoo_components() -> list[Component]:
    return [*FORECASTING, *LANGUAGE, *TRANSLATION]


HELD_OUT = ("train", "val")  # the splits of most data sets here


def _forecast(make: Callable[..., Component], name: str, reference: str, summary: str, **more: Any) -> Component:
    return make(name, f"zoo_seq.forecasting.{reference}", task="forecasting", summary=summary, **more)


FORECASTING = [
    task("forecasting", "zoo_seq.forecasting.task:Forecasting", summary="A row of numbers goes on"),
    _forecast(model, "ar_mlp", "ar_mlp:AutoregressiveMLP", "A perceptron on the last numbers"),
    _forecast(dataset, "sine", "sine:sine", "A noisy sine wave", splits=HELD_OUT),
    _forecast(
        dataset,
        "series_csv",
        "series_csv:series_csv",
        "A column of a CSV file",
        example={"path": "series.csv", "column": "value"},
        splits=HELD_OUT,
    ),
    _forecast(metric, "step_error", "metrics:StepError", "Errors 1, 4, 16 and 64 steps ahead"),
]


def _language(make: Callable[..., Component], name: str, reference: str, summary: str, **more: Any) -> Component:
    return make(name, f"zoo_seq.language.{reference}", task="language_model", summary=summary, **more)


LANGUAGE = [
    task("language_model", "zoo_seq.language.task:LanguageModel", summary="What comes next in a text"),
    _language(model, "rnn", "recurrent:rnn", "Recurrent network (Elman, 1990)"),
    _language(model, "gru", "recurrent:gru", "Gated recurrent units (Cho et al., 2014)"),
    _language(model, "lstm", "recurrent:lstm", "Long short-term memory (Hochreiter and Schmidhuber, 1997)"),
    _language(model, "gpt", "gpt:GPT", "A decoder-only Transformer (Radford et al., 2018)"),
    _language(
        dataset, "text_file", "text_file:text_file", "Any text; without a file, Python's help texts", splits=HELD_OUT
    ),
    _language(
        dataset, "timemachine", "timemachine:timemachine", "H. G. Wells, The Time Machine (1895)", splits=HELD_OUT
    ),
]


def _translation(make: Callable[..., Component], name: str, reference: str, summary: str, **more: Any) -> Component:
    return make(name, f"zoo_seq.translation.{reference}", task="translation", summary=summary, **more)


TRANSLATION = [
    task("translation", "zoo_seq.translation.task:Translation", summary="Sentences in, sentences out"),
    _translation(model, "seq2seq", "seq2seq:Seq2Seq", "Recurrent encoder and decoder (Sutskever et al., 2014)"),
    _translation(model, "transformer", "transformer:Transformer", "The Transformer (Vaswani et al., 2017)"),
    _translation(
        dataset,
        "number_words",
        "number_words:number_words",
        "Numbers in English and French words: no download",
        splits=HELD_OUT,
    ),
    _translation(dataset, "fra_eng", "fra_eng:fra_eng", "Short English-French pairs (tatoeba.org)", splits=HELD_OUT),
    _translation(
        dataset,
        "parallel_text",
        "parallel_text:parallel_text",
        "Two files with a sentence a line",
        splits=(*HELD_OUT, "test"),
    ),
    _translation(metric, "bleu", "metrics:BLEU", "Corpus BLEU, by sacrebleu (Papineni et al., 2002)"),
    _translation(metric, "chrf", "metrics:ChrF", "Character n-gram F-score, by sacrebleu (Popović, 2015)"),
    _translation(metric, "book_bleu", "metrics:BookBLEU", "Dive into Deep Learning's BLEU"),
]
