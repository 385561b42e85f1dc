"""Operations of several values, which the item's `from` names."""

from typing import ClassVar

from specforge.catalog.definition import Call, Kept, Merge
from specforge.shapes import Misfit, Shape, elements, spelled


class Concat(Merge):
    """Puts values one after another along an axis, by default the channels.

        {from: [previous, input], concat: 1}

    Shapes: (N, C1, H, W), (N, C2, H, W), … -> (N, C1 + C2 + …, H, W). `dim` has torch's numbering: the batch is 0,
    negative numbers count from the end.

    Errors: values that differ in another axis than `dim`; an axis that doesn't exist.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cat.html
    """

    main: ClassVar[str | None] = "dim"
    also_known_as: ClassVar[tuple[str, ...]] = ("concatenate", "cat")
    dim: int = 1

    def merged_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        first, axes = inputs[0], len(inputs[0]) + 1
        axis = self.dim + axes if self.dim < 0 else self.dim
        if not 1 <= axis < axes:
            message = f"axis {self.dim} doesn't exist in {spelled(first)} and its batch"
            raise Misfit(message, hint=f"axes go from 1 to {axes - 1}", argument="dim")
        beside = {(len(shape), *shape[: axis - 1], *shape[axis:]) for shape in inputs}
        if len(beside) > 1:
            message = f"values that differ beside axis {axis} can't be joined: {_all(inputs)}"
            hint = "give their convolutions and poolings the same strides and paddings"
            raise Misfit(message, hint=hint, argument="from")
        return (*first[: axis - 1], sum(shape[axis - 1] for shape in inputs), *first[axis:])

    def lower(self, input: Shape) -> Call:
        return Call("specforge.modules.Concat", self.model_dump(exclude_defaults=True))


class Add(Merge):
    """Adds values; axes of size 1 are stretched to the others' size.

        {from: [previous, input], add: }

    Shapes: (N, C, H, W), (N, C, H, W) or (N, C, 1, 1), … -> (N, C, H, W). All values have as many axes.

    Errors: sizes that differ and are not 1.

    Source: https://docs.pytorch.org/docs/stable/notes/broadcasting.html
    """

    def merged_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return _stretched(inputs, "added")

    def lower(self, input: Shape) -> Call:
        return Call("specforge.modules.Add")


class Multiply(Merge):
    """Multiplies values position by position; axes of size 1 are stretched to the others' size.

        {from: [previous, input], multiply: }

    Shapes: (N, C, H, W), (N, C, H, W) or (N, C, 1, 1), … -> (N, C, H, W). All values have as many axes.

    Errors: sizes that differ and are not 1.

    Source: https://docs.pytorch.org/docs/stable/notes/broadcasting.html
    """

    def merged_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return _stretched(inputs, "multiplied")

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept(input=True)

    def lower(self, input: Shape) -> Call:
        return Call("specforge.modules.Multiply")


class Matmul(Merge):
    """Multiplies two stacks of matrices, the last two axes of each value.

        {from: [previous, previous], matmul: {transpose: true}}

    Shapes: (N, …, L, K), (N, …, K, M) -> (N, …, L, M); with `transpose`, the second is (N, …, M, K).

    Errors: other than two values; inner sizes that differ.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.matmul.html
    """

    transpose: bool = False

    def merged_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        if len(inputs) != 2:
            raise Misfit(f"`matmul` multiplies two values, {len(inputs)} arrive", argument="from", hint=_TWO)
        first, second = inputs
        if min(len(first), len(second)) < 2 or first[:-2] != second[:-2]:
            message = f"{spelled(first)} and {spelled(second)} are not stacks of as many matrices"
            raise Misfit(message, hint="matrices are the last two axes; the axes before agree", argument="from")
        rows, columns = reversed(second[-2:]) if self.transpose else second[-2:]
        if first[-1] != rows:
            message = f"{spelled(first)} has {first[-1]} columns, {spelled(second)} {rows} rows"
            raise Misfit(message, hint="`transpose` turns the second", argument="from")
        return (*first[:-1], columns)

    def merged_macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return elements(output) * inputs[0][-1]

    def reach(self, axes: int) -> None:
        return None

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept(input=True)

    def lower(self, input: Shape) -> Call:
        return Call("specforge.modules.Matmul", self.model_dump(exclude_defaults=True))


_TWO = "write `from: [previous, stem]`"


def _all(inputs: tuple[Shape, ...]) -> str:
    return ", ".join(map(spelled, inputs))


def _stretched(inputs: tuple[Shape, ...], done: str) -> Shape:
    """The joint shape of values whose axes agree or are 1."""
    sizes = [set(axis) - {1} for axis in zip(*inputs, strict=False)]
    if len({len(shape) for shape in inputs}) > 1 or any(len(axis) > 1 for axis in sizes):
        hint = "make their shapes agree; only axes of size 1 are stretched"
        raise Misfit(f"values of different shapes can't be {done}: {_all(inputs)}", hint=hint, argument="from")
    return tuple(max(axis, default=1) for axis in sizes)
