"""Layers that act in training only."""

from typing import Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Call, Layer
from specforge.shapes import Shape


class Dropout(Layer):
    """Zeroes each value with probability `p` in training and scales the others by 1 / (1 - p).

        dropout: 0.5

    Shapes: any -> the same. `p` is a probability from 0 up to, but not including, 1.

    Source: Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html
    """

    main: ClassVar[str | None] = "p"
    p: Annotated[float, Field(ge=0, lt=1)] = 0.5

    def output_shape(self, input: Shape) -> Shape:
        return input

    def lower(self, input: Shape) -> Call:
        return Call("torch.nn.Dropout", {"p": self.p})
