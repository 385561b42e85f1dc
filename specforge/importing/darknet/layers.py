"""One section of a Darknet network -> steps: what each kind of layer computes, in words of the catalogue.

    [convolutional]                    {conv: {out_channels: 32, kernel_size: 3, padding: 1, bias: false}}
    batch_normalize=1, filters=32  ->  batch_norm
    size=3, pad=1, activation=leaky    {leaky_relu: 0.1}

The rules are those of pjreddie's Darknet and of AlexeyAB's fork; where both differ, those of the fork. A setting that
changes what a layer computes and has no counterpart is an error, one about training or loading is passed over.
"""

from collections.abc import Callable

from specforge.diagnostics import did_you_mean
from specforge.importing.darknet.convolutions import connected, convolutional
from specforge.importing.darknet.joins import product, route, shortcut
from specforge.importing.darknet.reading import Arguments, Reading, image_of, strides_of
from specforge.importing.darknet.text import Section
from specforge.importing.rules import (
    BAD_SETTING,
    FOREIGN_MISFIT,
    NOT_CARRIED,
    UNKNOWN_FOREIGN_LAYER,
    UNSUPPORTED_SETTING,
)
from specforge.importing.windows import Windows, per_axis, pooling

# how Darknet trains, loads or schedules a layer: nothing of it changes what the layer computes
_OF_THE_PROGRAM = (
    *("clip", "onlyforward", "dont_update", "burnin_update", "stopbackward", "train_only_bn", "dontload"),
    *("dontloadscales", "learning_rate", "stream", "wait_stream", "smooth", "flipped", "dot", "angle", "grad_centr"),
    *("reverse", "numload", "ema_alpha"),
)
_NO_WORD = {
    "local": "weights that differ from place to place",
    **dict.fromkeys(("rnn", "crnn", "gru", "lstm", "conv_lstm", "history"), "a memory from image to image"),
    "deconvolutional": "a transposed convolution of Darknet's own kind",
    "l2norm": "a norm of the channels' vector",
    "implicit": "weights that nothing enters",
    "iseg": "a head for instance segmentation",
    "logistic": "a loss",
}


def read_layer(reading: Reading, section: Section) -> None:
    """Record a section, and what it gives as the next value; an error gives what arrived."""
    section.ignore(_OF_THE_PROGRAM)
    reader = READERS.get(section.kind)
    if reader is None:
        why = f": {_NO_WORD[section.kind]}" if section.kind in _NO_WORD else ""
        hint = "remove it, and what reads it" if why else did_you_mean(section.kind, {*READERS, *_NO_WORD})
        message = f"specforge has no layer for [{section.kind}]{why}" if why else f"unknown section [{section.kind}]"
        reading.findings.add(UNKNOWN_FOREIGN_LAYER, section.span, message, hint)
        section.ignore(section.settings)
        reading.values.append(reading.previous)
        return
    before = len(reading.recorder.steps)
    reading.values.append(reader(reading, section))
    reading.name_steps(section, before)
    section.report_unread()


def _pooling(word: str) -> "Reader":
    def read(reading: Reading, section: Section) -> int:
        arrived = image_of(reading, section)
        if arrived is None:
            return reading.previous
        for key in ("maxpool_depth", "antialiasing", "maxpool_zero_nonmax"):
            if section.flag(key):
                reading.findings.add(UNSUPPORTED_SETTING, section.at(key), f"specforge has no pooling with `{key}`")
        section.ignore(("out_channels",))
        kernel = section.whole("size", section.whole("stride", 1))
        padding, strides = section.whole("padding", kernel - 1, low=0), strides_of(section)
        windows = [Windows.of(size, kernel, stride, padding) for size, stride in zip(arrived[1:], strides, strict=True)]
        if any(window.positions < 1 for window in windows):
            message = f"a window of {kernel} is larger than the {arrived[1]}×{arrived[2]} pixels that arrive"
            reading.findings.add(FOREIGN_MISFIT, section.span, message)
            return reading.previous
        layers = pooling(word, arrived, (kernel, kernel), strides, windows)
        if layers is None:
            message = f"specforge has no such padding for windows of {kernel}: {padding} pixels"
            reading.findings.add(UNSUPPORTED_SETTING, section.at("padding"), message)
        return reading.recorder.chain(reading.previous, layers or [], section.span)

    return read


def _avgpool(reading: Reading, section: Section) -> int:
    if image_of(reading, section) is None:
        return reading.previous
    return reading.recorder.add("adaptive_avg_pool", {"output_size": 1}, [reading.previous], section.span)


def _upsample(reading: Reading, section: Section) -> int:
    if image_of(reading, section) is None:
        return reading.previous
    if section.number("scale", 1) != 1:
        reading.findings.add(UNSUPPORTED_SETTING, section.at("scale"), "specforge's `upsample` multiplies nothing")
    stride = section.whole("stride", 2, low=1, high=1_000)
    return reading.recorder.add("upsample", {"scale_factor": stride}, [reading.previous], section.span)


def _dropout(reading: Reading, section: Section) -> int:
    probability = section.number("probability", 0.2, low=0, high=1)
    if section.flag("dropblock"):
        message = "`dropblock` leaves out squares; the imported dropout leaves out single values"
        reading.findings.add(NOT_CARRIED, section.at("dropblock"), message)
    section.ignore(("dropblock_size_rel", "dropblock_size_abs"))
    if probability == 1:
        reading.findings.add(BAD_SETTING, section.at("probability"), "a dropout of 1 leaves nothing")
        return reading.previous
    return reading.recorder.add("dropout", {"p": probability}, [reading.previous], section.span)


def _crop(reading: Reading, section: Section) -> int:
    arrived = image_of(reading, section)
    if arrived is None:
        return reading.previous
    size = [section.whole("crop_height", 1), section.whole("crop_width", 1)]
    message = (
        "Darknet crops training images at random here and changes their colours; imported is the crop of the middle"
    )
    reading.findings.add(NOT_CARRIED, section.span, message, "write the random crop into `data.augment`")
    section.ignore(("flip", "angle", "saturation", "exposure", "shift", "noadjust"))
    return reading.recorder.add("crop", {"size": per_axis(size)}, [reading.previous], section.span)


def _reorg(reading: Reading, section: Section) -> int:
    """Pixels into channels. Darknet's first kind reads the image as one of fewer channels and more pixels."""
    arrived = image_of(reading, section)
    if arrived is None:
        return reading.previous
    stride, old = section.whole("stride", 1), section.kind == "reorg"
    for key in ("reverse", "extra", "flatten"):
        if section.flag(key):
            reading.findings.add(
                UNSUPPORTED_SETTING, section.at(key), f"specforge has no [{section.kind}] with `{key}`"
            )
    channels, height, width = arrived
    if channels % stride**2 * old or height % stride or width % stride:
        message = f"[{section.kind}] with `stride` {stride} can't rearrange {list(arrived)}"
        reading.findings.add(FOREIGN_MISFIT, section.span, message)
        return reading.previous
    layers: list[tuple[str, Arguments]] = [("pixel_unshuffle", {"downscale_factor": stride})]
    if old:
        groups = channels // stride**2
        layers.insert(0, ("reshape", {"shape": [groups, height * stride, width * stride]}))
    else:
        groups = channels
    layers.append(("channel_shuffle", {"groups": groups}))
    if old:
        layers.append(("reshape", {"shape": [channels * stride**2, height // stride, width // stride]}))
    return reading.recorder.chain(reading.previous, layers if stride > 1 else [], section.span)


def _normalization(reading: Reading, section: Section) -> int:
    size = section.whole("size", 5)
    arguments = {
        "size": size,
        "alpha": section.number("alpha", 1e-4) * size,  # torch takes the mean, Darknet the sum
        "beta": section.number("beta", 0.75),
        "k": section.number("kappa", 1.0),
    }
    message = "Darknet's window leaves out a channel at either end of the image's channels; torch's does not"
    reading.findings.add(NOT_CARRIED, section.span, message)
    return reading.recorder.add("local_response_norm", arguments, [reading.previous], section.span)


def _batchnorm(reading: Reading, section: Section) -> int:
    return reading.recorder.add("batch_norm", {}, [reading.previous], section.span)


def _activation(reading: Reading, section: Section) -> int:
    return reading.activate(section, reading.previous, "linear")


def _same(reading: Reading, section: Section) -> int:
    return reading.previous


def _softmax(reading: Reading, section: Section) -> int:
    message = "the softmax is left out: `cross_entropy`, the loss of the training, holds one"
    if section.number("temperature", 1) != 1:
        message += f"; its temperature of {section.text('temperature')} is left out, too"
    if section.text("tree"):
        message += "; so is its tree of classes"
    reading.findings.add(NOT_CARRIED, section.span, message)
    section.ignore(("groups", "spatial", "noloss", "tree", "temperature"))
    return reading.previous


def _cost(reading: Reading, section: Section) -> int:
    kind = section.text("type", "sse")
    reading.findings.add(NOT_CARRIED, section.span, f"the loss `{kind}` is left out: write `train.loss`")
    section.ignore(section.settings)
    return reading.previous


def _head(reading: Reading, section: Section) -> int:
    reading.heads.append(section)
    section.ignore(section.settings)  # anchors, thresholds and losses: none is about layers
    return reading.previous


Reader = Callable[[Reading, Section], int]
READERS: dict[str, Reader] = {
    "convolutional": convolutional,
    "connected": connected,
    "maxpool": _pooling("max_pool"),
    "local_avgpool": _pooling("avg_pool"),
    "avgpool": _avgpool,
    "route": route,
    "shortcut": shortcut,
    "scale_channels": product,
    "sam": product,
    "upsample": _upsample,
    "reorg": _reorg,
    "reorg3d": _reorg,
    "dropout": _dropout,
    "crop": _crop,
    "normalization": _normalization,
    "batchnorm": _batchnorm,
    "activation": _activation,
    "softmax": _softmax,
    "cost": _cost,
    "empty": _same,
    **dict.fromkeys(("yolo", "Gaussian_yolo", "region", "detection", "contrastive"), _head),
}
