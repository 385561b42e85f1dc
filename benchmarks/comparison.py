"""Two sides measured in turn, and what their medians say.

measured = interleave({"ours": time_ours, "theirs": time_theirs}, rounds=15)
Comparison("a step", measured["ours"], measured["theirs"], unit="ms", target=1.02).verdict    # "met"
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Literal


@dataclass(frozen=True, slots=True)
class Comparison:
    """Measurements of both sides, one of each a round. `target` bounds the ratio; without one it is for information."""

    name: str
    ours: Sequence[float]
    theirs: Sequence[float]
    unit: str
    target: float | None = None
    better: Literal["lower", "higher"] = "lower"

    @property
    def ratios(self) -> list[float]:
        """Of each round: what else the machine does then slows both sides alike."""
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        """The rounds' median, which one disturbed round does not move."""
        return median(self.ratios)

    @property
    def middle_half(self) -> tuple[float, float]:
        """The quartiles of the rounds' ratios: how far to trust the figure."""
        if len(self.ratios) == 1:  # of what is no different the next time, such as memory
            return self.ratio, self.ratio
        low, _, high = quantiles(self.ratios, n=4, method="inclusive")
        return low, high

    @property
    def verdict(self) -> str:
        if self.target is None:
            return "for information"
        met = self.ratio <= self.target if self.better == "lower" else self.ratio >= self.target
        return "met" if met else "MISSED"

    def cells(self) -> tuple[str, ...]:
        """A row of the table under `HEADERS`."""
        low, high = self.middle_half
        sign = "≤" if self.better == "lower" else "≥"
        return (
            self.name,
            f"{median(self.ours):.1f} {self.unit}",
            f"{median(self.theirs):.1f} {self.unit}",
            f"{self.ratio:.3f}",
            f"{low:.3f} to {high:.3f}",
            "" if self.target is None else f"{sign} {self.target:g}",
            self.verdict,
        )


HEADERS = ("what", "ours", "theirs", "ratio", "middle half", "target", "verdict")


def interleave(sides: Mapping[str, Callable[[], float]], *, rounds: int, warm_up: int = 1) -> dict[str, list[float]]:
    """Measure every side once a round, the order turned round every time; rounds to warm up are not kept."""
    measured: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(warm_up + rounds):
        for name in sorted(sides, reverse=bool(number % 2)):
            value = sides[name]()
            if number >= warm_up:
                measured[name].append(value)
    return measured


def table(comparisons: Sequence[Comparison]) -> str:
    """All comparisons in columns."""
    return columns([HEADERS, *(comparison.cells() for comparison in comparisons)])


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows of equally many cells as text, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
