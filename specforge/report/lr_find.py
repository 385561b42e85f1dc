"""Sweeps of the learning-rate finder -> a picture: the loss over the rate, and where the rate was chosen.

    runs/lab2/lr_find.json  ->  runs/lab2/lr_find.png

Each stage whose rate was found has a panel of its own.
"""

import io
import warnings
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from specforge.report import figures
from specforge.report.axis import Axis
from specforge.report.canvas import new_figure
from specforge.report.run import Epoch, Name, RunError, RunFile, finite, read_text
from specforge.report.writing import replace_file
from specforge.training import checksums
from specforge.training.parsing import parsed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINE, _CHOSEN = "#0072B2", "#D55E00"
_INK, _FAINT, _GRID, _DOTS = "#24292f", "#6a737d", "#e4e7ea", "#8fb3cc"
_WIDTH, _HEIGHT = 7.6, 4.6  # of a panel with the room around it, in inches
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.6, 0.35, 0.95, 0.95
_TITLE = 60  # letters
_PANELS = 24  # a picture is no wider


class RateCurve(RunFile):
    """A sweep: the rates, the loss before each step, the same smoothed. `stage` counts from 1.

    `start` is the loss before all steps. `chosen` is None where no rate helped, `how` says why it is that one.
    """

    stage: Epoch = 1
    start: float | None = None
    chosen: float | None = None
    how: Name | None = None
    rates: tuple[Annotated[float, Field(gt=0)], ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]

    @model_validator(mode="after")
    def _can_be_drawn(self) -> "RateCurve":
        if not len(self.rates) == len(self.losses) == len(self.smoothed):
            raise ValueError("a loss and a smoothed one for each rate")
        told = [value for value in (self.start, self.chosen) if value is not None]
        if not all(map(isfinite, self.rates)) or not all(map(finite, (*self.losses, *self.smoothed, *told))):
            raise ValueError("numbers that are finite")
        return self


_CURVES: TypeAdapter[tuple[RateCurve, ...]] = TypeAdapter(Annotated[tuple[RateCurve, ...], Field(min_length=1)])


def write_lr_find(run_dir: Path, *, name: str) -> Path | None:
    """Draw `lr_find.png` into the directory of a run whose rate was found. Raises `RunError` for a damaged file."""
    curves = read_sweeps(run_dir)
    return checksums.write(run_dir, "lr_find.png", _picture(curves, name)) if curves else None


def read_sweeps(run_dir: Path) -> tuple[RateCurve, ...]:
    """What the finder saw, nothing where it was not asked. Raises `RunError` for a damaged file."""
    file = run_dir / "lr_find.json"
    if not file.exists():
        return ()
    try:
        return _CURVES.validate_python(parsed(read_text(file)))
    except (ValueError, OverflowError) as error:
        problem = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise RunError(f"{file}: {problem}; the file is damaged, remove it or repeat the run") from None


def write_rate_curves(file: Path, curves: Sequence[RateCurve], *, title: str) -> Path:
    """Draw sweeps side by side into a PNG; one without any point has an empty panel."""
    picture = _picture(curves, title)
    file.parent.mkdir(parents=True, exist_ok=True)
    return replace_file(file, picture)


def _picture(curves: Sequence[RateCurve], title: str) -> bytes:
    if len(curves) > _PANELS:
        title = f"{title} (the first {_PANELS} of {len(curves)} stages)"
    picture = io.BytesIO()
    with warnings.catch_warnings():
        # a name in a script that the font lacks is drawn as boxes; no reason to lose the picture
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        _draw(curves[:_PANELS], title).savefig(picture, format="png", dpi=144)
    return picture.getvalue()


def _draw(curves: Sequence[RateCurve], title: str) -> "Figure":
    width = _WIDTH * len(curves)
    figure = new_figure(figsize=(width, _HEIGHT), facecolor="white")
    shown = title if len(title) <= _TITLE else f"{title[: _TITLE - 1]}…"
    figure.suptitle(
        f"{shown}   loss over learning rate", x=_LEFT / width, y=1 - 0.25 / _HEIGHT, ha="left", va="top",
        fontsize=13, fontweight="bold", color=_INK, parse_math=False,
    )  # fmt: skip
    frame = {"left": _LEFT / width, "right": 1 - _RIGHT / width}
    frame |= {"top": 1 - _TOP / _HEIGHT, "bottom": _BOTTOM / _HEIGHT, "wspace": 0.2}
    panels = figure.subplots(1, len(curves), gridspec_kw=frame, squeeze=False)[0]
    for axes, curve in zip(panels, curves, strict=True):
        _draw_panel(axes, curve, named=len(curves) > 1)
    return figure


def _draw_panel(axes: "Axes", curve: RateCurve, *, named: bool) -> None:
    _draw_frame(axes)
    told = "no rate that helps" if curve.chosen is None else f"chosen: {figures.number(curve.chosen)}"
    stage = f"stage {curve.stage}, " if named else ""
    axes.set_title(f"{stage}{told}", loc="left", fontsize=10.5, color=_INK, pad=10)
    if not curve.rates:
        axes.text(0.5, 0.5, "diverged at once", transform=axes.transAxes, ha="center", va="center", color=_FAINT)
        axes.set_xticks([])
        axes.set_yticks([])
        return
    _scale(axes, curve)
    axes.plot(curve.rates, curve.losses, color=_DOTS, marker="o", markersize=2.6, linestyle="", label="loss of a step")
    axes.plot(curve.rates, curve.smoothed, color=_LINE, linewidth=2, label="smoothed", solid_capstyle="round")
    if curve.start is not None:
        axes.axhline(curve.start, color=_FAINT, linewidth=0.9, linestyle=(0, (2, 3)), label="before any step")
    if curve.chosen is not None:
        _mark(axes, curve, curve.chosen)
    legend = axes.legend(
        loc="upper left", bbox_to_anchor=(-0.02, -0.14), ncols=4, frameon=False, fontsize=9, labelcolor=_INK,
        handlelength=1.4, columnspacing=1.6, borderpad=0,
    )  # fmt: skip
    for text in legend.get_texts():  # `how` is what a file says
        text.set_parse_math(False)


def _draw_frame(axes: "Axes") -> None:
    axes.set_xlabel("learning rate", fontsize=9, color=_FAINT, loc="right", labelpad=2)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_FAINT)
    axes.set_axisbelow(True)
    axes.grid(color=_GRID, linewidth=0.8)
    axes.tick_params(colors=_FAINT, labelsize=9, length=0, which="both")


def _scale(axes: "Axes", curve: RateCurve) -> None:
    """All decades of the sweep; the losses from the lowest up to the highest of the smoothed ones."""
    decades = Axis.decades(curve.rates)
    low, high = min((*curve.losses, *curve.smoothed)), max(curve.smoothed)
    losses = Axis.around([low, high])
    axes.set_xscale("log")
    axes.set_xticks(decades.ticks, [f"{tick:g}" for tick in decades.ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlim(decades.low, decades.high)
    axes.set_yticks(losses.ticks, [figures.number(tick) for tick in losses.ticks])
    axes.set_ylim(losses.low, losses.high)


def _mark(axes: "Axes", curve: RateCurve, chosen: float) -> None:
    """A line at the rate, and a dot on the curve where it is."""
    place = min(range(len(curve.rates)), key=lambda at: abs(curve.rates[at] - chosen))
    axes.axvline(chosen, color=_CHOSEN, linewidth=1.1, linestyle=(0, (4, 3)))
    axes.plot(
        [chosen], [curve.smoothed[place]], color=_CHOSEN, marker="o", markersize=7, linestyle="", zorder=4,
        label=curve.how or "chosen",
    )  # fmt: skip
