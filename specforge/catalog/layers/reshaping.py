"""Layers that change only the shape."""

from typing import Annotated

from pydantic import Field

from specforge.catalog.definition import Call, Layer
from specforge.shapes import Misfit, Shape, elements, spelled


class Flatten(Layer):
    """Joins axes into one, by default all but the batch.

        flatten

    Shapes: (N, C, H, W) -> (N, C·H·W). `start_dim` and `end_dim` are numbered as in torch: the batch is 0, negative
    numbers count from the end.

    Errors: an axis that doesn't exist; `end_dim` before `start_dim`.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Flatten.html
    """

    start_dim: Annotated[int, Field(ge=1)] = 1
    end_dim: int = -1

    def output_shape(self, input: Shape) -> Shape:
        axes = len(input) + 1
        end = self.end_dim + axes if self.end_dim < 0 else self.end_dim
        if not self.start_dim <= end < axes:
            message = f"axes {self.start_dim} to {self.end_dim} don't exist in {spelled(input)} and its batch"
            wrong = "start_dim" if self.start_dim >= axes else "end_dim"
            raise Misfit(message, hint=f"axes go from 1 to {axes - 1}", argument=wrong)
        return (*input[: self.start_dim - 1], elements(input[self.start_dim - 1 : end]), *input[end:])

    def lower(self, input: Shape) -> Call:
        return Call("torch.nn.Flatten", self.model_dump(exclude_defaults=True))
