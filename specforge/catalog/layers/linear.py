"""Fully connected layers."""

from dataclasses import replace
from typing import ClassVar

from specforge.catalog.definition import Call, Count, Layer, Parameter
from specforge.shapes import Shape, elements

_LARGE = 2**16  # values of a matrix; for smaller ones calling another product takes longer than it saves


class Linear(Layer):
    """Multiplies the last axis by a learned matrix and adds a bias: y = x Wᵀ + b.

        linear: 512

    Shapes: (N, F) -> (N, out_features); (N, L, F) -> (N, L, out_features), with any number of axes between.

    Errors: an image arrives that was not flattened.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html
    """

    main: ClassVar[str | None] = "out_features"
    also_known_as: ClassVar[tuple[str, ...]] = ("dense", "fc", "fully_connected")
    needs_features: ClassVar[bool] = True
    bias_axis: ClassVar[int | None] = -1
    out_features: Count
    bias: bool = True

    def output_shape(self, input: Shape) -> Shape:
        return (*input[:-1], self.out_features)

    def reach(self, axes: int) -> tuple[int, ...] | None:
        return (1,) * axes or None  # each place by itself, or what is left when all places are features

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        weight = Parameter("weight", (self.out_features, input[-1]))
        return (weight, Parameter("bias", (self.out_features,))) if self.bias else (weight,)

    def macs(self, input: Shape, output: Shape) -> int:
        return elements(input) * self.out_features

    def lower(self, input: Shape) -> Call:
        return Call("torch.nn.Linear", {"in_features": input[-1], **self.model_dump(exclude_defaults=True)})

    def lower_for(self, input: Shape, device: str) -> Call | None:
        if device != "cpu" or input[-1] * self.out_features < _LARGE:
            return None
        return replace(self.lower(input), target="specforge.modules.OneDnnLinear")
