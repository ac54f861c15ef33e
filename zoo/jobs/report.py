"""`pictures/` and `report.html`: curves, figures, and predictions drawn beside the truth, the worst first."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from zoo.jobs.evaluate import evaluating, predictions_of
from zoo.runs.folder import PICTURES, REPORT, Folder
from zoo.training.batches import sample_of

if TYPE_CHECKING:
    from zoo.jobs.scoring import Scoring

LOOKED_AT = 200


Picture = tuple[str, bytes]  # a name, and a PNG file's content
Judged = tuple[float, int, dict[str, Any], Any]


def write_report(
    folder: Folder,
    results: Mapping[str, Any],
    pictures: Iterable[Picture],
    texts: Sequence[dict[str, str]] = (),
    note: str = "",
) -> None:
    """Write `pictures/*.png` and `report.html`, one file that opens without a network.

    Args:
        texts: predictions in words, a row each; `note` says which they are.
    """
    written = []
    for name, content in pictures:
        folder.write(f"{PICTURES}/{name}.png", content)
        written.append((name, content))
    folder.write(REPORT, _page(folder.path, results, written, texts, note).encode())


def write_run_report(folder: Folder, results: Mapping[str, Any], scoring: Scoring, count: int) -> None:
    """A run's curves and figures, the model itself, and so many predictions, the worst first."""
    seen = list(_judged(scoring)) if count else []
    judged = sorted(seen, key=lambda sample: sample[0], reverse=True)[:count]
    tables = _heat_maps(results.get("tables", {}), folder.assets().get("classes"))
    curves = _curves(folder.log.events())
    pictures = [*curves, *tables, *_portraits(scoring), *_comparisons(scoring, judged)]
    texts = [scoring.task.texts(sample, prediction) for _, _, sample, prediction in judged]
    note = (
        f"Of the first {len(seen)} samples of `{scoring.split}` the {len(judged)} worst, the worst first."
        if seen
        else ""
    )
    write_report(folder, results, pictures, [row for row in texts if row], note if seen else "")


def side_by_side(images: Iterable[Any]) -> Any:
    """PIL images in a row on white, with a gap of 8 pixels."""
    from PIL import Image

    row = list(images)
    width = sum(image.width for image in row) + 8 * (len(row) - 1)
    sheet = Image.new("RGB", (width, max(image.height for image in row)), "white")
    left = 0
    for image in row:
        sheet.paste(image, (left, 0))
        left += image.width + 8
    return sheet


def _comparisons(scoring: Scoring, judged: list[Judged]) -> Iterable[Picture]:
    """Truth and prediction, side by side."""
    for number, (_, index, sample, prediction) in enumerate(judged):
        images = [scoring.task.draw(sample, prediction, truth) for truth in (True, False)]
        if all(image is not None for image in images):
            yield f"{scoring.split}-{number:02d}-sample-{index}", _png(side_by_side(images))


def _heat_maps(tables: Mapping[str, Any], classes: Sequence[str] | None) -> Iterable[Picture]:
    """A square table of counts as a picture: rows are the truth, columns the predictions; a row's shares as colours."""
    from matplotlib.figure import Figure

    for name, rows in tables.items():
        size = len(rows)
        if not all(isinstance(row, list) and len(row) == size for row in rows):
            continue
        labels = classes if classes and len(classes) == size else [str(number) for number in range(size)]
        figure = Figure(figsize=(3 + 0.35 * size, 2.5 + 0.35 * size), dpi=110, layout="constrained")
        axes = figure.subplots()
        axes.imshow([[value / max(1, sum(row)) for value in row] for row in rows], cmap="Blues", vmin=0, vmax=1)
        for y, row in enumerate(rows if size <= 30 else ()):
            for x, value in enumerate(row):
                colour = "white" if value > 0.5 * sum(row) else "black"
                axes.text(x, y, f"{value:g}", ha="center", va="center", fontsize=7, color=colour)
        axes.set(xlabel="predicted", ylabel="truth", title=name, xticks=range(size), yticks=range(size))
        axes.set_xticklabels(labels, rotation=90, fontsize=7)
        axes.set_yticklabels(labels, fontsize=7)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
        yield name.replace("/", "-"), buffer.getvalue()


def _portraits(scoring: Scoring) -> Iterable[Picture]:
    with evaluating(scoring.learner):
        images = scoring.task.pictures(scoring.model, next(scoring.batches.epoch(0)))
    for name, image in images.items():
        yield name, _png(image)


def _png(image: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _judged(scoring: Scoring) -> Iterable[Judged]:
    """The split's first samples: how bad the prediction is, the sample's index, sample and prediction."""
    index = 0
    for batch in scoring.batches.epoch(0):
        for position, prediction in enumerate(predictions_of(scoring, batch)):
            sample = _on_cpu(sample_of(batch, position))
            yield scoring.task.difficulty(sample, prediction), index, sample, prediction
            index += 1
        if index >= LOOKED_AT:
            return


def _on_cpu(sample: dict[str, Any]) -> dict[str, Any]:
    return {name: value.cpu() if isinstance(value, torch.Tensor) else value for name, value in sample.items()}


def _curves(events: list[dict[str, Any]]) -> Iterable[Picture]:
    """A plot of the losses over steps, and one of the other evaluated figures."""
    names = {name for event in events for name in event} - {"step", "epoch", "lr"}
    losses = sorted(name for name in names if name.partition("/")[2].startswith("loss"))
    others = sorted(name for name in names - set(losses))
    for title, chosen in (("loss", losses), ("figures", others)):
        series = {name: _points(events, name) for name in chosen}
        if series:
            yield title, _plot(title, series)


def _points(events: list[dict[str, Any]], name: str) -> list[tuple[int, float]]:
    return [(event["step"], event[name]) for event in events if name in event]


def _plot(title: str, series: Mapping[str, list[tuple[int, float]]]) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), dpi=110, layout="constrained")
    axes = figure.subplots()
    for name, points in series.items():
        axes.plot(*zip(*points, strict=True), label=name, marker="." if len(points) < 30 else None, linewidth=1.4)
    axes.set_xlabel("step")
    axes.set_title(title)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    values = [value for points in series.values() for _, value in points]
    if title == "loss" and min(values) > 0 and max(values) > 50 * min(values):
        axes.set_yscale("log")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _page(
    path: Path, results: Mapping[str, Any], shown: list[Picture], texts: Sequence[dict[str, str]], note: str
) -> str:
    title = f"{path.parent.name}/{path.name}"
    baselines = results.get("baselines", {})
    rows = "".join(
        f"<tr><td>{html.escape(name)}<td>{value:.4g}<td>{html.escape(beside(baselines.get(name, {})))}"
        for name, value in results["figures"].items()
    )
    rows += "".join(
        f"<tr><td>{html.escape(name.replace('_', ' '))}<td>{html.escape(str(results[name]))}"
        for name in ("steps", "best_step", "examples_per_second", "seconds", "device", "precision")
        if name in results
    )
    verdicts = "".join(
        f"<li class={'met' if verdict['met'] else 'missed'}>{html.escape(name)}: {verdict['value']} "
        f"({'met' if verdict['met'] else 'missed'})"
        for name, verdict in results["expect"].items()
    )
    pictures = "".join(map(embedded_picture, shown))
    return page(
        title,
        f"<table>{rows}</table><ul>{verdicts}</ul><p>{html.escape(note)}</p>{_table(texts)}<main>{pictures}</main>",
    )


def beside(baselines: Mapping[str, float]) -> str:
    """Return what answers that ignore the input score, in words: `majority class 0.1`."""
    return ", ".join(f"{name} {value:.4g}" for name, value in baselines.items())


def _table(rows: Sequence[dict[str, str]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{html.escape(name)}" for name in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{html.escape(text)}" for text in row.values()) for row in rows)
    return f"<table class=texts><tr>{head}{body}</table>"


def page(title: str, body: str) -> str:
    """A page of HTML that needs no other file."""
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(title)}</title>{_STYLE}"
        f"<h1>{html.escape(title)}</h1>{body}</html>\n"
    )


def embedded_picture(picture: Picture) -> str:
    """A picture with its caption, as HTML."""
    name, content = picture
    return (
        f"<figure><img src='data:image/png;base64,{base64.b64encode(content).decode()}' alt='{html.escape(name)}'>"
        f"<figcaption>{html.escape(_caption(name))}</figcaption></figure>"
    )


def _caption(name: str) -> str:
    return f"{name}: truth, prediction" if "-sample-" in name else name


_STYLE = """<style>
body { font: 16px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 1100px; padding: 0 1rem }
td { padding: 0.1rem 1rem 0.1rem 0 } td + td { font-variant-numeric: tabular-nums }
main { display: flex; flex-wrap: wrap; gap: 1rem } figure { margin: 0 } img { max-width: 100% }
.texts { margin: 1rem 0 } th { text-align: left } .texts td { vertical-align: top; border-top: 1px solid #ddd }
figcaption { color: #555; font-size: 0.85rem } .missed { color: #b00 } .met { color: #070 }
</style>"""
