"""Gates and learned scales: the widths that papers mean, what is accepted and refused."""

from typing import Any

import pytest
from pydantic import ValidationError
from torchvision.models._utils import _make_divisible

from specforge.catalog.definition import Layer, Parameter
from specforge.catalog.layers.scaling import Cbam, LayerScale, Scale, SqueezeExcite
from specforge.shapes import Misfit, Shape


@pytest.mark.parametrize("channels", range(1, 1000, 7))
def test_a_divisor_rounds_as_mobilenet_does(channels: int) -> None:
    assert SqueezeExcite(divisor=8).squeezed(channels) == _make_divisible(channels // 4, 8)


@pytest.mark.parametrize("divisor", [1, 3, 4, 16])
def test_any_divisor_rounds_as_torchvision_does(divisor: int) -> None:
    for channels in range(1, 300):
        assert SqueezeExcite(ratio=1.0, divisor=divisor).squeezed(channels) == _make_divisible(channels, divisor)


@pytest.mark.parametrize(
    ("arguments", "channels", "squeezed"),
    [
        ({}, 64, 16),
        ({}, 3, 1),
        ({}, 7, 1),
        ({"ratio": 0.29}, 100, 29),  # 0.29 · 100 is less than 29 in floating point
        ({"ratio": 0.0625}, 256, 16),
        ({"channels": 6}, 96, 6),
        ({"ratio": 1.0}, 5, 5),
    ],
)
def test_squeezed_channels(arguments: dict[str, Any], channels: int, squeezed: int) -> None:
    assert SqueezeExcite(**arguments).squeezed(channels) == squeezed


@pytest.mark.parametrize(
    ("dim", "input", "weight"),
    [
        (1, (96, 8, 7), (96, 1, 1)),
        (-1, (17, 96), (96,)),
        (-1, (8, 7, 96), (96,)),
        (1, (96,), (96,)),
        (2, (8, 96, 7), (96, 1)),
    ],
)
def test_the_weight_of_a_layer_scale_stretches_over_the_axes_behind(dim: int, input: Shape, weight: Shape) -> None:
    assert LayerScale(dim=dim).parameters(input) == (Parameter("weight", weight),)


@pytest.mark.parametrize(
    ("layer", "input", "argument"),
    [
        (LayerScale(dim=4), (3, 8, 8), "dim"),
        (LayerScale(dim=0), (3, 8, 8), "dim"),
        (SqueezeExcite(), (3,), None),
        (Cbam(), (3, 8), None),
        (Cbam(), (3, 4, 4, 4), None),
    ],
)
def test_a_misfit_names_the_argument(layer: Layer, input: Shape, argument: str | None) -> None:
    with pytest.raises(Misfit) as caught:
        layer.output_shape(input)
    assert caught.value.argument == argument
    assert caught.value.hint


@pytest.mark.parametrize(
    ("layer", "arguments", "message"),
    [
        (SqueezeExcite, {"channels": 4, "ratio": 0.5}, "`channels` says how many there are, `ratio` too"),
        (SqueezeExcite, {"channels": 4, "divisor": 8}, "`channels` says how many there are, `divisor` too"),
        (SqueezeExcite, {"ratio": 16.0}, "less than or equal to 1"),
        (Cbam, {"kernel_size": 4}, "is even"),
        (Scale, {"factor": 0.0}, "`factor` 0 makes everything 0"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(layer: type[Layer], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        layer(**arguments)
