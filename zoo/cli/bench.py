"""`zoo bench RECIPE --batch-size 32,64,128`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.arguments import Overrides, Quick, RecipeName
from zoo.cli.output import print_json, print_table, say
from zoo.errors import InputError


def bench(
    recipe: RecipeName,
    overrides: Overrides = None,
    batch_size: Annotated[str, typer.Option(help="Sizes, with commas between.")] = "32,64,96,128,256",
    seconds: Annotated[float, typer.Option(help="How long each size is timed, both ways together.", min=0.1)] = 10.0,
    quick: Quick = False,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    out: Annotated[Path | None, typer.Option(help="A folder for bench.csv and bench.png.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Time training with batches of several sizes, end to end and without loading; show where it stops to gain."""
    from zoo.jobs.bench import bench_recipe, knee, write_bench

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


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError:
        sizes = [0]
    if min(sizes) < 1:
        raise InputError(f"`{text}` is no list of batch sizes", "--batch-size 32,64,128")
    return sizes
