"""Keras's other layers -> layers of the catalogue. Shapes are channels first here, whatever they are in Keras."""

from collections.abc import Callable, Mapping
from typing import Any

from specforge.importing.keras.activations import CLASSES, of_class
from specforge.importing.keras.convolutions import convolution, dense, same_padding, transposed
from specforge.importing.keras.preparing import PREPARING
from specforge.importing.keras.reading import Call
from specforge.importing.keras.shaping import flatten, permute, reshape
from specforge.importing.polishing import PLUS
from specforge.importing.recording import Step
from specforge.importing.rules import BAD_SETTING, FOREIGN_MISFIT
from specforge.importing.windows import Windows, pooling

Reader = Callable[[Call], int]


def _batch_norm(call: Call) -> int:
    config = call.config
    axis = call.axis(config.data.get("axis", -1))
    if axis is not None and axis != 1:
        config.refuse(f"a batch norm along axis {axis}", "specforge's `batch_norm` is along the channels")
    center, scale = config.flag("center", True), config.flag("scale", True)
    arguments: dict[str, Any] = {"eps": config.number("epsilon", 1e-3)}
    arguments["momentum"] = round(1 - config.number("momentum", 0.99), 12)  # Keras counts the share that is kept
    if not (center or scale):
        arguments["affine"] = False
    elif not (center and scale):
        missing = "scale" if center else "shift"
        call.reading.added[missing] += call.shape[0]
        call.reading.added_at.setdefault(missing, config)
    for key, usual in (("gamma_initializer", "ones"), ("beta_initializer", "zeros")):
        if config.given(key) is not None:
            call.reading.initials.note_norm("batch_norm", config, key, usual)
    return call.add("batch_norm", arguments)


def _layer_norm(call: Call) -> int:
    config, given = call.config, call.config.data.get("axis", -1)
    arguments: dict[str, Any] = {"eps": config.number("epsilon", 1e-3)}
    center, scale = config.flag("center", True), config.flag("scale", True)
    if not scale:
        arguments |= {"elementwise_affine": False}
        if center:
            config.refuse("specforge has no layer norm with a shift alone")
    elif not center:
        arguments |= {"bias": False}
    axes = {call.axis(axis) for axis in (given if isinstance(given, list) else [given])}
    if None in axes:
        return call.value
    dimensions = len(call.shape)
    if dimensions == 3 and axes == {1}:
        return call.add("channel_layer_norm", arguments)
    if axes == set(range(dimensions + 1 - len(axes), dimensions + 1)):
        counted = {"axes": len(axes)} if len(axes) > 1 else {}
        return call.add("layer_norm", {**counted, **arguments})
    config.refuse(f"a layer norm along the axes {given}", "specforge's are along the channels or the whole image")
    return call.value


def _group_norm(call: Call) -> int:
    config = call.config
    groups = config.given("groups")
    groups = call.shape[0] if groups == -1 else config.whole("groups", 32)
    if call.axis(config.data.get("axis", -1)) not in (1, None):
        config.refuse("a group norm along another axis than the channels")
    if not (config.flag("center", True) and config.flag("scale", True)):
        config.refuse("specforge's group norm has both a scale and a shift")
    return call.add("group_norm", {"num_groups": groups, "eps": config.number("epsilon", 1e-3)})


def _activation(call: Call) -> int:
    config = call.config
    if call.kind == "Softmax" and call.axis(config.data.get("axis", -1)) not in (1, len(call.shape), None):
        config.refuse("a softmax along another axis than the channels or features")
    channels = 1
    if call.kind == "PReLU":
        shared, axes = config.given("shared_axes"), ([2, 3] if call.reading.first else [1, 2])
        channels = call.shape[0]
        if len(call.shape) > 1 and shared != axes:
            config.refuse("specforge's `prelu` has a slope for each channel", f"write `shared_axes={axes}`")
    layers = of_class(call.kind, config, old=call.reading.old, channels=channels)
    if call.kind == "PReLU":
        return call.add(*layers[0])
    return call.chain(layers)


def _pooling(word: str) -> Reader:
    def read(call: Call) -> int:
        image = call.image()
        call.check_format()
        if image is None:
            return call.value
        kernel = call.config.pair("pool_size", 2)
        stride = kernel if call.config.given("strides") is None else call.config.pair("strides")
        same = call.config.choice("padding", "valid", "valid", "same") == "same"
        windows = [
            Windows.of(size, k, s, same_padding(size, k, s) if same else 0)
            for size, k, s in zip(image[1:], kernel, stride, strict=True)
        ]
        if any(window.positions < 1 for window in windows):
            message = f"a window of {list(kernel)} is larger than the {image[1]}×{image[2]} pixels that arrive"
            call.config.refuse(message, rule=FOREIGN_MISFIT)
            return call.value
        layers = pooling(word, call.shape, kernel, stride, windows)
        if layers is None:
            call.config.refuse("`padding: same` looks at more pixels behind the image than in front of it here")
        return call.chain(layers or [])

    return read


def _global_pooling(word: str) -> Reader:
    def read(call: Call) -> int:
        kept = call.config.flag("keepdims", False)
        if len(call.shape) == 2 and word == "avg":  # tokens
            return call.add("mean", {"keepdim": True} if kept else {})
        if call.image() is None:
            return call.value
        return call.add(f"adaptive_{word}_pool", {"output_size": 1}) if kept else call.add(f"global_{word}_pool", {})

    return read


def _dropout(word: str) -> Reader:
    def read(call: Call) -> int:
        rate = round(call.config.number("rate", 0.5), 9)  # what was computed, as 0.2 · 3 / 16, has noise at its end
        if not 0 <= rate < 1:
            call.config.refuse(f"`rate` must be from 0 to below 1, found {rate:g}", rule=BAD_SETTING)
            return call.value
        if not rate:
            return call.value
        shape = call.config.given("noise_shape")
        if shape is None:
            return call.add(word, {"p": rate})
        if isinstance(shape, list) and len(shape) == len(call.shape) + 1 and set(shape[1:]) == {1}:
            return call.add("stochastic_depth", {"p": rate})  # one draw for a whole image
        call.config.refuse("specforge's dropout has no such `noise_shape`", "`channel_dropout` leaves out channels")
        return call.value

    return read


def _margins(config_value: Any, call: Call) -> list[list[int]] | None:
    """Keras's three ways of saying how wide four borders are."""
    value = config_value if isinstance(config_value, list) else [config_value, config_value]
    pairs = [entry if isinstance(entry, list) else [entry, entry] for entry in value]
    if len(pairs) == 2 and all(
        len(pair) == 2 and all(type(w) is int and 0 <= w < 10_000 for w in pair) for pair in pairs
    ):
        return pairs
    call.config.refuse(f"expected the widths of four borders, found {str(config_value)[:60]}", rule=BAD_SETTING)
    return None


def _frame(word: str, key: str, given: str) -> Reader:
    def read(call: Call) -> int:
        call.check_format()
        pairs = _margins(call.config.data.get(given, 1 if word == "pad" else 0), call)
        if pairs is None or call.image() is None:
            return call.value
        widths: Any = [pair[0] if pair[0] == pair[1] else pair for pair in pairs]
        return call.add(word, {key: widths[0] if widths[0] == widths[1] and isinstance(widths[0], int) else widths})

    return read


def _merge(word: str) -> Reader:
    def read(call: Call) -> int:
        if len(call.inputs) < 2:
            call.config.refuse(f"{call.kind} joins two values or more", rule=FOREIGN_MISFIT)
            return call.value
        arguments: Mapping[str, Any] = {}
        if word == "concat":
            axis = call.axis(call.config.data.get("axis", -1))
            arguments = {"dim": axis} if axis not in (1, None) else {}
        value = call.add(word, arguments, call.inputs)
        return call.chain([("scale", {"factor": 1 / len(call.inputs)})], value) if call.kind == "Average" else value

    return read


def _layer_scale(call: Call) -> int:
    """A factor for each channel that trains, of ConvNeXt in Keras's own collection."""
    axis = {} if len(call.shape) == 3 else {"dim": -1}
    return call.add("layer_scale", {"init": call.config.number("init_values", 1e-6), **axis})


def _stochastic_depth(call: Call) -> int:
    rate = call.config.number("drop_path_rate", 0.0)
    return call.add("stochastic_depth", {"p": rate}) if 0 < rate < 1 else call.value


def _upsampling(call: Call) -> int:
    call.check_format()
    if call.image() is None:
        return call.value
    down, across = call.config.pair("size", 2)
    mode = call.config.choice("interpolation", "nearest", "nearest", "bilinear")
    arguments: dict[str, Any] = {"scale_factor": down if down == across else [float(down), float(across)]}
    return call.add("upsample", {**arguments, **({"mode": mode} if mode != "nearest" else {})})


def _plus_number(call: Call) -> int:
    """A number added to all: no layer does that, but hard sigmoids are written so, which are found afterwards."""
    recorder, number = call.reading.recorder, call.config.number("number")
    recorder.steps.append(Step(PLUS, {"number": number}, (call.value,), call.shape, call.config.span))
    return len(recorder.steps)


def _times_number(call: Call) -> int:
    return call.add("scale", {"factor": call.config.number("number")})


def _same(call: Call) -> int:
    return call.value


def _only_in_training(call: Call) -> int:
    call.reading.tell_once(call.kind, call.config, f"{call.kind}, which acts in training only, is left out")
    return call.value


READERS: dict[str, Reader] = {
    **dict.fromkeys(("Conv2D", "DepthwiseConv2D", "SeparableConv2D"), convolution),
    "Conv2DTranspose": transposed,
    "Dense": dense,
    "BatchNormalization": _batch_norm,
    "SyncBatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "GroupNormalization": _group_norm,
    **dict.fromkeys(CLASSES, _activation),
    "MaxPooling2D": _pooling("max_pool"),
    "AveragePooling2D": _pooling("avg_pool"),
    **dict.fromkeys(("GlobalAveragePooling2D", "GlobalAveragePooling1D"), _global_pooling("avg")),
    "GlobalMaxPooling2D": _global_pooling("max"),
    "Flatten": flatten,
    "Reshape": reshape,
    "Permute": permute,
    "Dropout": _dropout("dropout"),
    "SpatialDropout2D": _dropout("channel_dropout"),
    "AlphaDropout": _dropout("alpha_dropout"),
    "ZeroPadding2D": _frame("pad", "padding", "padding"),
    "Cropping2D": _frame("crop", "margin", "cropping"),
    "Add": _merge("add"),
    "Average": _merge("add"),
    "Multiply": _merge("multiply"),
    "Concatenate": _merge("concat"),
    "UpSampling2D": _upsampling,
    "Add a number": _plus_number,
    "Multiply a number": _times_number,
    "LayerScale": _layer_scale,
    "StochasticDepth": _stochastic_depth,
    "Identity": _same,
    **dict.fromkeys(("GaussianNoise", "GaussianDropout", "ActivityRegularization"), _only_in_training),
    **PREPARING,
}
