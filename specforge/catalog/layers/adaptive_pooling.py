"""Pooling to a given size, and over all places."""

from typing import ClassVar

from specforge.catalog.definition import Call, Extent, Kept, Layer, Layout
from specforge.catalog.discovery import word_for
from specforge.catalog.layers.definition import INDEX, spatial
from specforge.shapes import Misfit, Shape, elements, per_axis, spelled


class _Adaptive(Layer):
    """Windows that divide the image as evenly as they can into a given number of places."""

    main: ClassVar[str | None] = "output_size"
    last_axis: ClassVar[Layout | None] = "positions"
    needs_positions: ClassVar[bool] = True
    passes_shift: ClassVar[bool] = True
    target: ClassVar[str]
    output_size: Extent

    def output_shape(self, input: Shape) -> Shape:
        axes = len(spatial(self, input))
        return (input[0], *per_axis(self.output_size, axes, argument="output_size"))

    def reach(self, axes: int) -> tuple[int, ...] | None:
        return None  # as much of the image as there is, divided by the output's size

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return low, high

    def lower(self, input: Shape) -> Call:
        return Call(f"torch.nn.{self.target}{len(input) - 1}d", {"output_size": self.output_size})


class AdaptiveAvgPool(_Adaptive):
    """Takes means of windows chosen such that a given size leaves, whatever size arrives.

        adaptive_avg_pool: 4

    Shapes: (N, C, H, W) -> (N, C, output_size, output_size), or of the sizes in a list; (N, C, L) and (N, C, D, H, W)
    alike. Place i of n sees the rows from floor(i H / n) to ceil((i + 1) H / n), so that windows overlap where H is no
    multiple of n, and repeat where it is smaller. `global_avg_pool` gives (N, C) instead of (N, C, 1, 1).

    Errors: no spatial axes; a list of other than one number for each.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html
    """

    target: ClassVar[str] = "AdaptiveAvgPool"
    also_known_as: ClassVar[tuple[str, ...]] = ("adaptive_average_pool", "adaptive_average_pooling2d")

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept(input=elements(output[1:]) > 1)  # torch takes the plain mean for a single place


class AdaptiveMaxPool(_Adaptive):
    """Takes the largest values of windows chosen such that a given size leaves, whatever size arrives.

        adaptive_max_pool: 4

    Shapes: (N, C, H, W) -> (N, C, output_size, output_size), or of the sizes in a list; (N, C, L) and (N, C, D, H, W)
    alike. Windows lie as those of `adaptive_avg_pool`.

    Errors: no spatial axes; a list of other than one number for each.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool2d.html
    """

    target: ClassVar[str] = "AdaptiveMaxPool"
    also_known_as: ClassVar[tuple[str, ...]] = ("adaptive_max_pooling2d",)

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept(input=True, extra=INDEX * elements(output))  # where each maximum was


class _Global(Layer):
    """One number for each channel."""

    last_axis: ClassVar[Layout | None] = "features"
    needs_positions: ClassVar[bool] = True
    passes_shift: ClassVar[bool] = True

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return low, high

    def output_shape(self, input: Shape) -> Shape:
        if len(input) < 2:
            message = f"`{word_for(self)}` needs [channels, height, width], {spelled(input)} arrives"
            raise Misfit(message, hint="remove it, or place it before `flatten`")
        return input[:1]

    def reach(self, axes: int) -> tuple[int, ...] | None:
        return None


class GlobalAvgPool(_Global):
    """Takes the mean of every channel over all spatial axes.

        global_avg_pool

    Shapes: (N, C, H, W) -> (N, C), with any number of spatial axes from one.

    Errors: features arrive, which have no spatial axes.

    Source: Lin, Chen and Yan 2013, https://arxiv.org/abs/1312.4400
    """

    also_known_as: ClassVar[tuple[str, ...]] = (
        "globalaveragepooling2d",
        "gap",
        "global_average_pooling",
        "global_average_pool",
    )

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept()

    def lower(self, input: Shape) -> Call:
        return Call("specforge.modules.GlobalAvgPool")


class GlobalMaxPool(_Global):
    """Takes the largest value of every channel over all spatial axes.

        global_max_pool

    Shapes: (N, C, H, W) -> (N, C), with any number of spatial axes from one. The gradient goes to the largest value, in
    equal parts where several are the largest.

    Errors: features arrive, which have no spatial axes.

    Source: Oquab et al. 2015, https://openaccess.thecvf.com/content_cvpr_2015/html/Oquab_Is_Object_Localization_2015_CVPR_paper.html
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("global_max_pooling", "global_max_pooling2d", "gmp")

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept(input=True, output=True)

    def lower(self, input: Shape) -> Call:
        return Call("specforge.modules.GlobalMaxPool")
