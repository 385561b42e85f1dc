"""Moving and zooming images, or all at once; neighbours of these in `augment` are applied as one map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from specforge.catalog.augmentations.angles import turned
from specforge.catalog.augmentations.definition import ResampledAugmentation
from specforge.catalog.augmentations.ranges import Range, between, in_order
from specforge.catalog.augmentations.resampling import composed, matrices
from specforge.catalog.augmentations.swings import (
    Degrees,
    SlantDegrees,
    check_one_of,
    ends,
    in_radians,
    is_upright,
    swing,
)

if TYPE_CHECKING:
    import torch

_Fraction = Annotated[
    float | Range, AfterValidator(swing(1, "of the image's length", advice="; if these are pixels, say `pixels`"))
]
_Pixels = Annotated[float | Range, AfterValidator(swing(4096, "pixels"))]
_Part = Annotated[float, Field(ge=0, le=1)]


def _factor(value: float | Range) -> float | Range:
    low, high = value if isinstance(value, tuple) else (1 - value, 1 + value)
    if not isinstance(value, tuple) and not 0 <= value < 1:
        raise ValueError(f"from 0 to less than 1: 0.2 means from 0.8 to 1.2{_as_range(value)}")
    if low > high:
        raise ValueError(f"a range with its smaller end first; write `[{high:g}, {low:g}]`")
    if not 0.01 <= low <= high <= 100:
        raise ValueError("a range from at least 0.01 to at most 100")
    return value


def _as_range(value: float) -> str:
    return f"; for that factor alone, write `[{value:g}, {value:g}]`" if value > 0 else ""


_Factor = Annotated[float | Range, AfterValidator(_factor)]


class Shift(ResampledAugmentation):
    """Moves each image by a distance of its own, along one axis or both.

        data:
          dataset: cifar10
          augment:
            - shift: {fraction: 0.1, fill: nearest}

    `(N, C, H, W) -> (N, C, H, W)`; all distances are equally likely, positive ones move to the right and down.
    `fraction` is the greatest part of the image's width and height, or a range `[low, high]`. `pixels` is the same in
    pixels; one of the two is given. `axes` says along which it moves. `whole_pixels` rounds the distance, so that
    nothing is blurred. For axes that differ, write it twice: neighbours are applied as one.

    `fill` says what appears from beyond the edge: `constant` is the colour `value`, `nearest` repeats the edge,
    `reflect` mirrors without repeating the edge, `symmetric` repeats it (`reflect` in Keras and scipy). `value` is 0
    (black) to 1, before normalisation, or a list with one for each channel. `interpolation` is `bilinear` or `nearest`.

    Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_translation/
    """

    units: ClassVar[tuple[str, ...]] = ("fraction", "pixels")
    also_known_as: ClassVar[tuple[str, ...]] = (
        "random_translation",
        "translate",
        "translation",
        "width_shift_range",
        "height_shift_range",
    )

    fraction: _Fraction | None = None
    pixels: _Pixels | None = None
    axes: Literal["both", "horizontal", "vertical"] = "both"
    whole_pixels: bool = False

    @model_validator(mode="after")
    def _has_a_unit(self) -> Shift:
        check_one_of(self, "fraction", "pixels")
        return self

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """`right` and `down`: (count,) float32, pixels."""
        import torch

        drawn = {}
        for name, axis, length in (("right", "horizontal", size[1]), ("down", "vertical", size[0])):
            low, high = ends(self.pixels) if self.pixels is not None else _scaled(self.fraction, length)
            moves = self.axes in ("both", axis)
            drawn[name] = between((low, high), (count,), generator) if moves else torch.zeros(count)
        return {name: values.round() for name, values in drawn.items()} if self.whole_pixels else drawn

    def maps(self, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        return matrices(1, 0, -draws["right"], 0, 1, -draws["down"])


class Zoom(ResampledAugmentation):
    """Enlarges or shrinks each image about its centre by a factor of its own.

        data:
          dataset: cifar10
          augment:
            - zoom: {extent: 0.2, axes: apart, fill: nearest}

    `(N, C, H, W) -> (N, C, H, W)`; all factors are equally likely. `extent` is how much of the image is seen, as in
    Keras: 0.2 draws from 0.8 (a part, enlarged) to 1.2 (all and what surrounds it); or a range `[low, high]`. `scale`
    is how large things appear, as in torchvision: 1.2 enlarges; one of the two is given. `axes` is `together` for one
    factor (Keras's layer RandomZoom, torchvision), `apart` for one of each axis's own (Keras's ImageDataGenerator), or
    the only axis, `horizontal` or `vertical`.

    `fill` says what appears from beyond the edge: `constant` is the colour `value`, `nearest` repeats the edge,
    `reflect` mirrors without repeating the edge, `symmetric` repeats it (`reflect` in Keras and scipy). `value` is 0
    (black) to 1, before normalisation, or a list with one for each channel. `interpolation` is `bilinear` or `nearest`.

    Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_zoom/
    """

    units: ClassVar[tuple[str, ...]] = ("extent", "scale")
    also_known_as: ClassVar[tuple[str, ...]] = ("random_zoom", "zoom_range")

    extent: _Factor | None = None
    scale: _Factor | None = None
    axes: Literal["together", "apart", "horizontal", "vertical"] = "together"

    @model_validator(mode="after")
    def _says_what_it_counts(self) -> Zoom:
        check_one_of(self, "extent", "scale")
        return self

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """`horizontal` and `vertical`: (count,) float32, extents or scales as written."""
        import torch

        value = self.extent if self.extent is not None else self.scale
        assert value is not None
        limits = value if isinstance(value, tuple) else (1 - value, 1 + value)
        drawn, unchanged = between(limits, (count,), generator), torch.ones(count)
        if self.axes == "apart":
            return {"horizontal": drawn, "vertical": between(limits, (count,), generator)}
        return {
            "horizontal": unchanged if self.axes == "vertical" else drawn,
            "vertical": unchanged if self.axes == "horizontal" else drawn,
        }

    def maps(self, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        seen = [draws[axis].double() for axis in ("horizontal", "vertical")]
        across, down = seen if self.extent is not None else [factor.reciprocal() for factor in seen]
        return matrices(across, 0, 0, 0, down, 0)


class Affine(ResampledAugmentation):
    """Turns, moves, zooms and slants each image at once, with the arguments of torchvision's RandomAffine.

        data:
          dataset: cifar10
          augment:
            - affine: {degrees: 10, translate: 0.1, scale: [0.9, 1.1], shear_degrees: 5}

    `(N, C, H, W) -> (N, C, H, W)`; what is not given is left alone, and all values are equally likely. `degrees` is the
    greatest angle to either side, or a range `[low, high]`; positive angles turn clockwise, as in RandomAffine but not
    as in `rotation`. `translate` is the greatest fraction of the width and of the height to either side, or a list of
    two, `[horizontal, vertical]`; distances are rounded to whole pixels. `scale` is the range of how large things
    appear. `shear_degrees` slants along the rows and `vertical_shear_degrees` along the columns: greatest angles or
    ranges.

    `fill` says what appears from beyond the edge: `constant` is the colour `value`, `nearest` repeats the edge,
    `reflect` mirrors without repeating the edge, `symmetric` repeats it. `value` is 0 (black) to 1, before
    normalisation, or a list with one for each channel. `interpolation` is `bilinear` or `nearest`.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomAffine.html
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("random_affine", "shift_scale_rotate")

    degrees: Degrees | None = None
    translate: _Part | tuple[_Part, _Part] | None = None
    scale: Annotated[Range, AfterValidator(in_order(0, 100, above=True))] | None = None
    shear_degrees: SlantDegrees | None = None
    vertical_shear_degrees: SlantDegrees | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Affine:
        names = ("degrees", "translate", "scale", "shear_degrees", "vertical_shear_degrees")
        if all(getattr(self, name) is None for name in names):
            raise ValueError("needs at least one of " + ", ".join(f"`{name}`" for name in names))
        return self

    @property
    def is_slight(self) -> bool:
        return is_upright(in_radians(self.degrees or 0.0))

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """(count,) float32 each: `radians` clockwise, `right` and `down` in pixels, `scale`, and two angles of slant.

        Those are `slant` (along the rows) and `vertical_slant`, in radians.
        """
        parts = self.translate if isinstance(self.translate, tuple) else (self.translate or 0.0,) * 2
        moves = {"right": parts[0] * size[1], "down": parts[1] * size[0]}
        turns = {"radians": self.degrees, "slant": self.shear_degrees, "vertical_slant": self.vertical_shear_degrees}
        drawn = {name: between(in_radians(angle or 0.0), (count,), generator) for name, angle in turns.items()}
        drawn |= {name: between((-most, most), (count,), generator).round() for name, most in moves.items()}
        return {**drawn, "scale": between(self.scale or (1.0, 1.0), (count,), generator)}

    def maps(self, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        shrunk = draws["scale"].double().reciprocal()
        return composed(
            [
                matrices(1, draws["slant"].double().tan(), 0, 0, 1, 0),
                matrices(1, 0, 0, draws["vertical_slant"].double().tan(), 1, 0),
                turned(-draws["radians"]),
                matrices(shrunk, 0, 0, 0, shrunk, 0),
                matrices(1, 0, -draws["right"], 0, 1, -draws["down"]),
            ]
        )


def _scaled(fraction: float | Range | None, length: int) -> Range:
    assert fraction is not None
    low, high = ends(fraction)
    return low * length, high * length
