"""Keras's convolutions and dense layers -> `conv`, `depthwise_conv`, `separable_conv`, `conv_transpose`, `linear`.

Keras's `same` pads a strided convolution unequally: 224 pixels, kernel 3, stride 2 get one pixel behind and none in
front. Where both ends get as much, it is `padding`; elsewhere a `pad` comes before.
"""

from typing import Any

from specforge.importing.keras.activations import named
from specforge.importing.keras.reading import Call
from specforge.importing.rules import FOREIGN_MISFIT
from specforge.importing.windows import per_axis


def convolution(call: Call) -> int:
    """`Conv2D`, `DepthwiseConv2D` and `SeparableConv2D`."""
    image = call.image()
    call.check_format()
    if image is None:
        return call.value
    config = call.config
    kernel, stride, dilation = config.pair("kernel_size"), config.pair("strides", 1), config.pair("dilation_rate", 1)
    before, padding = _padding(call, image[1:], kernel, stride, dilation)
    arguments: dict[str, Any] = {"kernel_size": per_axis(kernel)}
    optional = {"stride": per_axis(stride), "padding": padding, "dilation": per_axis(dilation)}
    arguments |= {key: value for key, value in optional.items() if value != (0 if key == "padding" else 1)}
    multiplier = config.whole("depth_multiplier", 1) if call.kind != "Conv2D" else 1
    if call.kind != "DepthwiseConv2D":
        arguments = {"out_channels": config.whole("filters"), **arguments}
    if multiplier != 1:
        arguments["depth_multiplier"] = multiplier
    groups = config.whole("groups", 1) if call.kind == "Conv2D" else 1
    if groups != 1:
        arguments["groups"] = groups
    word = {"Conv2D": "conv", "DepthwiseConv2D": "depthwise_conv", "SeparableConv2D": "separable_conv"}[call.kind]
    return _finished(call, word, arguments, call.chain(before))


def transposed(call: Call) -> int:
    """`Conv2DTranspose`, whose `same` gives the input's size times the stride, cut off behind where it is odd."""
    image = call.image()
    call.check_format()
    if image is None:
        return call.value
    config = call.config
    kernel, stride, dilation = config.pair("kernel_size"), config.pair("strides", 1), config.pair("dilation_rate", 1)
    if config.given("output_padding") not in (None, 0, [0, 0]):
        config.refuse("specforge does not import an `output_padding` of Conv2DTranspose")
    arguments: dict[str, Any] = {"out_channels": config.whole("filters"), "kernel_size": per_axis(kernel)}
    if stride != (1, 1):
        arguments["stride"] = per_axis(stride)
    if dilation != (1, 1):
        arguments["dilation"] = per_axis(dilation)
    extra = [d * (k - 1) + 1 - s for k, s, d in zip(kernel, stride, dilation, strict=True)]
    if any(more < 0 for more in extra):
        config.refuse("specforge has no transposed convolution with a stride above its kernel's size")
        return call.value
    crop: list[tuple[str, dict[str, Any]]] = []
    if config.choice("padding", "valid", "valid", "same") == "same":
        if all(more % 2 == 0 for more in extra):
            arguments["padding"] = per_axis([more // 2 for more in extra])
        else:
            crop = [("crop", {"margin": [[more // 2, more - more // 2] for more in extra]})]
    value = _weighted(call, "conv_transpose", {**arguments, **_bias(call)}, call.value)
    return call.chain([*crop, *named(config, old=call.reading.old)], value)


def dense(call: Call) -> int:
    """`Dense`, which works on the channels of an image: there it is a 1×1 convolution."""
    units = call.config.whole("units")
    if len(call.shape) == 3:
        return _finished(call, "conv", {"out_channels": units, "kernel_size": 1}, call.value)
    return _finished(call, "linear", {"out_features": units}, call.value)


def _finished(call: Call, word: str, arguments: dict[str, Any], value: int) -> int:
    """The layer with its bias, initial weights and activation."""
    value = _weighted(call, word, {**arguments, **_bias(call)}, value)
    return call.chain(named(call.config, old=call.reading.old), value)


def _bias(call: Call) -> dict[str, bool]:
    return {} if call.config.flag("use_bias", True) else {"bias": False}


def _weighted(call: Call, word: str, arguments: dict[str, Any], value: int) -> int:
    initials, config = call.reading.initials, call.config
    key = "depthwise_initializer" if word in ("depthwise_conv", "separable_conv") else "kernel_initializer"
    initials.note(word, "weight", config, key, "glorot_uniform")
    if arguments.get("bias", True):
        initials.note(word, "bias", config, "bias_initializer", "zeros")
    initials.note_decay(word, config)
    for constraint in ("kernel_constraint", "depthwise_constraint", "pointwise_constraint", "bias_constraint"):
        if config.given(constraint):
            call.reading.tell_once(constraint, config, f"`{constraint}` is left out: specforge has none")
    return call.add(word, arguments, value)


def _padding(
    call: Call, sizes: tuple[int, ...], kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
) -> tuple[list[tuple[str, dict[str, Any]]], int | list[int]]:
    """A layer that pads before, if one must, and the convolution's own padding.

    It is always written as a number: blocks, whose params have types, then take `valid` and `same` alike.
    """
    if call.config.choice("padding", "valid", "valid", "same") == "valid":
        return [], 0
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    missing = [same_padding(size, span, step) for size, span, step in zip(sizes, spans, stride, strict=True)]
    if any(total > 100_000 for total in missing):
        call.config.refuse("a kernel far larger than the image", rule=FOREIGN_MISFIT)
        return [], 0
    if all(total % 2 == 0 for total in missing):
        return [], per_axis([total // 2 for total in missing])
    border = [[total // 2, total - total // 2] for total in missing]
    return [("pad", {"padding": border})], 0


def same_padding(size: int, span: int, stride: int) -> int:
    """How many pixels TensorFlow's `same` adds along an axis, at both ends together."""
    return max(0, (-(-size // stride) - 1) * stride + span - size)
