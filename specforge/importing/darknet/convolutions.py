"""Darknet's convolutions and connected layers, with their batch norm and activation."""

from typing import Any

from specforge.importing.darknet.reading import Arguments, Reading, image_of, strides_of
from specforge.importing.darknet.text import Section
from specforge.importing.rules import UNSUPPORTED_SETTING
from specforge.importing.windows import per_axis

# switches of a convolution that change what it computes
_OTHER_CONVOLUTIONS = {
    **dict.fromkeys(("xnor", "binary", "bin_output"), "weights of one bit"),
    **dict.fromkeys(("sway", "rotate", "stretch", "stretch_sway"), "filters that are turned and stretched"),
    "antialiasing": "a blur before the stride",
    "coordconv": "coordinates as channels",
    "cbn": "a batch norm over several batches",
    "assisted_excitation": "an excitation by the labels",
}


def convolutional(reading: Reading, section: Section) -> int:
    """A convolution; with as many groups as channels it is a `depthwise_conv`."""
    arrived = image_of(reading, section)
    if arrived is None:
        return reading.previous
    _refuse_others(reading, section)
    filters, groups = section.whole("filters", 1), section.whole("groups", 1)
    normalized = section.flag("batch_normalize")
    window = _window(reading, section)
    if groups == arrived[0] > 1 and filters % groups == 0:
        arguments = {**window, "depth_multiplier": filters // groups, "bias": not normalized}
        value = reading.recorder.add("depthwise_conv", _plain(arguments), [reading.previous], section.span)
    else:
        arguments = {"out_channels": filters, **window, "groups": groups, "bias": not normalized}
        value = reading.recorder.add("conv", _plain(arguments), [reading.previous], section.span)
    if normalized:
        value = reading.recorder.add("batch_norm", {}, [value], section.span)
    return reading.activate(section, value, "logistic")


def _window(reading: Reading, section: Section) -> dict[str, Any]:
    """Kernel, stride, padding and dilation; Darknet counts the padding in steps of the dilated kernel."""
    kernel, stride = section.whole("size", 1), per_axis(strides_of(section))
    dilation = section.whole("dilation", 1)
    dilation = 1 if kernel == 1 else dilation
    padding = section.whole("padding", 0, low=0)
    padding = kernel // 2 if section.flag("pad") else padding
    if dilation > 1 and 2 * padding != kernel - 1:
        message = f"a dilation of {dilation} with `padding` {padding} gives a size that Darknet does not compute with"
        reading.findings.add(UNSUPPORTED_SETTING, section.at("dilation"), message, "write `pad = 1`")
    return {"kernel_size": kernel, "stride": stride, "padding": padding * dilation, "dilation": dilation}


def _refuse_others(reading: Reading, section: Section) -> None:
    for key, meaning in _OTHER_CONVOLUTIONS.items():
        if section.flag(key):
            message = f"`{key}`: specforge has no convolution with {meaning}"
            reading.findings.add(UNSUPPORTED_SETTING, section.at(key), message)
    if section.text("share_index"):
        message = "`share_index`: weights of another convolution are not imported"
        hint = "in a spec, two items share weights by `shared: name`"
        reading.findings.add(UNSUPPORTED_SETTING, section.at("share_index"), message, hint)


_DEFAULTS = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True, "depth_multiplier": 1}


def _plain(arguments: Arguments) -> Arguments:
    """Arguments without those that say the default."""
    return {key: value for key, value in arguments.items() if _DEFAULTS.get(key, ()) != value}


def connected(reading: Reading, section: Section) -> int:
    value = reading.previous
    if len(reading.recorder.shape(value)) > 1:
        value = reading.recorder.add("flatten", {}, [value], section.span)
    normalized = section.flag("batch_normalize")
    arguments = {"out_features": section.whole("output", 1), "bias": not normalized}
    value = reading.recorder.add("linear", _plain(arguments), [value], section.span)
    if normalized:
        value = reading.recorder.add("batch_norm", {}, [value], section.span)
    return reading.activate(section, value, "logistic")
