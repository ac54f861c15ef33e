"""Knowledge distillation: a small classifier learns from what a large one, trained before, says of each input."""

from pathlib import Path

from zoo import hookimpl, loss


@hookimpl
def zoo_components():
    return [
        loss(
            "distillation",
            "zoo_distillation.distilling:Distillation",
            task="classification",
            summary="Cross entropy with the labels and with a teacher (Hinton et al., 2015)",
        )
    ]


@hookimpl
def zoo_recipes():
    return Path(__file__).parent / "recipes"
