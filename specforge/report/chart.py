"""A panel -> the numbers of an SVG drawing: pixel positions and labels that the page's template writes down.

Everything is in the units of the drawing's view box, x to the right, y down.
"""

from dataclasses import dataclass

from specforge.report import figures
from specforge.report.panels import Level, Panel, Series

WIDTH, HEIGHT = 360, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 42, 350, 18, 200
_STAGES = 16  # the height of a line with the names of stages
_LETTER = 6.0
_FEW = 12


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """A series: `path` is an SVG path, `dots` the points that must be seen on their own."""

    color: int
    dashed: bool
    path: str
    dots: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A horizontal line at a result; `dot` is where along it the result was measured."""

    kind: str
    y: float
    dot: float | None


@dataclass(frozen=True, slots=True)
class Stage:
    """From `left` to `right`; the label stands in the middle, and is empty where there is no room for it."""

    left: float
    right: float
    label: str
    name: str

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


@dataclass(frozen=True, slots=True)
class Key:
    """A row of the legend."""

    kind: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    summary: str
    epochs: tuple[Tick, ...]
    values: tuple[Tick, ...]
    lines: tuple[Line, ...]
    rules: tuple[Rule, ...]
    keys: tuple[Key, ...]
    tested: Tick | None
    empty: bool
    stages: tuple[Stage, ...] = ()
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = _RIGHT
    top: int = _TOP
    bottom: int = _BOTTOM


def build_chart(panel: Panel) -> Chart:
    """Place everything of a panel in the drawing."""
    keys, stages = _keys(panel), _stages(panel)
    spoken = f" Stages: {', '.join(stage.name for stage in stages)}." if stages else ""
    return Chart(
        title=panel.title,
        summary=f"{panel.title} over the epochs.{spoken} " + ", ".join(f"{key.label} {key.value}" for key in keys),
        epochs=tuple(Tick(_x(panel, tick), f"{tick:.0f}") for tick in panel.epochs.ticks),
        values=tuple(Tick(_y(panel, tick), _tick(panel, tick)) for tick in panel.values.ticks),
        lines=tuple(_line(panel, series) for series in panel.series),
        rules=tuple(_rule(panel, level) for level in panel.levels),
        keys=keys,
        tested=_tested(panel),
        empty=panel.empty,
        stages=stages,
        top=_top(panel),
    )


def _keys(panel: Panel) -> tuple[Key, ...]:
    lines = [Key(_kind(series), series.label, _value(panel, series.last)) for series in panel.series]
    levels = [
        Key(level.kind, "test result" if level.kind == "test" else "reported", _value(panel, level.value))
        for level in panel.levels
    ]
    return (*lines, *levels)


def _kind(series: Series) -> str:
    return f"line c{series.color % 6}" + (" dashed" if series.color >= 6 else "")


def _value(panel: Panel, value: float | None) -> str:
    return figures.percent(value) if panel.percent else figures.number(value)


def _tick(panel: Panel, value: float) -> str:
    return figures.tick_percent(value, panel.values.ticks) if panel.percent else figures.number(value)


def _line(panel: Panel, series: Series) -> Line:
    placed = [[(_x(panel, epoch), _y(panel, value)) for epoch, value in piece] for piece in series.pieces]
    few = sum(len(piece) for piece in placed) <= _FEW
    path = " ".join("M" + " L".join(f"{x:g},{y:g}" for x, y in piece) for piece in placed if len(piece) > 1)
    # a lone point between two gaps has no line to be seen by
    dots = tuple(point for piece in placed if few or len(piece) == 1 for point in piece)
    return Line(series.color % 6, series.color >= 6, path, dots)


def _rule(panel: Panel, level: Level) -> Rule:
    return Rule(level.kind, _y(panel, level.value), None if level.epoch is None else _x(panel, level.epoch))


def _stages(panel: Panel) -> tuple[Stage, ...]:
    found = []
    for stage in panel.stages:
        left, right = _x(panel, stage.start), _x(panel, stage.end)
        letters = int((right - left) / _LETTER)
        label = stage.label if len(stage.label) <= letters else stage.label.removeprefix("stage ")
        if len(label) > letters:
            label = f"{label[: letters - 1]}…" if letters >= 4 else ""
        found.append(Stage(left, right, label, stage.label))
    return tuple(found)


def _tested(panel: Panel) -> Tick | None:
    epoch = panel.tested_epoch
    return None if epoch is None else Tick(_x(panel, epoch), f"tested: {epoch}")


def _x(panel: Panel, epoch: float) -> float:
    inset = 6
    return round(_LEFT + inset + panel.epochs.position(epoch) * (_RIGHT - _LEFT - 2 * inset), 1)


def _y(panel: Panel, value: float) -> float:
    return round(_BOTTOM - panel.values.position(value) * (_BOTTOM - _top(panel)), 1)


def _top(panel: Panel) -> int:
    return _TOP + (_STAGES if panel.stages else 0)
