"""A run record -> what its curves show: three panels (loss, accuracy, learning rate), free of any drawing library.

Both the PNG and the page draw these, so that they can't disagree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from specforge.report.axis import Axis
from specforge.report.run import RunRecord, finite
from specforge.spec import Reported

Point = tuple[int, float]
NOTHING = Axis(0.0, 1.0, ())
PARTS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Series:
    """A line, as the pieces between gaps; `color` numbers the palette. A value that is not finite is a gap."""

    label: str
    color: int
    pieces: tuple[tuple[Point, ...], ...]

    @property
    def last(self) -> float | None:
        """The last value that was recorded."""
        return self.pieces[-1][-1][1] if self.pieces else None


@dataclass(frozen=True, slots=True)
class Level:
    """A result without a curve: a horizontal line, with a dot where it was measured."""

    label: str
    kind: Literal["test", "reported"]
    value: float
    epoch: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A stage: its name, and the epochs between which it lies, on the axis."""

    label: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Panel:
    """One set of axes."""

    title: str
    series: tuple[Series, ...]
    levels: tuple[Level, ...]
    epochs: Axis
    values: Axis
    tested_epoch: int | None
    percent: bool = False
    stages: tuple[Span, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.values.ticks


def build_panels(run: RunRecord, *, reported: Sequence[Reported] = ()) -> tuple[Panel, Panel, Panel]:
    """The loss, accuracy and learning rate panels of a run."""
    return _metric_panel(run, "loss", reported), _metric_panel(run, "accuracy", reported), _rate_panel(run)


def _metric_panel(run: RunRecord, quantity: Literal["loss", "accuracy"], reported: Sequence[Reported]) -> Panel:
    series = tuple(
        _series(part, color, [(record.epoch, record.value(f"{part}_{quantity}")) for record in run.epochs])
        for color, part in enumerate(PARTS)
        if run.records(f"{part}_{quantity}")
    )
    levels = _levels(run, f"test_{quantity}", reported) if series or run.result else ()
    values = [*_values(series), *(level.value for level in levels)]
    if not values:
        axis = NOTHING
    elif quantity == "accuracy":
        axis = Axis.around(values, at_most=1.0)
    else:
        axis = Axis.decades(values) if _spread(values) >= 1000 else Axis.around(values)
    percent = quantity == "accuracy"
    return Panel(
        quantity.capitalize(), series, levels, _epochs(run), axis, _tested_epoch(run), percent, _stages(run)
    )  # fmt: skip


def _levels(run: RunRecord, metric: str, reported: Sequence[Reported]) -> tuple[Level, ...]:
    found = [Level("reported", "reported", claim.value) for claim in reported if claim.metric == metric][-1:]
    tested = getattr(run.result, metric, None)
    if tested is not None and finite(tested):
        found.append(Level("test", "test", tested, _tested_epoch(run)))
    return tuple(found)


def _rate_panel(run: RunRecord) -> Panel:
    groups = list(dict.fromkeys(group for record in run.epochs for group in record.rates))
    named = [(group, [(record.epoch, record.rates.get(group)) for record in run.epochs]) for group in groups]
    series = tuple(
        _series(f"group {group}" if group else "all parameters", at, points) for at, (group, points) in enumerate(named)
    )
    series = tuple(line for line in series if line.pieces)
    values = _values(series)
    # a step schedule's low plateaus vanish on a linear axis; a cosine's tail on a logarithmic one is a cliff, also
    # that of one which returns and so has each of its values several times
    steps = sum(before[1] != after[1] for line in series for piece in line.pieces for before, after in pairwise(piece))
    stepwise = steps * 3 <= len(values)
    if not values:
        axis = NOTHING
    else:
        axis = Axis.decades(values) if stepwise and _spread(values) >= 100 else Axis.around(values, from_zero=True)
    return Panel("Learning rate", series, (), _epochs(run), axis, _tested_epoch(run), stages=_stages(run))


def _series(label: str, color: int, points: Sequence[tuple[int, float | None]]) -> Series:
    pieces: list[list[Point]] = [[]]
    for epoch, value in points:
        if value is not None and finite(value):
            pieces[-1].append((epoch, value))
        elif pieces[-1]:
            pieces.append([])
    return Series(label, color, tuple(tuple(piece) for piece in pieces if piece))


def _values(series: Sequence[Series]) -> list[float]:
    return [value for line in series for piece in line.pieces for _, value in piece]


def _spread(values: Sequence[float]) -> float:
    return max(values) / min(values) if values and min(values) > 0 else 0.0


def _tested_epoch(run: RunRecord) -> int | None:
    """The tested epoch where the curves have it: metrics can be lost while the result is there."""
    return run.tested_epoch if run.at(run.tested_epoch) else None


def _stages(run: RunRecord) -> tuple[Span, ...]:
    """The stages where there are several; an epoch without one belongs to the one before it."""
    starts: list[tuple[str, int]] = []
    current: str | int | None = None
    for record in run.epochs:
        if record.stage is not None and record.stage != current:
            current = record.stage
            starts.append((run.stage_name(current), record.epoch))
    if len(starts) < 2:
        return ()
    # between two epochs, so that each point lies in its stage
    edges = [float(run.epochs[0].epoch), *(epoch - 0.5 for _, epoch in starts[1:]), float(run.epochs[-1].epoch)]
    return tuple(Span(label, *ends) for (label, _), ends in zip(starts, pairwise(edges), strict=True))


def _epochs(run: RunRecord) -> Axis:
    return Axis.of_epochs(run.epochs[0].epoch, run.epochs[-1].epoch) if run.epochs else NOTHING
