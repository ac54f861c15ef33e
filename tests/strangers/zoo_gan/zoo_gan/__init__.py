"""Generative adversarial networks (Goodfellow et al., 2014): two optimizers, in a job of their own."""

from pathlib import Path

import typer

import zoo
from zoo_gan.job import Settings, players


@zoo.hookimpl
def zoo_components():
    return [
        zoo.dataset("ring", "zoo_gan.parts:ring", task="generation", summary="Points around a circle"),
        zoo.model("gan", "zoo_gan.parts:GAN", task="generation", summary="A generator and a discriminator"),
        zoo.metric("energy_distance", "zoo_gan.parts:EnergyDistance", task="generation", summary="Of two clouds"),
        zoo.task("generation", "zoo_gan.parts:Generation", summary="Points from noise, told from real ones"),
    ]


@zoo.hookimpl
def zoo_recipes():
    return Path(__file__).parent / "recipes"


@zoo.hookimpl
def zoo_tables():
    return {"gan": Settings}


@zoo.hookimpl
def zoo_commands(app):
    @app.command("gan")
    def gan(recipe: str, overrides: list[str] = typer.Argument(None), out: Path | None = None) -> None:  # noqa: B008
        """Train a generator and a discriminator, each with its optimizer."""
        experiment = zoo.prepare(recipe, overrides or [])
        steps = players(experiment)
        with zoo.show_progress(), zoo.start_run(experiment, out) as run:
            train(experiment, run, steps)

    @app.command("gan-resume")
    def gan_resume(run: Path) -> None:
        """Go on with such a run that was stopped or killed."""
        with zoo.show_progress(), zoo.resume_run(run) as (experiment, live):
            train(experiment, live, players(experiment))


def train(experiment, run, steps):
    run.resume_command = "zoo gan-resume"
    zoo.print_results(zoo.train(experiment, run, steps))
