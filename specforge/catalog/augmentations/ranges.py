"""What several augmentations let a user write: a strength or the range it is drawn from, and brightness from 0 to 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

if TYPE_CHECKING:
    import torch

Range = tuple[float, float]

_WHITE = 255  # the largest byte


def in_order(low: float, high: float, *, above: bool = False) -> Callable[[Any], Any]:
    """Checks a number, or a range, to lie from `low` (or only `above` it) to `high`, the smaller end first."""
    least = f"greater than {low:g}" if above else f"at least {low:g}"
    most = "" if high == float("inf") else f" and at most {high:g}"

    def check(value: float | Range) -> float | Range:
        first, last = value if isinstance(value, tuple) else (value, value)
        if min(first, last) < low or (above and min(first, last) == low) or max(first, last) > high:
            raise ValueError(f"{least}{most}")
        if first > last:
            raise ValueError(f"a range with its smaller end first; write `[{last:g}, {first:g}]`")
        return value

    return check


def _shown(value: float | tuple[float, ...]) -> float | tuple[float, ...]:
    numbers = value if isinstance(value, tuple) else (value,)
    if not numbers or min(numbers) < 0 or max(numbers) > 1:
        of_one = [f"{_of_one(number):.3g}" for number in numbers]
        written = f"[{', '.join(of_one)}]" if isinstance(value, tuple) else of_one[0]
        levels = numbers and min(numbers) >= 0 and max(numbers) <= _WHITE
        advice = f"; if levels of {_WHITE} are meant, write `{written}`" if levels else ""
        raise ValueError(f"a number from 0 (black) to 1, or a list of one for each channel{advice}")
    return value


def _not_a_level(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 < value <= _WHITE:
        advice = f"; if {value:g} of {_WHITE} levels are meant, write `{_of_one(value):.3g}`"
        raise ValueError(f"at most 1 (full){advice}")
    return value


def _of_one(level: float) -> float:
    return level if level <= 1 else level / _WHITE


# 0 is black, 1 is full; one for all channels or one for each. Before normalisation, as everything in `augment`.
Shade = Annotated[float | tuple[float, ...], AfterValidator(_shown)]

# The same for all channels, or a difference of two.
Brightness = Annotated[float, BeforeValidator(_not_a_level), Field(ge=0, le=1)]


def between(range: Range, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Uniform numbers in the range, float32 on the CPU."""
    import torch

    low, high = range
    return (torch.rand(shape, generator=generator) * (high - low) + low).clamp(low, high)


def grey_levels(shade: float | tuple[float, ...], device: torch.device) -> torch.Tensor:
    """A shade as bytes: (1, C or 1, 1, 1) uint8."""
    import torch

    shades = shade if isinstance(shade, tuple) else (shade,)
    levels = [round(_WHITE * one) for one in shades]
    # one fill a channel and no copy from the host: that would be one for every batch
    filled = [torch.full((1, 1, 1, 1), level, dtype=torch.uint8, device=device) for level in levels]
    return torch.cat(filled, 1)
