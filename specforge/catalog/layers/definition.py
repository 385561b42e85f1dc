"""What several families of layers share: functions of every value alone, and what has spatial axes."""

from math import inf
from typing import Annotated, ClassVar

from pydantic import AfterValidator

from specforge.catalog.definition import Call, Kept, Layer
from specforge.catalog.discovery import word_for
from specforge.shapes import Misfit, Shape, elements, spelled

FLOAT, INDEX = 4, 8  # bytes of a float32, and of the int64 that torch keeps positions in


def _not_zero(value: float) -> float:
    if value == 0:
        raise ValueError("a number other than 0, which it divides by")
    return value


NotZero = Annotated[float, AfterValidator(_not_zero)]


class ElementWise(Layer):
    """A function of every value alone: any shape -> the same.

    `limits` are the bounds of what it gives; `keeps` is what its gradient is computed from, and `copies` counts
    results inside it, as large as the input, that are kept too.
    """

    target: ClassVar[str]
    limits: ClassVar[tuple[float, float]] = (-inf, inf)
    keeps: ClassVar[Kept] = Kept(input=True)
    copies: ClassVar[int] = 0

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return self.limits

    def output_shape(self, input: Shape) -> Shape:
        return input

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept(self.keeps.input, self.keeps.output, self.copies * FLOAT * elements(input))

    def lower(self, input: Shape) -> Call:
        return Call(self.target, self.model_dump(exclude_defaults=True))


class Rectifier(ElementWise):
    """Gives back what is not negative."""

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return (low, high) if low >= 0 else self.limits

    def idle(self, input: Shape, low: float, high: float) -> str | None:
        return "no negative value arrives" if low >= 0 else None


def cut(low: float, high: float, bottom: float, top: float) -> tuple[float, float]:
    """The bounds of values between `low` and `high` after cutting them off below `bottom` and above `top`."""
    return min(max(low, bottom), top), min(max(high, bottom), top)


def spatial(layer: Layer, input: Shape) -> Shape:
    """The sizes of the spatial axes, of which there are one to three."""
    if not 2 <= len(input) <= 4:
        message = f"`{word_for(layer)}` needs [channels, height, width], {spelled(input)} arrives"
        raise Misfit(message, hint="place it before `flatten` and `global_avg_pool`")
    return input[1:]
