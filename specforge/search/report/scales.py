"""The range of what is drawn -> where a value lies on an axis, and the axis's labels.

Scale.of(varied)  of a path of the space: its bounds, or a place for each listed value
Scale.of_metric([0.81, 0.93], "validation_accuracy")
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from specforge.checks.search_ends import Varied
from specforge.report import figures
from specforge.report.axis import Axis
from specforge.resolved import flow
from specforge.search.extension import data_of


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a place of an axis, 0 at its low end and 1 at its high end."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis of the parallel coordinates."""

    title: str
    labels: tuple[Label, ...]
    low: float
    high: float
    logarithmic: bool = False
    places: Mapping[Any, float] | None = None

    @classmethod
    def of(cls, varied: Varied) -> "Scale":
        distribution = varied.distribution
        if distribution.is_list:
            count = len(varied.ends)
            # a lone value in the middle, others with room at both ends
            at = [0.5 if count == 1 else 0.06 + 0.88 * place / (count - 1) for place in range(count)]
            texts = [flow(data_of(end.node)) for end in varied.ends]
            places = {distribution.token(place): at[place] for place in range(count)}
            shown = zip(at, texts, strict=True) if count <= _MOST_LABELS else [(at[0], texts[0]), (at[-1], texts[-1])]
            return cls(varied.path, tuple(Label(*pair) for pair in shown), 0.0, 1.0, places=places)
        low, high = map(float, distribution.ends())
        scale = cls(varied.path, (), low, high, distribution.is_logarithmic)
        ticks = [low, *_between(low, high, scale.logarithmic), high]
        labels = tuple(Label(scale.position(tick), figures.number(tick, digits=3)) for tick in ticks)
        return cls(varied.path, labels, low, high, scale.logarithmic)

    @classmethod
    def of_metric(cls, values: Sequence[float], metric: str) -> "Scale":
        axis = axis_of(values, metric)
        labels = tuple(Label(axis.position(tick), tick_text(tick, axis, metric)) for tick in axis.ticks)
        return cls(metric, labels, axis.low, axis.high)

    def position(self, value: Any) -> float:
        """0 at the low end, 1 at the high end."""
        if self.places is not None:
            return self.places[value]
        if self.logarithmic:
            return math.log(float(value) / self.low) / math.log(self.high / self.low)
        number = float(value)
        return min(1.0, max(0.0, (number - self.low) / (self.high - self.low)))


def axis_of(values: Sequence[float], metric: str) -> Axis:
    """Around the values; losses that are far above the others are left to stand at its edge."""
    ordered = sorted(values)
    if metric.endswith("accuracy"):
        return Axis.around(ordered, at_most=1.0)
    return Axis.around(ordered[: max(1, math.ceil(0.9 * len(ordered)))])


def tick_text(value: float, axis: Axis, metric: str) -> str:
    if metric.endswith("accuracy"):
        return figures.tick_percent(value, axis.ticks)
    return figures.number(value)


_MOST_LABELS = 8


def _between(low: float, high: float, logarithmic: bool) -> list[float]:
    """Round numbers that stand well apart from the ends."""
    if not logarithmic:
        return []
    first, last = math.ceil(math.log10(low) + 0.4), math.floor(math.log10(high) - 0.4)
    step = max(1, math.ceil((last - first + 1) / 4))
    return [10.0**power for power in range(first, last + 1, step)]
