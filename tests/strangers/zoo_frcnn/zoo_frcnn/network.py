from torch import nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator


def faster_rcnn(num_classes: int, channels: int = 32, min_size: int = 64) -> nn.Module:
    """torchvision's Faster R-CNN (Ren et al., 2015) on four convolutions; its class 0 is the background.

    Args:
        channels: of the backbone's last layer.
        min_size: pixels that the shorter side of a picture is brought to.
    """
    layers: list[nn.Module] = []
    for inputs, outputs in ((3, 16), (16, channels), (channels, channels), (channels, channels)):
        layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.GroupNorm(4, outputs), nn.ReLU()]
    backbone = nn.Sequential(*layers)
    backbone.out_channels = channels
    anchors = AnchorGenerator(sizes=((12, 24, 48),), aspect_ratios=((0.5, 1.0, 2.0),))
    settings = {"rpn_post_nms_top_n_train": 100, "rpn_post_nms_top_n_test": 50, "box_detections_per_img": 20}
    return FasterRCNN(backbone, num_classes + 1, min_size=min_size, rpn_anchor_generator=anchors, **settings)
