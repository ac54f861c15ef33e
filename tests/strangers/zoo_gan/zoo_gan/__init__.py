"""Generative adversarial networks (Goodfellow et al., 2014): two optimizers, in a job of their own."""

from pathlib import Path

import typer

from zoo import dataset, hookimpl, metric, model, task


@hookimpl
def zoo_components():
    return [
        dataset("ring", "zoo_gan.parts:ring", task="generation", summary="Points around a circle"),
        model("gan", "zoo_gan.parts:GAN", task="generation", summary="A generator and a discriminator"),
        metric("energy_distance", "zoo_gan.parts:EnergyDistance", task="generation", summary="Of two sets of points"),
        task("generation", "zoo_gan.parts:Generation", summary="Points from noise, told from real ones"),
    ]


@hookimpl
def zoo_recipes():
    return Path(__file__).parent / "recipes"


@hookimpl
def zoo_tables():
    from zoo_gan.job import Settings

    return {"gan": Settings}


@hookimpl
def zoo_commands(app):
    @app.command("gan")
    def gan(recipe: str, overrides: list[str] = typer.Argument(None), out: Path | None = None) -> None:  # noqa: B008
        """Train a generator and a discriminator in turn."""
        from zoo_gan.job import begin

        begin(recipe, overrides or [], out)

    @app.command("gan-resume")
    def gan_resume(run: Path) -> None:
        """Go on with such a run that was stopped or killed."""
        from zoo_gan.job import go_on

        go_on(run)
