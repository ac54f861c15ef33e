"""Pictures and their classes: the networks of Dive into Deep Learning from softmax regression to DenseNet."""

from collections.abc import Callable
from typing import Any

from zoo import Component, dataset, hookimpl, loss, metric, model, task


@hookimpl
def zoo_components() -> list[Component]:
    return [*MODELS, *TORCHVISION, *DATASETS, *SEGMENTATION, *STYLE_TRANSFER]


def _classifier(name: str, reference: str, summary: str) -> Component:
    return model(name, f"zoo_vision.{reference}", task="classification", summary=summary)


MODELS = [
    model("linear_regression", "zoo_vision.dense:linear_regression", task="regression", summary="One dense layer"),
    _classifier("softmax_regression", "dense:softmax_regression", "One dense layer, a logit for each class"),
    model("mlp", "zoo_vision.dense:MLP", task=["classification", "regression"], summary="A multilayer perceptron"),
    _classifier("lenet", "lenet:LeNet", "LeNet-5 (LeCun et al., 1998)"),
    _classifier("alexnet", "alexnet:AlexNet", "AlexNet (Krizhevsky et al., 2012)"),
    _classifier("vgg", "vgg:VGG", "VGG-11 to VGG-19 (Simonyan and Zisserman, 2015)"),
    _classifier("nin", "nin:NiN", "Network in Network (Lin et al., 2014)"),
    _classifier("googlenet", "googlenet:GoogLeNet", "GoogLeNet (Szegedy et al., 2015)"),
    _classifier("resnet", "resnet:ResNet", "ResNet-18 to ResNet-152 (He et al., 2016)"),
    _classifier("densenet", "densenet:DenseNet", "DenseNet (Huang et al., 2017)"),
]

TORCHVISION = [
    _classifier(f"torchvision.{name}", f"from_torchvision:{name}", f"torchvision's {summary}")
    for name, summary in {
        "resnet18": "ResNet-18 (He et al., 2016)",
        "resnet50": "ResNet-50 (He et al., 2016)",
        "resnext50_32x4d": "ResNeXt-50 (Xie et al., 2017)",
        "mobilenet_v2": "MobileNetV2 (Sandler et al., 2018)",
        "inception_v3": "Inception V3 (Szegedy et al., 2016)",
        "efficientnet_b0": "EfficientNet-B0 (Tan and Le, 2019)",
        "convnext_tiny": "ConvNeXt-T (Liu et al., 2022)",
        "vit_b_16": "ViT-B/16 (Dosovitskiy et al., 2021)",
    }.items()
]


SPLITS = ("train", "val", "test")


def _pictures(name: str, reference: str, summary: str) -> Component:
    return dataset(name, f"zoo_vision.{reference}", task="classification", summary=summary, splits=SPLITS)


DATASETS = [
    _pictures("fashion_mnist", "fashion_mnist:fashion_mnist", "Clothes, 28x28, ten classes (Xiao et al., 2017)"),
    _pictures("digits", "digits:digits", "scikit-learn's handwritten digits, 8x8: no download"),
    _pictures("cifar10", "cifar10:cifar10", "CIFAR-10, 32x32 (Krizhevsky, 2009)"),
    dataset(
        "picture_folder", "zoo_vision.picture_folder:picture_folder", task="classification",
        summary="A folder of pictures for each class", example={"folder": "example"}, splits=SPLITS,
    ),
    _pictures("picture_csv", "picture_csv:picture_csv", "A CSV file of pictures and labels, as Kaggle's"),
    dataset(
        "gaussian_linear", "zoo_vision.gaussian_linear:gaussian_linear", task="regression",
        summary="Synthetic linear regression with noise", splits=SPLITS[:2],
    ),
]  # fmt: skip


def _masks(make: Callable[..., Component], name: str, reference: str, summary: str, **more: Any) -> Component:
    return make(name, f"zoo_vision.segmentation.{reference}", task="segmentation", summary=summary, **more)


SEGMENTATION = [
    task("segmentation", "zoo_vision.segmentation.task:Segmentation", summary="Pictures in, a class a pixel out"),
    _masks(model, "fcn", "fcn:FCN", "The fully convolutional network on any backbone (Long et al., 2015)"),
    _masks(
        model, "torchvision.deeplabv3_mobilenet_v3_large", "from_torchvision:deeplabv3_mobilenet_v3_large",
        "torchvision's DeepLabV3 on MobileNetV3 (Chen et al., 2017)",
    ),
    _masks(
        model, "torchvision.lraspp_mobilenet_v3_large", "from_torchvision:lraspp_mobilenet_v3_large",
        "torchvision's LR-ASPP on MobileNetV3 (Howard et al., 2019)",
    ),
    _masks(
        dataset, "voc_segmentation", "voc_segmentation:voc_segmentation", "Pictures and masks, laid out as VOC's",
        splits=SPLITS,
    ),
    _masks(
        loss, "dice", "losses:Dice",
        "1 less the Dice coefficient, every class of a picture alike (Milletari et al., 2016)",
    ),
    _masks(metric, "mean_iou", "metrics:MeanIoU", "Intersection over union, of each class and the mean"),
    _masks(metric, "pixel_accuracy", "metrics:pixel_accuracy", "Share of pixels whose class is right"),
]  # fmt: skip


def _style(make: Callable[..., Component], name: str, reference: str, summary: str) -> Component:
    return make(name, f"zoo_vision.style_transfer.{reference}", task="style_transfer", summary=summary)


STYLE_TRANSFER = [
    task("style_transfer", "zoo_vision.style_transfer.task:StyleTransferTask", summary="One picture is trained"),
    _style(model, "style_transfer", "model:StyleTransfer", "A picture under a frozen network (Gatys et al., 2016)"),
    _style(
        dataset, "content_and_style", "content_and_style:content_and_style", "Two pictures: of shapes, and of looks"
    ),
    _style(loss, "style_transfer", "losses:StyleTransferLoss", "Content, style (Gram matrices) and total variation"),
]
