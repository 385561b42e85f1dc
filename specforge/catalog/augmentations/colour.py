"""Changing brightness, contrast and colours of photographs.

The functions take images (N, C, H, W) uint8 and a strength for each (N,) float32, and give back the like in the same
memory format. Results are cut off to whole grey levels after each, as torchvision's are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field, model_validator

from specforge.catalog.augmentations.definition import Augmentation, OccasionalAugmentation
from specforge.catalog.augmentations.ranges import Range, between, in_order
from specforge.catalog.augmentations.routing import in_groups

if TYPE_CHECKING:
    import torch

_Factor = Annotated[float | Range, AfterValidator(in_order(0, float("inf")))]


def _hue_range(value: float | Range) -> float | Range:
    ends = value if isinstance(value, tuple) else (-value, value)
    if min(ends) < -0.5 or max(ends) > 0.5 or (not isinstance(value, tuple) and value < 0):
        raise ValueError("a number from 0 to 0.5, or a range from -0.5 to 0.5; 0.5 is half of the colour circle")
    if ends[0] > ends[1]:
        raise ValueError(f"a range with its smaller end first; write `[{ends[1]:g}, {ends[0]:g}]`")
    return value


class ColourJitter(Augmentation):
    """Changes brightness, contrast, saturation and hue at random, in an order of its own for every image.

        data:
          dataset: cifar10
          augment:
            - colour_jitter: {brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1}

    `(N, C, H, W) -> (N, C, H, W)`; what is not given is left alone. `brightness`, `contrast` and `saturation` are
    factors: 0.4 draws one from 0.6 to 1.4 (never below 0), `[0.5, 2]` from that range, and 1 changes nothing.
    `brightness` 0 is black, `contrast` 0 the image's mean grey, `saturation` 0 a grey image. `hue` turns colours by a
    part of the colour circle: 0.1 draws from -0.1 to 0.1, `[0, 0.2]` from that range; 0.5 is the opposite colour.
    Errors: `saturation` and `hue` need images of 3 channels.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.ColorJitter.html
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("color_jitter", "jitter")
    on_host: ClassVar[tuple[str, ...]] = ("operation",)

    brightness: _Factor | None = None
    contrast: _Factor | None = None
    saturation: _Factor | None = None
    hue: Annotated[float | Range, AfterValidator(_hue_range)] | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> ColourJitter:
        if not self._ranges():
            raise ValueError("needs at least one of `brightness`, `contrast`, `saturation` and `hue`")
        return self

    @property
    def needs_channels(self) -> tuple[int, str] | None:
        asking = next((name for name in ("saturation", "hue") if getattr(self, name) is not None), None)
        return None if asking is None else (3, asking)

    def _ranges(self) -> dict[str, Range]:
        ranges: dict[str, Range] = {}
        for name in ("brightness", "contrast", "saturation", "hue"):
            value = getattr(self, name)
            if isinstance(value, tuple):
                ranges[name] = value
            elif value is not None:
                ranges[name] = (-value, value) if name == "hue" else (max(0.0, 1 - value), 1 + value)
        return ranges

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """For the k changes that are given: `operation` (count, k) int64 and `strength` (count, k) float32.

        `operation` numbers them as written above and is a permutation in each row: the order for that image.
        `strength` has a column for each change, not for each turn.
        """
        import torch

        ranges = self._ranges()
        operation = torch.rand(count, len(ranges), generator=generator).argsort(1)
        strengths = [between(limits, (count,), generator) for limits in ranges.values()]
        return {"operation": operation, "strength": torch.stack(strengths, 1)}

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        changes = {"brightness": brightened, "contrast": contrasted, "saturation": saturated, "hue": hue_turned}
        functions = [changes[name] for name in self._ranges()]
        for operation in draws["operation"].unbind(1):
            images = in_groups(images, operation, functions, draws["strength"].unbind(1))
        return images


class Grayscale(OccasionalAugmentation):
    """Makes an image grey with a probability, in all of its three channels.

        data:
          dataset: cifar10
          augment:
            - grayscale: 0.1

    `(N, 3, H, W) -> (N, 3, H, W)`; grey is 0.2989 red + 0.587 green + 0.114 blue. `probability` is that of each image.
    Errors: it needs images of 3 channels.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomGrayscale.html
    """

    main: ClassVar[str | None] = "probability"
    also_known_as: ClassVar[tuple[str, ...]] = ("random_grayscale", "greyscale", "to_gray", "rgb_to_grayscale")

    probability: float = Field(default=0.1, ge=0, le=1)

    @property
    def needs_channels(self) -> tuple[int, str] | None:
        return 3, ""

    def change(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        import torch

        return torch.empty_like(images).copy_(grey(images))


def grey(images: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) uint8 -> (N, 1, H, W) float32, whole grey levels."""
    red, green, blue = images.unbind(1)
    return (red * 0.2989).add_(green, alpha=0.587).add_(blue, alpha=0.114).floor_().unsqueeze(1)


def brightened(images: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """0 is black, 1 changes nothing."""
    return _bytes(images * factor[:, None, None, None])


def contrasted(images: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """0 is the image's mean grey, 1 changes nothing."""
    import torch

    greys = grey(images) if images.shape[1] == 3 else images.to(torch.float32)
    return _away_from(greys.mean((1, 2, 3), keepdim=True), images, factor)


def saturated(images: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """0 is a grey image, 1 changes nothing; what has no three channels has no colour."""
    return _away_from(grey(images), images, factor) if images.shape[1] == 3 else images


def hue_turned(images: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
    """By a part of the colour circle: 0 and 1 change nothing."""
    import torch

    red, green, blue = images.to(torch.float32).unbind(1)
    least, most = torch.aminmax(images, dim=1)
    value, chroma = most.to(torch.float32), (most - least).to(torch.float32)
    spread = chroma.clamp(min=1)  # grey has no hue; any will do, because its chroma is zero
    sixth = torch.where(most == images[:, 1], (blue - red) / spread + 2, (red - green) / spread + 4)
    sixth = torch.where(most == images[:, 0], (green - blue) / spread, sixth)
    sixth += 6 * turn[:, None, None]
    changed = torch.empty_like(images)
    for channel, offset in enumerate((5, 3, 1)):  # how far, in sixths, to where the channel begins to fade
        place = (sixth + offset).remainder_(6)
        missing = torch.minimum(place, 4 - place).clamp_(0, 1).mul_(chroma)
        changed[:, channel] = (value - missing).mul_(_SCALED).to(torch.uint8)
    return changed


# torchvision takes bytes to 0..1 and back with 255.999: a level is lost only where rounding brings it below a whole
_SCALED = 255.999 / 255


def _away_from(other: torch.Tensor, images: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """`other` for 0, the images for 1, beyond them above."""
    share = factor[:, None, None, None]
    return _bytes((images * share).addcmul_(other, 1 - share))


def _bytes(values: torch.Tensor) -> torch.Tensor:
    import torch

    return values.clamp_(0, 255).to(torch.uint8)
