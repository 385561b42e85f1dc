"""A `RunsComparison` -> the numbers of three SVG drawings: loss, accuracy and learning rate, the runs over each other.

A run has one colour, and its letter at the end of its line. Validation is solid, training dashed, a test recorded in
every epoch dotted; a diamond is a final test. Units are those of the view box, x to the right, y down.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from specforge.report import figures
from specforge.report.axis import Axis
from specforge.report.compare_runs.compared import RunsComparison
from specforge.report.compare_runs.runs import ComparedRun
from specforge.report.run import finite

WIDTH, HEIGHT = 440, 270
MOST_RUNS = 8
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 424, 12, 236
_LETTER_HEIGHT = 11
_FEW = 12

Quantity = Literal["loss", "accuracy"]
Piece = tuple[tuple[int, float], ...]
# the parts of a metric, the one that is drawn on top last
STROKES = {"train": "dashed", "test": "dotted", "validation": "solid"}


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line of a run; `dots` are the points that must be seen on their own, `hover` is what the pointer is told."""

    run: int
    style: str
    path: str
    dots: tuple[tuple[float, float], ...]
    hover: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A letter or a diamond of a run."""

    run: int
    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """One drawing. `heads` are the kinds of lines in it, `keys` each run's last value of each."""

    title: str
    summary: str
    epochs: tuple[Tick, ...]
    values: tuple[Tick, ...]
    strokes: tuple[Stroke, ...]
    letters: tuple[Mark, ...]
    diamonds: tuple[Mark, ...]
    heads: tuple[tuple[str, str], ...]
    keys: tuple[tuple[str, ...], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = _RIGHT
    bottom: int = _BOTTOM


@dataclass(frozen=True, slots=True)
class _Curve:
    run: int
    part: str
    pieces: tuple[Piece, ...]

    @property
    def values(self) -> list[float]:
        return [value for piece in self.pieces for _, value in piece]

    @property
    def last(self) -> tuple[int, float]:
        return self.pieces[-1][-1]


def build_overlays(comparison: RunsComparison) -> tuple[Overlay, ...]:
    """Loss, accuracy and learning rate, those that at least one run recorded."""
    runs = comparison.runs
    epochs = [record.epoch for run in runs for record in run.record.epochs]
    if not epochs:
        return ()
    axis = Axis.of_epochs(min(epochs), max(epochs))
    found = [_metric(runs, axis, "loss"), _metric(runs, axis, "accuracy"), _rates(runs, axis)]
    return tuple(overlay for overlay in found if overlay is not None)


def _metric(runs: Sequence[ComparedRun], epochs: Axis, quantity: Quantity) -> Overlay | None:
    curves = [
        curve
        for part in STROKES
        for at, run in enumerate(runs)
        if (curve := _curve(at, part, [(r.epoch, r.value(f"{part}_{quantity}")) for r in run.record.epochs]))
    ]
    if not curves:
        return None
    tests = [(at, epoch, value) for at, run in enumerate(runs) for epoch, value in _final(run, quantity)]
    numbers = [value for curve in curves for value in curve.values] + [value for *_, value in tests]
    if quantity == "accuracy":
        axis = Axis.around(numbers, at_most=1.0)
    else:
        axis = Axis.decades(numbers) if _spread(numbers) >= 1000 else Axis.around(numbers)
    place = _Place(epochs, axis, percent=quantity == "accuracy")
    diamonds = tuple(
        Mark(at, place.x(epoch), place.y(value), f"{runs[at].name}: final test {place.written(value)}, epoch {epoch}")
        for at, epoch, value in tests
    )
    return _overlay(quantity.capitalize(), runs, curves, place, diamonds, ("validation", "train", "test"))


def _final(run: ComparedRun, quantity: Quantity) -> list[tuple[int, float]]:
    value: float | None = getattr(run.record.result, f"test_{quantity}", None)
    epoch = run.record.tested_epoch
    # metrics can be lost while the result is there
    known = value is not None and finite(value) and epoch is not None and run.record.at(epoch)
    return [(epoch, value)] if known and value is not None and epoch is not None else []


def _rates(runs: Sequence[ComparedRun], epochs: Axis) -> Overlay | None:
    known = [
        (at, [(record.epoch, record.rates.get(group)) for record in run.record.epochs])
        for at, run in enumerate(runs)
        for group in dict.fromkeys(group for record in run.record.epochs for group in record.rates)
    ]
    peaks = [max(rates) for at in range(len(runs)) if (rates := _finite_rates(known, at))]
    # adam's rates and sgd's on one linear axis would make a flat line of one of them
    is_logarithmic = min(peaks, default=0.0) > 0 and max(peaks) / min(peaks) >= 20
    floor = min(peaks, default=0.0) / 1000 if is_logarithmic else -1.0
    lines = [[(e, None if rate is not None and rate < floor else rate) for e, rate in points] for _, points in known]
    curves = [c for (at, _), points in zip(known, lines, strict=True) if (c := _curve(at, "rate", points))]
    if not curves:
        return None
    values = [value for curve in curves for value in curve.values]
    axis = Axis.decades(values) if is_logarithmic else Axis.around(values, from_zero=True)
    title = "Learning rate, logarithmic" if is_logarithmic else "Learning rate"
    return _overlay(title, runs, curves, _Place(epochs, axis, percent=False), (), ("rate",))


def _finite_rates(known: Sequence[tuple[int, Sequence[tuple[int, float | None]]]], run: int) -> list[float]:
    return [rate for at, points in known if at == run for _, rate in points if rate is not None and finite(rate)]


def _curve(run: int, part: str, points: Sequence[tuple[int, float | None]]) -> _Curve | None:
    """The pieces between values that are not there or not finite; None without any."""
    pieces: list[list[tuple[int, float]]] = [[]]
    for epoch, value in points:
        if value is not None and finite(value):
            pieces[-1].append((epoch, value))
        elif pieces[-1]:
            pieces.append([])
    found = tuple(tuple(piece) for piece in pieces if piece)
    return _Curve(run, part, found) if found else None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an epoch and a value lie in the drawing, and how the value is written."""

    epochs: Axis
    axis: Axis
    percent: bool

    def x(self, epoch: float) -> float:
        inset = 6
        return round(_LEFT + inset + self.epochs.position(epoch) * (_RIGHT - _LEFT - 2 * inset), 1)

    def y(self, value: float) -> float:
        return round(_BOTTOM - self.axis.position(value) * (_BOTTOM - _TOP), 1)

    def written(self, value: float) -> str:
        return figures.percent(value) if self.percent else figures.number(value)

    def tick(self, value: float) -> str:
        return figures.tick_percent(value, self.axis.ticks) if self.percent else figures.number(value)


def _overlay(
    title: str,
    runs: Sequence[ComparedRun],
    curves: Sequence[_Curve],
    place: _Place,
    diamonds: tuple[Mark, ...],
    parts: Sequence[str],
) -> Overlay:
    heads = [part for part in parts if any(curve.part == part for curve in curves)]
    keys = tuple(tuple(_last(curves, at, part, place) for part in heads) for at in range(len(runs)))
    ends = ", ".join(f"{run.name} {' and '.join(key)}" for run, key in zip(runs, keys, strict=True))
    return Overlay(
        title=title,
        summary=f"{title} over the epochs; last values of {' and '.join(heads)}: {ends}",
        epochs=tuple(Tick(place.x(tick), f"{tick:.0f}") for tick in place.epochs.ticks),
        values=tuple(Tick(place.y(tick), place.tick(tick)) for tick in place.axis.ticks),
        strokes=tuple(_stroke(curve, runs[curve.run].name, place) for curve in curves),
        letters=_letters(runs, curves, place),
        diamonds=diamonds,
        heads=tuple((part, STROKES.get(part, "solid")) for part in heads),
        keys=keys,
    )


def _last(curves: Sequence[_Curve], run: int, part: str, place: _Place) -> str:
    """The last value; of several groups, each group's."""
    values = [place.written(curve.last[1]) for curve in curves if (curve.run, curve.part) == (run, part)]
    return ", ".join(values[:3]) + (", …" if len(values) > 3 else "") if values else figures.ABSENT


def _stroke(curve: _Curve, name: str, place: _Place) -> Stroke:
    placed = [[(place.x(epoch), place.y(value)) for epoch, value in piece] for piece in curve.pieces]
    few = sum(map(len, placed)) <= _FEW
    path = " ".join("M" + " L".join(f"{x:g},{y:g}" for x, y in piece) for piece in placed if len(piece) > 1)
    # a lone point between two gaps has no line to be seen by
    dots = tuple(point for piece in placed if (few and curve.part != "train") or len(piece) == 1 for point in piece)
    epoch, value = curve.last
    hover = f"{name}: {curve.part} {place.written(value)} in epoch {epoch}"
    return Stroke(curve.run, STROKES.get(curve.part, "solid"), path, dots, hover)


def _letters(runs: Sequence[ComparedRun], curves: Sequence[_Curve], place: _Place) -> tuple[Mark, ...]:
    """Each run's letter at the end of its most important line, pushed apart where lines end together."""
    # curves are ordered from the least important part to the most
    chosen = {curve.run: curve for curve in curves}
    ends: dict[float, list[tuple[float, int]]] = {}
    for run, curve in chosen.items():
        epoch, value = curve.last
        ends.setdefault(place.x(epoch), []).append((place.y(value), run))
    letters = []
    for x, members in ends.items():
        ordered = sorted(members)
        heights = _apart([y for y, _ in ordered])
        letters += [Mark(run, x + 5, y, runs[run].letter) for y, (_, run) in zip(heights, ordered, strict=True)]
    return tuple(sorted(letters, key=lambda mark: mark.run))


def _apart(heights: Sequence[float]) -> list[float]:
    """Ascending heights, moved as little as a letter's height between neighbours asks, within the drawing."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + _LETTER_HEIGHT) if placed else height)
    lowest = [_BOTTOM - behind * _LETTER_HEIGHT for behind in reversed(range(len(placed)))]
    return [round(min(height, limit), 1) for height, limit in zip(placed, lowest, strict=True)]


def _spread(values: Sequence[float]) -> float:
    return max(values) / min(values) if min(values) > 0 else 0.0
