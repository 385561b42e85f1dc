"""What may be written as one number for both sides: angles and distances.

15    ->    from -15 to 15        [0, 15]    ->    from 0 to 15
"""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from specforge.catalog.augmentations.ranges import Range

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel


def swing(limit: float, unit: str, *, advice: str = "") -> Callable[[float | Range], float | Range]:
    """Checks a number, which means from minus it to it, or a range, to stay within the limit on both sides."""

    def check(value: float | Range) -> float | Range:
        low, high = ends(value)
        if low > high:
            if not isinstance(value, tuple):
                raise ValueError(f"at least 0: it means from minus it to it; write `{low:g}`")
            raise ValueError(f"a range with its smaller end first; write `[{high:g}, {low:g}]`")
        if max(-low, high) > limit:
            raise ValueError(f"at most {limit:g} {unit} to either side{advice}")
        return value

    return check


def ends(value: float | Range) -> Range:
    """The range that is meant."""
    return value if isinstance(value, tuple) else (-value, value)


def in_radians(degrees: float | Range | None, radians: float | Range | None = None) -> Range:
    """The range of an angle that was written in either unit."""
    if degrees is None:
        assert radians is not None
        return ends(radians)
    low, high = ends(degrees)
    return low * pi / 180, high * pi / 180


def is_upright(radians: Range) -> bool:
    """Whether no angle is beyond a right one, so that what was on top stays on top."""
    return max(-radians[0], radians[1]) <= pi / 2


def check_one_of(word: BaseModel, first: str, second: str) -> None:
    """Exactly one of two arguments that say the same in different units is given."""
    given = [name for name in (first, second) if getattr(word, name) is not None]
    if not given:
        raise ValueError(f"needs `{first}` or `{second}`")
    if len(given) == 2:
        raise ValueError(f"`{second}` and `{first}` say the same thing; keep one of them")


_MEANT_DEGREES = "; if these are degrees, say `degrees`"
Degrees = Annotated[float | Range, AfterValidator(swing(360, "degrees"))]
Radians = Annotated[float | Range, AfterValidator(swing(6.2832, "radians", advice=_MEANT_DEGREES))]
# at a right angle, an axis lies on the other and the image has no area left
SlantDegrees = Annotated[float | Range, AfterValidator(swing(89, "degrees"))]
SlantRadians = Annotated[float | Range, AfterValidator(swing(1.55, "radians", advice=_MEANT_DEGREES))]
