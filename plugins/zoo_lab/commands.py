"""`zoo compare`, `zoo preview`, `zoo bench` and `zoo sweep`. What each needs is imported when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from zoo import (
    Folder,
    InputError,
    OverridesArgument,
    QuickOption,
    RecipeArgument,
    RecipeCommand,
    print_json,
    print_table,
    say,
)


def add_commands(app: typer.Typer) -> None:
    app.command("compare")(compare)
    app.command("preview", cls=RecipeCommand)(preview)
    app.command("bench", cls=RecipeCommand)(bench)
    app.command("sweep", cls=RecipeCommand)(sweep)


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.")],
    plot: Annotated[Path | None, typer.Option(help="A folder for plots of each figure, a line for every run.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show runs side by side: where their recipes differ, and what they reached.

    Of two folders of `zoo repeat` it is said for each figure whether they differ, or whether it may be chance.
    """
    from zoo_lab.compare import compare_runs, run_curves
    from zoo_lab.repeat import compare_repeats, is_repeat

    if len(runs) == 2 and all(map(is_repeat, runs)):
        _print_repeats(compare_repeats(*runs), as_json)
        return
    compared = compare_runs(runs)
    if as_json:
        print_json(compared)
    else:
        rows = [*compared["differences"].items(), *compared["figures"].items()]
        print_table(("", *compared["runs"]), [(key, *map(_shown, values)) for key, values in rows])
    if plot is not None:
        plot.mkdir(parents=True, exist_ok=True)
        for name, content in run_curves({str(run): Folder.open(run) for run in runs}):
            (plot / f"{name}.png").write_bytes(content)
            say(str(plot / f"{name}.png"))


def _print_repeats(compared: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(compared)
        return
    columns = ("figure", *compared["runs"], "difference", "p", "the second is")
    rows = [
        (
            name,
            *(_interval(stated[key]) for key in ("first", "second", "difference")),
            f"{stated['p']:.2g}",
            stated["verdict"],
        )
        for name, stated in compared["figures"].items()
    ]
    print_table(columns, rows)


def _interval(stated: dict[str, float]) -> str:
    return f"{stated['mean']:.4g} ({stated['low']:.4g} to {stated['high']:.4g})"


def preview(
    recipe: RecipeArgument,
    overrides: OverridesArgument = None,
    quick: QuickOption = False,
    out: Annotated[Path, typer.Option(help="The picture to write.")] = Path("preview.png"),
    samples: Annotated[int, typer.Option(help="How many samples.", min=1, max=400)] = 32,
) -> None:
    """Draw training samples as the model sees them, augmented, with their labels."""
    from zoo_lab.preview import draw_samples

    draw_samples(recipe, overrides or [], quick, samples).save(out)
    say(str(out))


def bench(
    recipe: RecipeArgument,
    overrides: OverridesArgument = None,
    batch_size: Annotated[str, typer.Option(help="Sizes, with commas between.")] = "32,64,96,128,256",
    seconds: Annotated[float, typer.Option(help="How long each size is timed, both ways together.", min=0.1)] = 10.0,
    quick: QuickOption = False,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    out: Annotated[Path | None, typer.Option(help="A folder for bench.csv and bench.png.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Time training with batches of several sizes, end to end and without loading; show where it stops to gain."""
    from zoo_lab.bench import bench_recipe, knee, write_bench

    texts = [*(overrides or []), *([f"train.device={device}"] if device else [])]
    rows = []
    for row in bench_recipe(recipe, texts, _sizes(batch_size), seconds, quick):
        rows.append(row)
        if not as_json:
            say(f"batches of {row.batch_size}: {row.examples_per_second:.1f} examples/s")
    best = knee(rows)
    if as_json:
        print_json({"rows": [row.as_json() for row in rows], "knee": best})
    else:
        columns = ("batch size", "examples/s", "less loading", "peak memory, MiB", "")
        print_table(
            columns,
            [
                (
                    str(row.batch_size), f"{row.examples_per_second:.1f}", f"{row.less_loading:.1f}",
                    f"{row.peak_mib:.0f}", "<- the knee" if row.batch_size == best else "",
                )
                for row in rows
            ],
        )  # fmt: skip
    if out is not None:
        write_bench(out, rows)
        say(f"{out / 'bench.csv'}, {out / 'bench.png'}")


def sweep(
    recipe: RecipeArgument,
    overrides: OverridesArgument = None,
    over: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUES to vary: optimizer.lr='{low=1e-4, high=0.1, log=true}'.")
    ] = None,
    quick: QuickOption = False,
    workers: Annotated[int, typer.Option(help="Trials side by side.", min=1)] = 1,
    out: Annotated[Path | None, typer.Option(help="The sweep's folder, also one to go on with.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run a recipe with other values again and again: over the whole space first, then around the best."""
    from zoo_lab.sweep.report import run_sweep

    results = run_sweep(recipe, overrides or [], over or [], quick=quick, out=out, workers=workers)
    if as_json:
        print_json(results)
        return
    keys = list(results["best"]["point"])
    rows = [
        (str(trial["number"]), trial["state"], *(str(trial["point"][key]) for key in keys), _shown(trial["value"]))
        for trial in results["trials"]
    ]
    print_table(("trial", "state", *keys, results["figure"]), rows)
    say(results["text"])
    say(f"report: {results['folder']}/report.html")


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError:
        sizes = [0]
    if min(sizes) < 1:
        raise InputError(f"`{text}` is no list of batch sizes", "--batch-size 32,64,128")
    return sizes
