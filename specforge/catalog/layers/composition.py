"""Layers made of layers."""

from fractions import Fraction
from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from specforge.catalog.definition import Call, Composite, Item, Items, LowerRegion, Merge, Probability, Value
from specforge.catalog.layers.convolution import Conv
from specforge.catalog.layers.merging import Add, Concat, Multiply
from specforge.catalog.layers.normalization import BatchNorm
from specforge.catalog.layers.regularization import StochasticDepth
from specforge.diagnostics import Span
from specforge.shapes import Misfit, Shape, spelled


class Sequential(Composite):
    """Puts layers one after another under a path of their own.

        sequential: {layers: [{conv: {out_channels: 32, kernel_size: 3}}, batch_norm, relu]}

    Shapes: what the first layer takes -> what the last one gives.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Sequential.html
    """

    layers: Items

    def lower_regions(self, input: Value, lower: LowerRegion) -> Value | None:
        return lower("", self.layers, input)

    def strides(self, axes: int) -> tuple[int | Fraction, ...]:
        return _joint_strides(self.layers, axes)


class Repeat(Composite):
    """Builds layers several times from one description, each time with weights of their own.

        repeat: {times: 2, layers: [{linear: 64}, relu]}

    Written with `times: n`, or with `for:` and lists that are walked together; `$index` counts from 0. `iterations`,
    a list of lists of layers, is the form that `specforge config` prints. Paths gain the iteration's number.

    Shapes: what the first layer takes -> what the last one gives.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Sequential.html
    """

    iterations: tuple[Items, ...]

    def lower_regions(self, input: Value, lower: LowerRegion) -> Value | None:
        value: Value | None = input
        for number, items in enumerate(self.iterations):
            if value is None:
                return None
            value = lower(str(number), items, value)
        return value

    def strides(self, axes: int) -> tuple[int | Fraction, ...]:
        return _joint_strides(tuple(item for items in self.iterations for item in items), axes)


class Residual(Composite):
    """Adds a shortcut around a body to the body's result.

        residual: {layers: [{conv: {out_channels: 8, kernel_size: 3, padding: 1}}, batch_norm], shortcut: projection}

    `layers` is the body. `shortcut` is `identity` (shapes must agree), `projection` (identity where they agree, else a
    bias-free 1×1 convolution with the body's stride, then batch norm, under the paths `shortcut.conv_1` and
    `shortcut.batch_norm_1`), `where_possible` (no sum where they differ), or layers of its own.

    `drop_path` is the probability that training leaves the body out for an image (stochastic depth, under the path
    `drop_path`); it applies only where there is a sum.

    Shapes: (N, C, H, W) -> what the body gives; the shortcut must give the same.

    Errors: a shortcut whose shape differs from the body's; a layer of the body whose `id` is `shortcut` or `drop_path`.

    Source: He et al. 2015, https://arxiv.org/abs/1512.03385
    """

    layers: Items
    shortcut: Literal["identity", "projection", "where_possible"] | Items = "identity"
    drop_path: Probability = 0.0

    @model_validator(mode="after")
    def _names_are_reserved(self) -> "Residual":
        for name, what in (("shortcut", "the shortcut's own layers"), ("drop_path", "what `drop_path` adds")):
            if any(item.id == name for item in self.layers):
                raise ValueError(f"a layer of its body can't have the id `{name}`, the path of {what}")
        return self

    def lower_regions(self, input: Value, lower: LowerRegion) -> Value | None:
        output = lower("", self.layers, input)
        if output is None or not self._sums(input.shape, output.shape):
            return output
        if self.drop_path:
            drop = Item("drop_path", "stochastic_depth", StochasticDepth(p=self.drop_path), _UNWRITTEN, {}, {})
            output = lower("", (drop,), output, made_for="drop_path")
            assert output is not None
        shortcut, made_for = self.shortcut, None
        if not isinstance(shortcut, tuple):
            shortcut, made_for = self._projection(input.shape, output.shape), "shortcut"
        around = lower("shortcut", shortcut, input, made_for=made_for) if shortcut else input
        if around is not None and around.shape != output.shape:
            message = (
                f"the shortcut gives {spelled(around.shape)}, the body {spelled(output.shape)}: they can't be added"
            )
            raise Misfit(message, hint=self._way_out(input.shape, output.shape), argument="shortcut")
        return None if around is None else Value(output.shape, joins=(output, around))

    def join(self) -> Merge:
        return Add()

    def strides(self, axes: int) -> tuple[int | Fraction, ...]:
        return _joint_strides(self.layers, axes)

    def _sums(self, input: Shape, output: Shape) -> bool:
        return self.shortcut != "where_possible" or input == output

    def _projection(self, input: Shape, output: Shape) -> Items:
        """The 1×1 convolution from the input's shape to the output's; nothing where none is needed or wanted."""
        if self.shortcut != "projection" or input == output or not _projectable(input, output):
            return ()
        strides = self.strides(len(input) - 1)
        if any(stride != int(stride) for stride in strides):  # no convolution enlarges
            return ()
        stride = tuple(map(int, strides))
        conv = Conv(out_channels=output[0], kernel_size=1, stride=stride, bias=False)
        return (
            Item("conv_1", "conv", conv, _UNWRITTEN, {}, {}),
            Item("batch_norm_1", "batch_norm", BatchNorm(), _UNWRITTEN, {}, {}),
        )

    def _way_out(self, input: Shape, output: Shape) -> str:
        """What to do about shapes that differ, without proposing what was written."""
        if self.shortcut == "identity" and _projectable(input, output):
            return "use `shortcut: projection` (1×1 convolution), `where_possible` (no sum here), or layers of your own"
        if self.shortcut == "projection" and _projectable(input, output):
            return "pad the body so that it shrinks by its stride alone, or write the shortcut's layers"
        return "use `shortcut: where_possible` (no sum here), or layers that give the body's shape"

    def assemble(self, input: Shape, output: Shape) -> Call:
        return Call("specforge.modules.Residual" if self._sums(input, output) else "torch.nn.Sequential")


class Branches(Composite):
    """Runs several paths from the same value and joins what they give.

        branches: {paths: [[{conv: {out_channels: 8, kernel_size: 1}}], [{conv: {out_channels: 4, kernel_size: 1}}]]}

    `paths` is a list of lists of layers, under the paths `0`, `1` and so on; an empty one passes the value on. `merge`
    is `concat` (along the channels), `add` or `multiply` (axes of size 1 are stretched).

    Shapes: (N, C, H, W) -> what the paths give, joined.

    Errors: paths whose shapes can't be joined.

    Source: Szegedy et al. 2014, https://arxiv.org/abs/1409.4842
    """

    main: ClassVar[str | None] = "paths"
    paths: Annotated[tuple[Items, ...], Field(min_length=1)]
    merge: Literal["concat", "add", "multiply"] = "concat"

    def lower_regions(self, input: Value, lower: LowerRegion) -> Value | None:
        outputs = [lower(str(number), items, input) for number, items in enumerate(self.paths)]
        values = tuple(value for value in outputs if value is not None)
        if len(values) < len(outputs):
            return None
        try:
            shape = self.join().merged_shape(tuple(value.shape for value in values))
        except Misfit as misfit:
            each = ", ".join(f"path {number} {spelled(value.shape)}" for number, value in enumerate(values))
            reason = misfit.message.partition(":")[0]
            raise Misfit(f"{reason}: {each}", hint=misfit.hint, argument="paths") from None
        return Value(shape, joins=values)

    def strides(self, axes: int) -> tuple[int | Fraction, ...]:
        return _joint_strides(self.paths[0], axes)

    def join(self) -> Merge:
        return {"concat": Concat(), "add": Add(), "multiply": Multiply()}[self.merge]

    def assemble(self, input: Shape, output: Shape) -> Call:
        return Call("specforge.modules.Branches", {"join": self.join().lower(output)})


class Auxiliary(Composite):
    """Reads the running value with layers of its own, whose result gets a loss in training and is left out otherwise.

        auxiliary: {weight: 0.3, layers: [global_avg_pool, {linear: 10}]}

    `layers` are the branch; `weight` is that of its loss beside the output's, which counts once. What follows reads on
    as if it were not there. In training, the network returns its output and the branches' results by path; in
    evaluation its output alone. Its parameters count, its MACs don't.

    Shapes: what the first layer takes -> (N, classes), as the network's output.

    Source: Szegedy et al. 2014, https://arxiv.org/abs/1409.4842
    """

    is_side_branch: ClassVar[bool] = True
    layers: Items
    weight: Annotated[float, Field(gt=0)] = 1.0

    @property
    def loss_weight(self) -> float:
        return self.weight

    def lower_regions(self, input: Value, lower: LowerRegion) -> Value | None:
        return lower("", self.layers, input)


_UNWRITTEN = Span("", 1, 1, 1, 1)  # of layers that an argument asks for, until they are lowered


def _projectable(input: Shape, output: Shape) -> bool:
    """Whether a convolution can lead from one to the other: channels and as many spatial axes on both sides."""
    return len(input) == len(output) and 2 <= len(input) <= 4


def _joint_strides(items: Items, axes: int) -> tuple[int | Fraction, ...]:
    """The strides of layers one after another multiply; a side branch is beside them."""
    each = [item.layer.strides(axes) for item in items if not isinstance(item.layer, Auxiliary)]
    return tuple(prod(strides[axis] for strides in each) for axis in range(axes))
