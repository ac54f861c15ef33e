"""Sequences: from a sine wave to a Transformer that translates."""

from collections.abc import Callable

from zoo import Component, dataset, hookimpl, metric, model, task


@hookimpl
def zoo_components() -> list[Component]:
    return [*FORECASTING, *LANGUAGE]


FORECASTING = [
    task("forecasting", "zoo_seq.forecasting.task:Forecasting", summary="A row of numbers goes on"),
    model("ar_mlp", "zoo_seq.forecasting.ar_mlp:AutoregressiveMLP", task="forecasting", summary="A perceptron on the last numbers"),
    dataset("sine", "zoo_seq.forecasting.sine:sine", task="forecasting", summary="A noisy sine wave"),
    dataset("series_csv", "zoo_seq.forecasting.series_csv:series_csv", task="forecasting", summary="A column of a CSV file"),
    metric("step_error", "zoo_seq.forecasting.metrics:StepError", task="forecasting", summary="Errors 1, 4, 16 and 64 steps ahead"),
]  # fmt: skip


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
