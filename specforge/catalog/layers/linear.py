"""Fully connected layers."""

from typing import ClassVar

from specforge.catalog.definition import Call, Count, Layer, Parameter
from specforge.shapes import Misfit, Shape, elements, spelled


class Linear(Layer):
    """Multiplies the last axis by a learned matrix and adds a bias: y = x Wᵀ + b.

        linear: 512

    Shapes: (N, F) -> (N, out_features); (N, L, F) -> (N, L, out_features).

    Errors: an image arrives that was not flattened.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html
    """

    main: ClassVar[str | None] = "out_features"
    also_known_as: ClassVar[tuple[str, ...]] = ("dense", "fc", "fully_connected")
    out_features: Count
    bias: bool = True

    def output_shape(self, input: Shape) -> Shape:
        if len(input) > 2:
            message = f"`linear` works on the last axis, an image {spelled(input)} arrives"
            hint = f"put `flatten` ({elements(input)} features) or `global_avg_pool` ({input[0]} features) before it"
            raise Misfit(message, hint=hint)
        return (*input[:-1], self.out_features)

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        weight = Parameter("weight", (self.out_features, input[-1]))
        return (weight, Parameter("bias", (self.out_features,))) if self.bias else (weight,)

    def macs(self, input: Shape, output: Shape) -> int:
        return elements(input) * self.out_features

    def lower(self, input: Shape) -> Call:
        return Call("torch.nn.Linear", {"in_features": input[-1], **self.model_dump(exclude_defaults=True)})
