"""A search's trials -> the numbers of its drawings: pixel positions and labels that the page's template writes down.

Everything is in the units of a drawing's view box, x to the right, y down.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from specforge.report.axis import Axis
from specforge.report.chart import Tick
from specforge.search.report.scales import Scale, axis_of, tick_text
from specforge.search.result import Found, TrialRecord, amount, brief
from specforge.search.space import Searched
from specforge.search_space import Search

_LEFT, _TOP = 52, 14
_HISTORY, _CURVES = (740, 270), (360, 270)
_FOOT = 34
_INSET = 8
_COLUMN, _COORDINATES = 128, 330
_HEAD, _ABSENT = 40, 16
_LETTERS, _TITLE = 18, 20
# of more trials, the best are drawn
MOST_LINES = 300


@dataclass(frozen=True, slots=True)
class Mark:
    """A trial in the history; a `clipped` one lies beyond the edge at which it stands."""

    x: float
    y: float
    kind: str
    hover: str
    clipped: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A trial as a line; `kind` is how it is drawn."""

    path: str
    kind: str
    hover: str


@dataclass(frozen=True, slots=True)
class Plane:
    """A drawing with a horizontal and a vertical axis."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    unit: str
    summary: str
    marks: tuple[Mark, ...] = ()
    lines: tuple[Line, ...] = ()
    best: str = ""


@dataclass(frozen=True, slots=True)
class Upright:
    """An axis of the parallel coordinates."""

    x: float
    title: str
    full: str
    ticks: tuple[Tick, ...]
    anchor: str


@dataclass(frozen=True, slots=True)
class Coordinates:
    width: int
    height: int
    top: int
    bottom: int
    absent: float
    axes: tuple[Upright, ...]
    lines: tuple[Line, ...]
    summary: str
    has_absent: bool


def history(found: Found, search: Search) -> Plane | None:
    """Every trial's value, and the best so far."""
    shown = [(trial, trial.value) for trial in found.settled if trial.value is not None]
    complete = [value for trial, value in shown if trial.state == "complete"]
    if not complete:
        return None
    width, height = _HISTORY
    box = _Box(width, height, Axis.of_epochs(1, max(trial.number for trial in found.trials)))
    up = axis_of(complete, search.metric)
    marks = tuple(
        Mark(
            box.x(trial.number), box.y(up, value), _kind(trial, found), _hover(trial, search.metric), _is_out(up, value)
        )
        for trial, value in shown
    )
    return box.plane(
        up, search, unit="trial", marks=marks, best=_best_so_far(shown, box, up, search),
        summary=f"{search.metric} of {len(shown)} trials, the best {amount(_value(found.best), search.metric)}",
    )  # fmt: skip


def curves(found: Found, search: Search) -> Plane | None:
    """The metric of every trial over its epochs; the best one last, on top of the others."""
    drawn = [trial for trial in found.settled if trial.curve]
    values = [value for trial in drawn for value in trial.curve.values()]
    if not values:
        return None
    width, height = _CURVES
    box = _Box(width, height, Axis.of_epochs(1, max(max(trial.curve) for trial in drawn)))
    up = axis_of(values, search.metric)
    order = sorted(_best_first(drawn, search)[:MOST_LINES], key=lambda trial: trial == found.best)
    lines = []
    for trial in order:
        points = [(box.x(epoch), box.y(up, value)) for epoch, value in trial.curve.items()]
        path = "M" + " L".join(f"{x:g},{y:g}" for x, y in (points if len(points) > 1 else points * 2))
        lines.append(Line(path, _kind(trial, found), _hover(trial, search.metric)))
    summary = f"{search.metric} over the epochs of {len(order)} trials"
    return box.plane(up, search, unit="epoch", lines=tuple(lines), summary=summary)


def coordinates(found: Found, searched: Searched) -> Coordinates | None:
    """Every trial as a line through its values to what it reached."""
    search = searched.search
    complete = [trial for trial in found.settled if trial.state == "complete" and trial.value is not None]
    if len(complete) < 2:
        return None
    order = _best_first(complete, search)[:MOST_LINES]
    scales = [Scale.of(varied) for varied in searched.paths]
    scales.append(Scale.of_metric([trial.value for trial in order if trial.value is not None], search.metric))
    bottom = _COORDINATES - _ABSENT - 18
    xs = [70 + number * _COLUMN for number in range(len(scales))]
    top_quarter = {trial.number for trial in order[: max(1, len(order) // 4)]}
    lines, absent = [], False
    for trial in reversed(order):
        ys: list[float] = []
        for scale in scales[:-1]:
            token = (trial.tokens or {}).get(scale.title)
            absent = absent or token is None
            at = None if token is None else scale.position(token)
            ys.append(bottom + _ABSENT if at is None else round(bottom - at * (bottom - _HEAD), 1))
        ys.append(round(bottom - scales[-1].position(trial.value) * (bottom - _HEAD), 1))
        kind = "best" if trial == found.best else "top" if trial.number in top_quarter else "rest"
        path = "M" + " L".join(f"{x},{y:g}" for x, y in zip(xs, ys, strict=True))
        lines.append(Line(path, kind, _hover(trial, search.metric)))
    axes = tuple(_upright(scale, x, bottom, last=x == xs[-1]) for scale, x in zip(scales, xs, strict=True))
    summary = f"{len(order)} trials as lines through their values to {search.metric}"
    return Coordinates(xs[-1] + 80, _COORDINATES, _HEAD, bottom, bottom + _ABSENT, axes, tuple(lines), summary, absent)


def _upright(scale: Scale, x: float, bottom: float, *, last: bool) -> Upright:
    ticks = tuple(
        Tick(round(bottom - label.at * (bottom - _HEAD), 1), _cut(label.text, _LETTERS)) for label in scale.labels
    )
    title = scale.title if last else ".".join(scale.title.split(".")[-2:])
    return Upright(x, _cut(title, _TITLE), scale.title, ticks, "start")


@dataclass(frozen=True, slots=True)
class _Box:
    """The room of a drawing, and its horizontal axis."""

    width: int
    height: int
    across: Axis

    @property
    def right(self) -> int:
        return self.width - 10

    @property
    def bottom(self) -> int:
        return self.height - _FOOT

    def x(self, number: float) -> float:
        return round(_LEFT + _INSET + self.across.position(number) * (self.right - _LEFT - 2 * _INSET), 1)

    def y(self, up: Axis, value: float) -> float:
        at = min(1.0, max(0.0, up.position(value)))
        return round(self.bottom - at * (self.bottom - _TOP), 1)

    def plane(
        self, up: Axis, search: Search, *, unit: str, summary: str, marks: tuple[Mark, ...] = (),
        lines: tuple[Line, ...] = (), best: str = "",
    ) -> Plane:  # fmt: skip
        ticks = tuple(Tick(self.x(tick), f"{tick:.0f}") for tick in self.across.ticks)
        values = tuple(Tick(self.y(up, tick), tick_text(tick, up, search.metric)) for tick in up.ticks)
        return Plane(
            self.width, self.height, _LEFT, self.right, _TOP, self.bottom, ticks, values, unit, summary, marks, lines,
            best,
        )  # fmt: skip


def _best_so_far(shown: Sequence[tuple[TrialRecord, float]], box: _Box, up: Axis, search: Search) -> str:
    """A line of steps: it moves where a trial was better than all before it."""
    better = max if search.best_direction == "maximize" else min
    best: float | None = None
    path = ""
    for trial, value in shown:
        if trial.state != "complete":
            continue
        now = value if best is None else better(best, value)
        x, y = box.x(trial.number), box.y(up, now)
        path += f"M{x:g} {y:g}" if best is None else f"H{x:g}V{y:g}" if now != best else ""
        best = now
    return f"{path}H{box.right}" if path else ""


def _best_first(trials: Sequence[TrialRecord], search: Search) -> list[TrialRecord]:
    sign = -1 if search.best_direction == "maximize" else 1
    return sorted(trials, key=lambda trial: (trial.value is None, sign * (trial.value or 0.0), trial.number))


def _kind(trial: TrialRecord, found: Found) -> str:
    if trial == found.best:
        return "best"
    return "pruned" if trial.state == "pruned" else "rest"


def _hover(trial: TrialRecord, metric: str) -> str:
    values = ", ".join(f"{path}: {brief(value)}" for path, value in trial.values.items())
    state = "" if trial.state == "complete" else f" ({trial.state})"
    return f"trial {trial.number}: {amount(trial.value, metric)}{state}; {values}"


def _is_out(axis: Axis, value: float) -> bool:
    return not axis.low <= value <= axis.high


def _value(trial: TrialRecord | None) -> float | None:
    return None if trial is None else trial.value


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
