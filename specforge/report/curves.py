"""A run directory -> `curves.png`: loss, accuracy and learning rate over the epochs, side by side."""

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from specforge.report import figures
from specforge.report.canvas import new_figure
from specforge.report.panels import Level, Panel, Series, Span, build_panels
from specforge.report.run import RunRecord, read_run
from specforge.training import checksums

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart with any colour vision: train, validation, test, then more groups
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#AA4A7D", "#8A6D00", "#56B4E9")
_INK, _FAINT, _GRID = "#24292f", "#6a737d", "#e4e7ea"
# up to so many points are each drawn as a dot, so many lines named, so many letters of a name written
_FEW, _LEGEND, _NAME = 12, 8, 18
_LETTERS = 56  # of the names of stages, that fit above a panel


def write_curves(run_dir: Path) -> Path:
    """Draw `curves.png` into the run directory; works from the first epoch on. Raises `RunError`."""
    run = read_run(run_dir)
    figure = _draw(run)
    picture = io.BytesIO()
    with warnings.catch_warnings():
        # a name in a script that the font lacks is drawn as boxes; no reason to lose the picture
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(picture, format="png", dpi=144)
    return checksums.write(run_dir, "curves.png", picture.getvalue())


def _draw(run: RunRecord) -> "Figure":
    figure = new_figure(figsize=(13.2, 4.7), facecolor="white")
    figure.suptitle(
        _title(run), x=0.04, y=0.97, ha="left", fontsize=13, fontweight="bold", color=_INK, parse_math=False
    )
    # fixed margins: panels that are equally wide, with room below for four rows of legend
    frame = {"left": 0.04, "right": 0.985, "top": 0.8, "bottom": 0.27, "wspace": 0.2}
    for axes, panel in zip(figure.subplots(1, 3, gridspec_kw=frame), build_panels(run), strict=True):
        _draw_panel(axes, panel)
    return figure


def _title(run: RunRecord) -> str:
    if run.result is None:
        return f"{run.name}   no test result yet"
    tested = f" at epoch {run.tested_epoch}" if run.tested_epoch is not None else ""
    return f"{run.name}   test accuracy {figures.percent(run.result.test_accuracy)}{tested}"


def _draw_panel(axes: "Axes", panel: Panel) -> None:
    _draw_frame(axes, panel)
    if panel.empty:
        axes.text(0.5, 0.5, "not recorded yet", transform=axes.transAxes, ha="center", va="center", color=_FAINT)
    for line in panel.series:
        _draw_series(axes, line, label=_label(line.label, _value(panel, line.last)))
    for level in panel.levels:
        _draw_level(axes, level, label=_label("test result", _value(panel, level.value)))
    for number, stage in enumerate(panel.stages):
        _draw_stage(axes, stage, is_first=number == 0)
    if panel.tested_epoch is not None:
        _draw_tested_epoch(axes, panel.tested_epoch, beyond_middle=panel.epochs.position(panel.tested_epoch) > 0.5)
    _draw_legend(axes)


def _draw_stage(axes: "Axes", stage: Span, *, is_first: bool) -> None:
    if not is_first:
        axes.axvline(stage.start, color=_FAINT, linewidth=0.9)
    low, high = axes.get_xlim()
    letters = int(_LETTERS * (stage.end - stage.start) / (high - low))
    label = stage.label if len(stage.label) <= letters else stage.label.removeprefix("stage ")
    if len(label) <= letters:
        axes.annotate(
            label, ((stage.start + stage.end) / 2, 1), xycoords=("data", "axes fraction"), xytext=(0, 13),
            textcoords="offset points", ha="center", fontsize=8.5, color=_FAINT, parse_math=False,
        )  # fmt: skip


def _draw_tested_epoch(axes: "Axes", epoch: int, *, beyond_middle: bool) -> None:
    axes.axvline(epoch, color=_FAINT, linewidth=0.9, linestyle=(0, (2, 3)))
    axes.annotate(
        f"tested: {epoch}", (epoch, 1), xycoords=("data", "axes fraction"), xytext=(0, 3), textcoords="offset points",
        ha="right" if beyond_middle else "left", fontsize=8.5, color=_FAINT,
    )  # fmt: skip


def _draw_legend(axes: "Axes") -> None:
    handles, labels = axes.get_legend_handles_labels()
    if not handles:
        return
    if len(handles) > _LEGEND:
        labels = [*labels[: _LEGEND - 1], f"and {len(labels) - _LEGEND + 1} more"]
    legend = axes.legend(
        handles[: len(labels)], labels, loc="upper left", bbox_to_anchor=(-0.02, -0.17), ncols=2,
        frameon=False, fontsize=9, labelcolor=_INK, handlelength=1.4, columnspacing=1.4, borderpad=0,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)


def _label(name: str, value: str) -> str:
    return f"{name if len(name) <= _NAME else name[: _NAME - 1] + '…'} {value}"


def _value(panel: Panel, value: float | None) -> str:
    return figures.percent(value) if panel.percent else figures.number(value)


def _draw_frame(axes: "Axes", panel: Panel) -> None:
    axes.set_title(panel.title, loc="left", fontsize=10.5, color=_INK, pad=30 if panel.stages else 20)
    axes.set_xlabel("epoch", fontsize=9, color=_FAINT, loc="right", labelpad=2)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_FAINT)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=_GRID, linewidth=0.8)
    axes.tick_params(colors=_FAINT, labelsize=9, length=0, which="both")
    if panel.values.logarithmic:
        axes.set_yscale("log")
        axes.set_yticks([], minor=True)
    ticks = panel.values.ticks
    labels = [figures.tick_percent(tick, ticks) if panel.percent else figures.number(tick) for tick in ticks]
    axes.set_yticks(ticks, labels)
    axes.set_xticks(panel.epochs.ticks, [f"{tick:.0f}" for tick in panel.epochs.ticks])
    room = 0.02 * (panel.epochs.high - panel.epochs.low)
    axes.set_xlim(panel.epochs.low - room, panel.epochs.high + room)
    axes.set_ylim(panel.values.low, panel.values.high)


def _draw_series(axes: "Axes", line: Series, *, label: str) -> None:
    count = sum(len(piece) for piece in line.pieces)
    for at, piece in enumerate(line.pieces):
        epochs, values = zip(*piece, strict=True)
        axes.plot(
            epochs, values, color=PALETTE[line.color % len(PALETTE)], linewidth=1.7, clip_on=False,
            marker="o" if count <= _FEW or len(piece) == 1 else "", markersize=4, solid_capstyle="round",
            linestyle="-" if line.color < len(PALETTE) else "--", label=label if at == 0 else None,
        )  # fmt: skip


def _draw_level(axes: "Axes", level: Level, *, label: str) -> None:
    color = PALETTE[2]
    axes.axhline(level.value, color=color, linewidth=1.1, linestyle=(0, (5, 3)))
    at = [level.epoch] if level.epoch is not None else []
    values = [level.value] * len(at)
    axes.plot(at, values, color=color, marker="D", markersize=5.5, linestyle="", label=label, clip_on=False, zorder=4)
