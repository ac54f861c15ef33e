"""Object detection: the single-shot detector, its loss, decoding and metrics, and data sets of boxes."""

from __future__ import annotations

from zoo import Component, dataset, hookimpl, loss, metric, model, task


@hookimpl
def zoo_components() -> list[Component]:
    here = "detection"
    return [
        task("detection", "zoo_detection.detection:Detection", task=here, summary="boxes around objects in pictures"),
        model("tiny_ssd", "zoo_detection.tiny_ssd:TinySSD", task=here, summary="single-shot detector on five scales"),
        loss(
            "multibox",
            "zoo_detection.multibox:MultiboxLoss",
            task=here,
            summary="classes of anchors with hard-negative mining or focal, and boxes of the matched ones",
        ),
        metric(
            "mean_average_precision",
            "zoo_detection.coco:MeanAveragePrecision",
            task=here,
            summary="COCO's map, map_50, map_75 and by size",
        ),
        metric("voc_map", "zoo_detection.metrics:VocMap", task=here, summary="PASCAL VOC's mean average precision"),
        metric(
            "anchor_class_error",
            "zoo_detection.metrics:AnchorClassError",
            task=here,
            summary="the book's class error, over anchors: misleads, to compare only",
        ),
        metric(
            "anchor_box_mae",
            "zoo_detection.metrics:AnchorBoxMAE",
            task=here,
            summary="the book's box error, in offsets over anchors: misleads, to compare only",
        ),
        dataset(
            "scenes",
            "zoo_detection.scenes:scenes",
            task=("detection", "segmentation"),
            summary="drawn shapes on photographs, made from a seed: no download",
            splits=("train", "val"),
        ),
        dataset(
            "voc_boxes",
            "zoo_detection.voc:voc_boxes",
            task=here,
            summary="any folder in PASCAL VOC's layout",
            splits=("train", "val", "test"),
        ),
        dataset(
            "bananas",
            "zoo_detection.bananas:bananas",
            task=here,
            summary="the book's bananas: 1,000 and 100 pictures",
            splits=("train", "val"),
        ),
    ]
