"""The range of some values -> an axis: where it starts and ends, its ticks, and where a value lies on it.

Axis.around([0.31, 0.87])  ->  0.2 to 1, ticks 0.2 0.4 0.6 0.8 1
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

_DECADES = 290
_NOTHING = 1e-290  # a rate can be halved until no number is left to divide an axis by


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis from `low` to `high`; on a logarithmic one both are above zero."""

    low: float
    high: float
    ticks: tuple[float, ...]
    logarithmic: bool = False

    def position(self, value: float) -> float:
        """0 at the low end, 1 at the high end."""
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    @classmethod
    def around(cls, values: Sequence[float], *, from_zero: bool = False, at_most: float | None = None) -> "Axis":
        """A linear axis whose ends are ticks; a single value gets room on both sides."""
        low, high = (0.0 if abs(end) < _NOTHING else end for end in (min(values), max(values)))
        low = min(low, 0.0) if from_zero else low
        if high - low <= 1e-9 * max(abs(low), abs(high)):
            room = abs(high) / 2 or 1.0
            # room may not push a share below zero
            low, high = (max(0.0, low - room) if low >= 0 else low - room), high + room
        step = nice_step((high - low) / 4)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if at_most is not None:
            last = min(last, max(first + 1, round(at_most / step)))
        ticks = tuple(float(f"{index * step:.12g}") for index in range(first, last + 1))
        return cls(ticks[0], ticks[-1], ticks)

    @classmethod
    def decades(cls, values: Sequence[float]) -> "Axis":
        """A logarithmic axis between powers of ten, at most about six of them labelled."""
        # below it, powers of ten are no numbers any more
        low = max(-_DECADES, math.floor(math.log10(min(values)) + 1e-9))
        high = min(sys.float_info.max_10_exp, math.ceil(math.log10(max(values)) - 1e-9))
        high = max(high, low + 1)
        every = max(1, math.ceil((high - low) / 6))
        return cls(10.0**low, 10.0**high, tuple(10.0**power for power in range(low, high + 1, every)), True)

    @classmethod
    def of_epochs(cls, first: int, last: int) -> "Axis":
        """Whole epochs from the first to the last, edge to edge; a lone epoch stands in the middle."""
        if first == last:
            return cls(first - 0.5, last + 0.5, (float(first),))
        step = max(1, round(nice_step((last - first + 1) / 5)))
        ticks = tuple(float(epoch) for epoch in range(-(-first // step) * step, last + 1, step))
        return cls(float(first), float(last), ticks)


def nice_step(rough: float) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is no smaller."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
