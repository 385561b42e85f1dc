"""Layers that move values without changing them: other shapes, other orders."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from specforge.catalog.definition import Call, Count, Kept, Layer, Layout
from specforge.shapes import Misfit, Shape, elements, spelled


def _one_open(sizes: tuple[int, ...]) -> tuple[int, ...]:
    if sizes.count(-1) > 1 or any(size < 1 and size != -1 for size in sizes):
        raise ValueError("a list of sizes of at least 1, of which one may be -1")
    return sizes


Sizes = Annotated[tuple[int, ...], Field(min_length=1), AfterValidator(_one_open)]


def axis_at(dim: int, input: Shape, *, argument: str = "dim") -> int:
    """The place in `input` of the axis that torch calls `dim`, where the batch is 0; Misfit where there is none."""
    axis = dim + len(input) + 1 if dim < 0 else dim
    if not 1 <= axis <= len(input):
        message = f"axis {dim} is not one of {spelled(input)}; the batch is axis 0"
        raise Misfit(message, hint=f"axes go from 1 to {len(input)}", argument=argument)
    return axis - 1


def _filled(sizes: tuple[int, ...], input: Shape, argument: str) -> Shape:
    """The sizes with -1 replaced by what is left of the values of `input`."""
    values, known = elements(input), elements(tuple(size for size in sizes if size != -1))
    if values % known if -1 in sizes else values != known:
        message = f"{values} values of {spelled(input)} can't be arranged as {spelled(sizes)}"
        hint = f"the sizes must multiply to {values}" + ("; one may be -1" if -1 not in sizes else " without rest")
        raise Misfit(message, hint=hint, argument=argument)
    return tuple(values // known if size == -1 else size for size in sizes)


class _Rearrangement(Layer):
    """The same values at other places; the output shares the input's memory where it `is_view`."""

    is_view: ClassVar[bool] = True

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return low, high

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept()


class Identity(_Rearrangement):
    """Gives back what arrives, as a place that other specs replace.

        identity

    Shapes: any -> the same.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Identity.html
    """

    passes_shift: ClassVar[bool] = True

    def output_shape(self, input: Shape) -> Shape:
        return input

    def lower(self, input: Shape) -> Call:
        return Call("torch.nn.Identity")


class Flatten(_Rearrangement):
    """Joins axes into one, by default all but the batch.

        flatten

    Shapes: (N, C, H, W) -> (N, C·H·W). `start_dim` and `end_dim` are numbered as in torch: the batch is 0, negative
    numbers count from the end.

    Errors: an axis that doesn't exist; `end_dim` before `start_dim`.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Flatten.html
    """

    passes_shift: ClassVar[bool] = True
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

    def idle(self, input: Shape, low: float, high: float) -> str | None:
        return "its axes are joined already" if self.output_shape(input) == input else None

    def lower(self, input: Shape) -> Call:
        return Call("torch.nn.Flatten", self.model_dump(exclude_defaults=True))


class Unflatten(_Rearrangement):
    """Splits an axis into several.

        unflatten: {dim: 1, unflattened_size: [1, -1]}

    Shapes: (N, C, H, W) -> (N, C1, C2, H, W) with `dim: 1` and `unflattened_size: [C1, C2]`; one size may be -1 and
    follows from the others. `dim` is torch's: the batch is 0, negative numbers count from the end.

    Errors: sizes that don't multiply to the axis; an axis that doesn't exist.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Unflatten.html
    """

    last_axis: ClassVar[Layout | None] = "unknown"
    dim: int = 1
    unflattened_size: Sizes

    def output_shape(self, input: Shape) -> Shape:
        axis = axis_at(self.dim, input)
        split = _filled(self.unflattened_size, input[axis : axis + 1], "unflattened_size")
        return (*input[:axis], *split, *input[axis + 1 :])

    def reach(self, axes: int) -> None:
        return None

    def lower(self, input: Shape) -> Call:
        return Call("torch.nn.Unflatten", {"dim": self.dim, "unflattened_size": self.unflattened_size})


class Reshape(_Rearrangement):
    """Arranges an image's values, in their order, in another shape.

        reshape: [48, 64]

    Shapes: (N, …) -> (N, *shape). `shape` is without the batch; one size may be -1 and follows from the others.

    Errors: sizes that don't multiply to as many values as arrive.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.reshape.html
    """

    last_axis: ClassVar[Layout | None] = "unknown"
    main: ClassVar[str | None] = "shape"
    also_known_as: ClassVar[tuple[str, ...]] = ("view",)
    shape: Sizes

    def output_shape(self, input: Shape) -> Shape:
        return _filled(self.shape, input, "shape")

    def reach(self, axes: int) -> None:
        return None

    def idle(self, input: Shape, low: float, high: float) -> str | None:
        return "what arrives has this shape" if self.output_shape(input) == input else None

    def lower(self, input: Shape) -> Call:
        return Call("specforge.modules.Reshape", {"shape": self.shape})


class Permute(_Rearrangement):
    """Puts the axes into another order.

        permute: [2, 3, 1]

    Shapes: (N, C, H, W) -> (N, H, W, C) with `[2, 3, 1]`, and back with `[3, 1, 2]`. `dims` are the input's axes in the
    output's order, in torch's numbers: the batch is 0, stays first and is not written.

    Errors: dims that are not each axis once.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.permute.html
    """

    main: ClassVar[str | None] = "dims"
    also_known_as: ClassVar[tuple[str, ...]] = ("transpose", "swapaxes")
    dims: Annotated[tuple[int, ...], Field(min_length=1)]

    @property
    def last_axis(self) -> Layout | None:  # type: ignore[override]  # follows from `dims`
        if self.dims[-1] == len(self.dims):
            return None
        return "features" if self.dims[-1] == 1 else "positions"

    def output_shape(self, input: Shape) -> Shape:
        wanted = tuple(range(1, len(input) + 1))
        if tuple(sorted(self.dims)) != wanted:
            message = f"`dims` {spelled(self.dims)} are not each axis of {spelled(input)} once"
            hint = f"write the numbers {spelled(wanted)} in another order; the batch, axis 0, stays where it is"
            raise Misfit(message, hint=hint, argument="dims")
        return tuple(input[dim - 1] for dim in self.dims)

    def idle(self, input: Shape, low: float, high: float) -> str | None:
        return "the axes keep their order" if self.dims == tuple(range(1, len(input) + 1)) else None

    def lower(self, input: Shape) -> Call:
        return Call("specforge.modules.Permute", {"dims": self.dims})


class ChannelShuffle(_Rearrangement):
    """Interleaves groups of channels, so that the next grouped convolution sees some of each.

        layers:
          - conv: {out_channels: 24, kernel_size: 1, groups: 3}
          - channel_shuffle: 3

    Shapes: (N, C, H, W) -> the same, with any number of spatial axes from one. Channel i of group g becomes channel
    i · groups + g.

    Errors: no spatial axes; channels not divisible by `groups`.

    Source: Zhang et al. 2017, https://arxiv.org/abs/1707.01083,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ChannelShuffle.html
    """

    is_view: ClassVar[bool] = False
    passes_shift: ClassVar[bool] = True
    main: ClassVar[str | None] = "groups"
    groups: Count

    def output_shape(self, input: Shape) -> Shape:
        if len(input) < 2:
            message = f"`channel_shuffle` needs [channels, height, width], {spelled(input)} arrives"
            raise Misfit(message, hint="place it before `flatten` and `global_avg_pool`")
        if input[0] % self.groups:
            message = f"{input[0]} channels arrive, which {self.groups} groups can't divide"
            raise Misfit(message, hint="choose `groups` that divides the channels", argument="groups")
        return input

    def idle(self, input: Shape, low: float, high: float) -> str | None:
        return "`groups` of 1 or of one channel each keep the order" if self.groups in (1, input[0]) else None

    def lower(self, input: Shape) -> Call:
        return Call("torch.nn.ChannelShuffle", {"groups": self.groups})
