"""A variational autoencoder: a task that adds noise, and a loss of two parts."""

from pathlib import Path

from zoo import hookimpl, loss, model, task


@hookimpl
def zoo_components():
    return [
        task("reconstruction", "zoo_vae.parts:Reconstruction", like="classification", summary="Make an input again"),
        model("vae", "zoo_vae.parts:VAE", task="reconstruction", summary="VAE (Kingma and Welling, 2014)"),
        loss("elbo", "zoo_vae.parts:ELBO", task="reconstruction", summary="Squared error, and KL divergence"),
    ]


@hookimpl
def zoo_recipes():
    return Path(__file__).parent / "recipes"
