"""Numbers of all runs -> the cells of a row: the baseline's value, then value and difference of each other run."""

from collections.abc import Sequence

from specforge.report import figures
from specforge.report.compare_runs.measures import Kind
from specforge.report.compare_runs.table import Cell, Style
from specforge.report.run import finite


def side_by_side(values: Sequence[float | None], kind: Kind, better: int) -> list[Cell]:
    cells = [Cell(_value(value, kind)) for value in values]
    return interleaved(cells, [difference(value, values[0], kind, better) for value in values])


def plain(texts: Sequence[str]) -> list[Cell]:
    return interleaved([Cell(text) for text in texts], [Cell("") for _ in texts])


def interleaved(cells: Sequence[Cell], differences: Sequence[Cell]) -> list[Cell]:
    """The baseline's value, then value and difference of each other run."""
    return [cells[0], *(cell for pair in zip(cells[1:], differences[1:], strict=True) for cell in pair)]


def _value(value: float | None, kind: Kind) -> str:
    if value is None or not finite(value):
        return figures.number(value)
    match kind:
        case "share":
            return figures.percent(value, decimals=2)
        case "loss":
            return f"{value:.4f}"
        case "whole":
            return f"{value:.0f}"
        case "seconds":
            return figures.duration(value)
        case "count" | "speed":
            return figures.compact(value)


def difference(value: float | None, baseline: float | None, kind: Kind, better: int) -> Cell:
    if value is None or baseline is None or not (finite(value) and finite(baseline)):
        return Cell("")
    gap = value - baseline
    if gap == 0:
        return Cell("=", "soft")
    style: Style = "" if better == 0 else "better" if gap * better > 0 else "worse"
    match kind:
        case "share":
            # the unit stands below the table, not in every cell
            return Cell(figures.points(gap).removesuffix(" pp"), style)
        case "loss":
            return Cell(figures.difference(gap), style)
        case "whole":
            return Cell(f"{gap:+.0f}".replace("-", "−"), style)
        case "count" | "seconds" | "speed":
            return Cell(f"×{figures.compact(value / baseline)}" if baseline else "", style)
