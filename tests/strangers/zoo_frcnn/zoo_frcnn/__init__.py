"""torchvision's Faster R-CNN, which makes its own losses."""

from pathlib import Path

from zoo import dataset, hookimpl, model, task


@hookimpl
def zoo_components():
    return [
        task("rcnn", "zoo_frcnn.rcnn:RCNN", like="detection", summary="Boxes, by models that make their own losses"),
        model("faster_rcnn", "zoo_frcnn.network:faster_rcnn", task="rcnn", summary="A small one (Ren et al., 2015)"),
        dataset("bricks", "zoo_frcnn.data:bricks", task="rcnn", summary="Coloured bricks on pictures of many sizes"),
    ]


@hookimpl
def zoo_recipes():
    return Path(__file__).parent / "recipes"
