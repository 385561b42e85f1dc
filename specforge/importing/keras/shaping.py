"""Keras's layers that move values. An image is (H, W, C) there and (C, H, W) here, which the order must not lose.

Reshape((7, 7, 64)) of 3136 features   ->   reshape: [7, 7, 64], permute: [3, 1, 2]
Reshape((49, 64)) of an image          ->   permute: [2, 3, 1], reshape: [49, 64]
"""

from math import prod
from typing import Any

from specforge.importing.keras.reading import Call
from specforge.importing.rules import BAD_SETTING, FOREIGN_MISFIT

Layer = tuple[str, dict[str, Any]]
_TO_LAST: Layer = ("permute", {"dims": [2, 3, 1]})
_TO_FIRST: Layer = ("permute", {"dims": [3, 1, 2]})


def flatten(call: Call) -> int:
    """`Flatten`. The order of its features is another one, which only weights of Keras's could tell."""
    if len(call.shape) == 1:
        return call.value
    if len(call.shape) == 3 and call.shape[1:] != (1, 1) and not call.reading.first:
        message = "features come in the order of channels, height, width here, and of height, width, channels in Keras"
        hint = "shapes and counts are the same; to load Keras's weights, reorder the rows of the layer behind it"
        call.reading.tell_once("flatten", call.config, message, hint)
    return call.add("flatten", {})


def reshape(call: Call) -> int:
    """`Reshape`, in Keras's order of values."""
    given = call.config.given("target_shape")
    sizes = given if isinstance(given, list) else []
    if not sizes or len(sizes) > 3 or not all(type(size) is int and (size > 0 or size == -1) for size in sizes):
        call.config.refuse(f"specforge imports no reshape to {str(given)[:60]}", rule=BAD_SETTING)
        return call.value
    known = prod(size for size in sizes if size > 0)
    total = prod(call.shape)
    target = [size if size > 0 else total // known for size in sizes]
    if prod(target) != total or sizes.count(-1) > 1:
        call.config.refuse(f"{total:,} values can't be arranged as {sizes}", rule=FOREIGN_MISFIT)
        return call.value
    return call.chain(_reshaped(list(call.shape), target, first=call.reading.first))


def _reshaped(arrived: list[int], target: list[int], *, first: bool) -> list[Layer]:
    """The layers from our shape to Keras's target, as ours."""
    swapped = not first
    start = arrived if not (swapped and len(arrived) == 3) else [*arrived[1:], arrived[0]]
    if start == target:
        return []
    layers: list[Layer] = []
    if swapped and len(arrived) == 3 and _order_matters(arrived):
        layers.append(_TO_LAST)
    if not (swapped and len(target) == 3):
        return [*layers, ("flatten", {}) if len(target) == 1 else ("reshape", {"shape": target})]
    ours = [target[2], *target[:2]]
    if not _order_matters(ours):  # one pixel, or one channel: its values lie the same in both orders
        return [*layers, ("reshape", {"shape": ours})]
    return [*layers, ("reshape", {"shape": target}), _TO_FIRST]


def _order_matters(ours: list[int]) -> bool:
    return ours[0] > 1 and ours[1] * ours[2] > 1


def permute(call: Call) -> int:
    """`Permute`, whose numbers are those of Keras's axes."""
    dims, axes = call.config.given("dims"), len(call.shape)
    if not isinstance(dims, list) or sorted(map(str, dims)) != sorted(map(str, range(1, axes + 1))):
        call.config.refuse(f"`dims` {str(dims)[:40]} are not the axes of {axes}", rule=BAD_SETTING)
        return call.value
    if axes == 3 and not call.reading.first:
        ours = {1: 2, 2: 3, 3: 1}
        keras_order = [dims[2], dims[0], dims[1]]  # the result's channels come first here
        dims = [ours[number] for number in keras_order]
    return call.add("permute", {"dims": dims}) if dims != sorted(dims) else call.value
