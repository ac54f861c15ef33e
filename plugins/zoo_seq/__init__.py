"""Sequences: from a sine wave to a Transformer that translates."""

from collections.abc import Callable

from zoo import Component, dataset, hookimpl, metric, model, task


@hookimpl
def zoo_components() -> list[Component]:
    return [*FORECASTING, *LANGUAGE, *TRANSLATION]


def _forecast(
    make: Callable[..., Component], name: str, reference: str, summary: str, example: dict[str, str] | None = None
) -> Component:
    return make(name, f"zoo_seq.forecasting.{reference}", task="forecasting", summary=summary, example=example)


FORECASTING = [
    task("forecasting", "zoo_seq.forecasting.task:Forecasting", summary="A row of numbers goes on"),
    _forecast(model, "ar_mlp", "ar_mlp:AutoregressiveMLP", "A perceptron on the last numbers"),
    _forecast(dataset, "sine", "sine:sine", "A noisy sine wave"),
    _forecast(
        dataset,
        "series_csv",
        "series_csv:series_csv",
        "A column of a CSV file",
        {"path": "series.csv", "column": "value"},
    ),
    _forecast(metric, "step_error", "metrics:StepError", "Errors 1, 4, 16 and 64 steps ahead"),
]


def _language(make: Callable[..., Component], name: str, reference: str, summary: str) -> Component:
    return make(name, f"zoo_seq.language.{reference}", task="language_model", summary=summary)


LANGUAGE = [
    task("language_model", "zoo_seq.language.task:LanguageModel", summary="What comes next in a text"),
    _language(model, "rnn", "recurrent:rnn", "Recurrent network (Elman, 1990)"),
    _language(model, "gru", "recurrent:gru", "Gated recurrent units (Cho et al., 2014)"),
    _language(model, "lstm", "recurrent:lstm", "Long short-term memory (Hochreiter and Schmidhuber, 1997)"),
    _language(model, "gpt", "gpt:GPT", "A decoder-only Transformer (Radford et al., 2018)"),
    _language(dataset, "text_file", "text_file:text_file", "Any text; without a file, Python's help texts"),
    _language(dataset, "timemachine", "timemachine:timemachine", "H. G. Wells, The Time Machine (1895)"),
]


def _translation(make: Callable[..., Component], name: str, reference: str, summary: str) -> Component:
    return make(name, f"zoo_seq.translation.{reference}", task="translation", summary=summary)


TRANSLATION = [
    task("translation", "zoo_seq.translation.task:Translation", summary="Sentences in, sentences out"),
    _translation(model, "seq2seq", "seq2seq:Seq2Seq", "Recurrent encoder and decoder (Sutskever et al., 2014)"),
    _translation(model, "transformer", "transformer:Transformer", "The Transformer (Vaswani et al., 2017)"),
    _translation(
        dataset, "number_words", "number_words:number_words", "Numbers in English and French words: no download"
    ),
    _translation(dataset, "fra_eng", "fra_eng:fra_eng", "Short English-French pairs (tatoeba.org)"),
    _translation(dataset, "parallel_text", "parallel_text:parallel_text", "Two files with a sentence a line"),
    _translation(metric, "bleu", "metrics:BLEU", "Corpus BLEU, by sacrebleu (Papineni et al., 2002)"),
    _translation(metric, "chrf", "metrics:ChrF", "Character n-gram F-score, by sacrebleu (Popović, 2015)"),
    _translation(metric, "book_bleu", "metrics:BookBLEU", "Dive into Deep Learning's BLEU"),
]
