"""Networks in Darknet's format, written from the tables of their papers, with what their authors say they cost.

`PUBLISHED` has for each: its text, the operations in billions as published (two for each multiply-accumulate), and who
says so.
"""

from collections.abc import Iterable

IMAGENET = "https://pjreddie.com/darknet/imagenet/"
YOLO = "https://pjreddie.com/darknet/yolo/"
TINY = "https://pjreddie.com/darknet/tiny-darknet/"
ALEXEY = "https://github.com/AlexeyAB/darknet (README)"


def section(kind: str, **settings: object) -> str:
    return "\n".join([f"[{kind}]", *(f"{key}={value}" for key, value in settings.items()), ""])


def net(size: int, *layers: str, channels: int = 3) -> str:
    return "\n".join([section("net", width=size, height=size, channels=channels, batch=1, learning_rate=0.1), *layers])


def conv(
    filters: int, size: int = 3, stride: int = 1, *, activation: str = "leaky", norm: bool = True, **more: object
) -> str:
    norms = {"batch_normalize": 1} if norm else {}
    settings = {"filters": filters, "size": size, "stride": stride, "pad": 1, "activation": activation}
    return section("convolutional", **norms, **{**settings, **more})


def pool(size: int = 2, stride: int = 2, **more: object) -> str:
    return section("maxpool", size=size, stride=stride, **more)


def route(*layers: int, **more: object) -> str:
    return section("route", layers=",".join(map(str, layers)), **more)


def shortcut(layer: int = -3, activation: str = "linear") -> str:
    return section("shortcut", **{"from": layer}, activation=activation)


def last(classes: int = 1000) -> list[str]:
    """Darknet's own classifier: a convolution to the classes, and the mean of each."""
    return [conv(classes, 1, activation="linear", norm=False), section("avgpool"), section("softmax", groups=1)]


def pairs(widths: Iterable[int]) -> list[str]:
    """1×1 where the width is less than that of the layer before, as in the YOLO papers, else 3×3."""
    layers, before = [], 0
    for width in widths:
        layers.append(conv(width, 1 if width < before else 3))
        before = width
    return layers


def alexnet() -> str:
    """Krizhevsky et al. 2012, in one tower: no padding in the first layer and the poolings."""
    plain = {"activation": "relu", "norm": False}
    dense = [line for size in (4096, 4096) for line in (section("connected", output=size, activation="relu"), drop())]
    return net(
        227,
        conv(96, 11, 4, **plain, pad=0),
        pool(3, 2, padding=0),
        conv(256, 5, **plain),
        pool(3, 2, padding=0),
        *(conv(width, **plain) for width in (384, 384, 256)),
        pool(3, 2, padding=0),
        *dense,
        section("connected", output=1000, activation="linear"),
        section("softmax", groups=1),
        section("cost", type="sse"),
    )


def drop() -> str:
    return section("dropout", probability=0.5)


def vgg16() -> str:
    """Simonyan and Zisserman 2014, configuration D."""
    stages = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
    body = [line for width, depth in stages for line in [*[conv(width, activation="relu", norm=False)] * depth, pool()]]
    dense = [line for size in (4096, 4096) for line in (section("connected", output=size, activation="relu"), drop())]
    return net(224, *body, *dense, section("connected", output=1000, activation="linear"), section("softmax", groups=1))


def extraction() -> str:
    """The classifier of Redmon et al. 2015 (YOLO), figure 3 up to its detection layers."""
    return net(
        224,
        conv(64, 7, 2),
        pool(),
        conv(192),
        pool(),
        *(conv(128, 1), conv(256), conv(256, 1), conv(512)),
        pool(),
        *[conv(256, 1), conv(512)] * 4,
        *(conv(512, 1), conv(1024)),
        pool(),
        *[conv(512, 1), conv(1024)] * 2,
        *last(),
    )


def reference(size: int, end: list[str]) -> str:
    """The Darknet reference model: widths double behind every pooling."""
    body = [line for width in (16, 32, 64, 128, 256, 512) for line in (conv(width), pool())]
    return net(size, *body, conv(1024), *end)


def tiny_darknet() -> str:
    """The table of the page that presents it."""
    return net(
        224,
        *(conv(16), pool(), conv(32), pool()),
        *[conv(16, 1), conv(128)] * 2,
        pool(),
        *[conv(32, 1), conv(256)] * 2,
        pool(),
        *[conv(64, 1), conv(512)] * 2,
        conv(128, 1),
        *last(),
    )


DARKNET19 = ([64], [128, 64, 128], [256, 128, 256], [512, 256, 512, 256, 512], [1024, 512, 1024, 512, 1024])


def darknet19(size: int) -> str:
    """Redmon and Farhadi 2016 (YOLO9000), table 6."""
    body = [line for widths in DARKNET19 for line in (pool(), *pairs(widths))]
    return net(size, conv(32), *body, *last())


def darknet53_body() -> list[str]:
    """Redmon and Farhadi 2018 (YOLOv3), table 1."""
    layers = [conv(32)]
    for width, depth in ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)):
        layers += [conv(width, 3, 2), *[conv(width // 2, 1), conv(width), shortcut()] * depth]
    return layers


def pooled_end() -> list[str]:
    classifier = conv(1000, 1, activation="linear", norm=False)
    return [section("avgpool"), classifier, section("softmax", groups=1)]


def darknet53(size: int) -> str:
    return net(size, *darknet53_body(), *pooled_end())


def resnet(depths: Iterable[int]) -> str:
    """He et al. 2015, table 1, with basic blocks; where the shape changes, a shortcut has no weights (option A)."""
    layers = [conv(64, 7, 2), pool()]
    for stage, depth in enumerate(depths):
        for block in range(depth):
            stride = 2 if stage and not block else 1
            layers += [conv(64 << stage, 3, stride), conv(64 << stage, activation="linear"), shortcut(-3, "leaky")]
    return net(256, *layers, *pooled_end())


def bottleneck_resnet(
    depths: Iterable[int], end: list[str], *, width: int = 64, wide: int = 256, groups: int = 1
) -> str:
    """He et al. 2015 and Xie et al. 2016, table 1: bottlenecks of `width` in the first stage that leave `wide`.

    Darknet's deeper ResNeXts are wide in another way than the paper's: 64 and 512 in the first stage, not 128 and 256.
    """
    layers = [conv(64, 7, 2), pool()]
    for stage, depth in enumerate(depths):
        inner = width << stage
        for block in range(depth):
            stride = 2 if stage and not block else 1
            middle = conv(inner, 3, stride, **({"groups": groups} if groups > 1 else {}))
            layers += [conv(inner, 1), middle, conv(wide << stage, 1, activation="linear"), shortcut(-4, "leaky")]
    return net(256, *layers, *end)


def densenet201() -> str:
    """Huang et al. 2016, table 1, with convolutions before their norms.

    Darknet's network halves the channels like the paper's but in the third transition: 1792 become 512 there, not 896.
    With 896 it would be 11.45 billion operations.
    """
    layers = [conv(64, 7, 2), pool()]
    for depth, transition in ((6, 128), (12, 256), (48, 512), (32, 0)):
        layers += [conv(128, 1), conv(32), route(-1, -3)] * depth
        layers += [conv(transition, 1), pool()] if transition else []
    return net(256, *layers, *last())


def yolov2() -> str:
    """Redmon and Farhadi 2016: Darknet-19 with two convolutions, a passthrough layer, and one more."""
    body = [line for widths in DARKNET19 for line in (pool(), *pairs(widths))]
    return net(
        608,
        *(conv(32), *body, conv(1024), conv(1024)),
        *(route(-9), conv(64, 1), section("reorg", stride=2), route(-1, -4), conv(1024)),
        conv(425, 1, activation="linear", norm=False),
        section("region", anchors="0.5,0.7", classes=80, num=5),
    )


def yolov2_tiny() -> str:
    body = [line for width in (16, 32, 64, 128, 256) for line in (conv(width), pool())]
    head = conv(425, 1, activation="linear", norm=False)
    return net(416, *body, conv(512), pool(2, 1), conv(1024), conv(512), head, section("region", classes=80, num=5))


def head() -> list[str]:
    return [conv(255, 1, activation="linear", norm=False), section("yolo", mask="0,1,2", classes=80, num=9)]


def yolov3(size: int, *, spp: bool = False) -> str:
    """Redmon and Farhadi 2018: Darknet-53 with heads on three scales, the coarser ones seen by the finer."""
    first = [conv(512, 1), conv(1024)]
    pyramid = [pool(5, 1), route(-2), pool(9, 1), route(-4), pool(13, 1), route(-1, -3, -5, -6)]
    middle = [conv(512, 1), *pyramid, conv(512, 1), conv(1024)] if spp else first
    layers = [*darknet53_body(), *first, *middle, *first, *head()]
    for width, behind in ((256, 61), (128, 36)):
        layers += [route(-4), conv(width, 1), section("upsample", stride=2), route(-1, behind)]
        layers += [*[conv(width, 1), conv(2 * width)] * 3, *head()]
    return net(size, *layers)


def yolov3_tiny() -> str:
    body = [line for width in (16, 32, 64, 128, 256) for line in (conv(width), pool())]
    return net(
        416,
        *(*body, conv(512), pool(2, 1), conv(1024), conv(256, 1), conv(512), *head()),
        *(route(-4), conv(128, 1), section("upsample", stride=2), route(-1, 8), conv(256), *head()),
    )


def yolov4_tiny() -> str:
    """Wang et al. 2020 (Scaled-YOLOv4), section 3: three CSP stages on half of the channels each."""
    layers = [conv(32, 3, 2), conv(64, 3, 2)]
    for width in (64, 128, 256):
        half = [route(-1, groups=2, group_id=1), conv(width // 2), conv(width // 2), route(-1, -2), conv(width, 1)]
        layers += [conv(width), *half, route(-6, -1), pool()]
    return net(
        416,
        *(*layers, conv(512), conv(256, 1), conv(512), *head()),
        *(route(-4), conv(128, 1), section("upsample", stride=2), route(-1, 23), conv(256), *head()),
    )


PUBLISHED: dict[str, tuple[str, str, str]] = {
    "alexnet": (alexnet(), "2.27", IMAGENET),
    "darknet reference": (reference(224, last()), "0.81", TINY),
    "darknet reference 256": (reference(256, pooled_end()), "0.96", IMAGENET),
    "tiny darknet": (tiny_darknet(), "0.98", TINY),
    "vgg-16": (vgg16(), "30.94", IMAGENET),
    "extraction": (extraction(), "8.52", IMAGENET),
    "darknet19": (darknet19(256), "7.29", IMAGENET),
    "darknet19 448": (darknet19(448), "22.33", IMAGENET),
    "darknet53": (darknet53(256), "18.57", IMAGENET),
    "darknet53 448": (darknet53(448), "56.87", IMAGENET),
    "resnet18": (resnet([2, 2, 2, 2]), "4.69", IMAGENET),
    "resnet34": (resnet([3, 4, 6, 3]), "9.52", IMAGENET),
    "resnet50": (bottleneck_resnet([3, 4, 6, 3], pooled_end()), "9.74", IMAGENET),
    # the deeper ones give every place its classes and pool then: 0.26 billion more
    "resnet101": (bottleneck_resnet([3, 4, 23, 3], last()), "19.70", IMAGENET),
    "resnet152": (bottleneck_resnet([3, 8, 36, 3], last()), "29.39", IMAGENET),
    "resnext50": (bottleneck_resnet([3, 4, 6, 3], pooled_end(), width=128, groups=32), "10.11", IMAGENET),
    "resnext101": (bottleneck_resnet([3, 4, 23, 3], pooled_end(), wide=512, groups=32), "18.92", IMAGENET),
    "resnext152": (bottleneck_resnet([3, 8, 36, 3], pooled_end(), wide=512, groups=32), "28.20", IMAGENET),
    "densenet201": (densenet201(), "10.85", IMAGENET),
    "yolov2": (yolov2(), "62.94", YOLO),
    "yolov2-tiny": (yolov2_tiny(), "5.41", YOLO),
    "yolov3": (yolov3(416), "65.86", YOLO),
    "yolov3 608": (yolov3(608), "140.69", YOLO),
    "yolov3-spp": (yolov3(608, spp=True), "141.45", YOLO),
    "yolov3-tiny": (yolov3_tiny(), "5.56", YOLO),
    "yolov4-tiny": (yolov4_tiny(), "6.9", ALEXEY),
}
