"""SimCLR: any classifier learns what pictures look like without their labels (Chen et al., 2020)."""

from pathlib import Path

from zoo import dataset, hookimpl, loss, model, task


@hookimpl
def zoo_components():
    here = "simclr"
    return [
        task("simclr", "zoo_simclr.contrast:SimCLR", summary="Two views of a picture are told from those of others"),
        model("simclr", "zoo_simclr.contrast:Projected", task=here, summary="Any network, and a projection head"),
        dataset("two_views", "zoo_simclr.views:two_views", task=here, summary="Any pictures in memory, seen twice"),
        loss(
            "nt_xent",
            "zoo_simclr.contrast:NTXent",
            task=here,
            summary="Which two views are one (Chen et al., 2020)",
        ),
    ]


@hookimpl
def zoo_recipes():
    return Path(__file__).parent / "recipes"
