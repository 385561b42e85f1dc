"""Strips of pictures -> one PNG: a row for each image, the original first, then what every epoch makes of it.

Pixels are magnified by whole numbers without smoothing, so that what is seen is what the network gets; only what would
not fit is made smaller.

Everything is in pixels of the sheet, x to the right, y down. Arrays are (H, W, 3) uint8.
"""

import io
import warnings
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from specforge.catalog.definition import Definition
from specforge.catalog.discovery import word_for
from specforge.data.preview import Picture, Strip
from specforge.report.canvas import load_matplotlib, new_figure
from specforge.report.writing import replace_file
from specforge.resolved import flow, plain_value
from specforge.spec import Data

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 100
_INK, _FAINT = "#24292f", "#6a737d"
_LINE = 15  # from one line of text to the next
_CELL, _MOST = 150, 256  # pixels that a picture is magnified to, and those that a larger one is reduced to
_GAP, _MARGIN = 10, 20
_COLUMNS = 8  # pictures side by side, where a strip needs fewer


class _Font(NamedTuple):
    """Letters, their size in points."""

    size: float
    weight: str = "normal"


_PLAIN, _HEADING = _Font(8.5), _Font(13.0, "bold")


@dataclass(frozen=True, slots=True)
class _Text:
    x: float
    y: float  # of its upper edge
    text: str
    font: _Font = _PLAIN
    color: str = _INK


def write_preview(file: Path, strips: Sequence[Strip], *, title: str, caption: Sequence[str], epochs: range) -> Path:
    """Draw the sheet; `epochs`, counted from 1, head the columns after the originals."""
    picture = io.BytesIO()
    with warnings.catch_warnings():
        # a name in a script that the font lacks is drawn as boxes; no reason to lose the picture
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        _Sheet(strips, ["original", *(f"epoch {epoch}" for epoch in epochs)]).drawn(title, caption).savefig(
            picture, format="png", dpi=_DPI
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    return replace_file(file, picture.getvalue())


class _Sheet:
    """The measures of a sheet, and what stands where."""

    def __init__(self, strips: Sequence[Strip], heads: Sequence[str]):
        self._strips, self._heads = strips, heads
        shapes: list[tuple[int, ...]] = [picture.pixels.shape for strip in strips for picture in _pictures(strip)]
        side = max(max(shape[:2]) for shape in shapes)
        self._scale, self._reduction = max(1, round(_CELL / side)), -(-side // _MOST)
        height, width = (max(self._length(shape[axis]) for shape in shapes) for axis in (0, 1))
        self._width = max(width, 64) + _GAP
        lines = max(
            len(_label(picture.classes, self._width - _GAP)) for strip in strips for picture in _pictures(strip)
        )
        self._height, self._label_at = height + lines * _LINE + _GAP + 4, height + 3
        self._abreast = min(len(strips), max(1, _COLUMNS // len(heads)))

    def _length(self, pixels: int) -> int:
        return -(-pixels // self._reduction) * self._scale

    def drawn(self, title: str, caption: Sequence[str]) -> "Figure":
        width = max(self._abreast * len(self._heads) * self._width + (self._abreast - 1) * _GAP, 480) + 2 * _MARGIN
        texts = [_Text(_MARGIN, 14, _cut(title, width - 2 * _MARGIN, _HEADING), _HEADING)]
        folded = [part for line in caption for part in wrap(line, int((width - 2 * _MARGIN) / _letter()))]
        texts += [_Text(_MARGIN, 40 + _LINE * at, line, color=_FAINT) for at, line in enumerate(folded)]
        top = 40 + _LINE * len(folded) + 12
        texts += [_Text(x, top, head, color=_FAINT) for x, head in self._columns()]
        first = top + _LINE + 4
        rows = -(-len(self._strips) // self._abreast)
        canvas = np.full((first + rows * self._height + 6, width, 3), 255, np.uint8)
        texts += self._fill(canvas, first)
        figure = new_figure(figsize=(width / _DPI, len(canvas) / _DPI), dpi=_DPI, facecolor="white")
        figure.figimage(canvas, origin="upper")
        for text in texts:
            figure.text(
                text.x / width, 1 - text.y / len(canvas), text.text, va="top", ha="left", fontsize=text.font.size,
                fontweight=text.font.weight, color=text.color, parse_math=False,
            )  # fmt: skip
        return figure

    def _columns(self) -> Iterator[tuple[int, str]]:
        """Where each column begins, and its head."""
        for abreast in range(self._abreast):
            start = _MARGIN + abreast * (len(self._heads) * self._width + _GAP)
            for column, head in enumerate(self._heads):
                yield start + column * self._width, head

    def _fill(self, canvas: np.ndarray, first: int) -> Iterator[_Text]:
        """Put the pictures into the canvas; the texts below them."""
        columns = [x for x, _ in self._columns()]
        for number, strip in enumerate(self._strips):
            row, abreast = divmod(number, self._abreast)
            y = first + row * self._height
            for column, picture in enumerate((strip.original, *strip.shown)):
                x = columns[abreast * len(self._heads) + column]
                if picture is None:
                    yield _Text(x, y + 4, "not in this epoch", color=_FAINT)
                    continue
                pixels = self._magnified(_rgb(picture.pixels))
                canvas[y : y + len(pixels), x : x + pixels.shape[1]] = pixels
                for at, line in enumerate(_label(picture.classes, self._width - _GAP)):
                    yield _Text(x, y + self._label_at + at * _LINE, line)

    def _magnified(self, pixels: np.ndarray) -> np.ndarray:
        if self._reduction == 1:
            return pixels.repeat(self._scale, 0).repeat(self._scale, 1)
        step, sums = self._reduction, pixels.astype(np.float64)
        for axis in (0, 1):  # means of blocks of step × step pixels, those at the far edges of fewer
            starts = np.arange(0, pixels.shape[axis], step)
            counts = np.diff(np.append(starts, pixels.shape[axis]))
            sums = np.add.reduceat(sums, starts, axis) / counts.reshape([-1 if axis == at else 1 for at in range(3)])
        return sums.round().astype(np.uint8)


def _pictures(strip: Strip) -> list[Picture]:
    return [strip.original, *(picture for picture in strip.shown if picture is not None)]


def _rgb(pixels: np.ndarray) -> np.ndarray:
    """Three channels: those that there are, or the first one as grey."""
    return pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., :1].repeat(3, 2)


def _label(classes: Sequence[tuple[str, float]], width: float) -> list[str]:
    """`cat`, or `cat 0.70 / dog 0.30`, on two lines where one has no room for it."""
    if len(classes) == 1:
        return [_cut(classes[0][0], width)]
    parts = [(name, f" {share:.2f}") for name, share in classes]
    whole = " / ".join(name + share for name, share in parts)
    if _extent(whole) <= width:
        return [whole]
    return [_cut(name, width - _extent(share)) + share for name, share in parts]


def _cut(text: str, width: float, font: _Font = _PLAIN) -> str:
    """As much of a text as fits, an ellipsis for the rest."""
    if _extent(text, font) <= width:
        return text
    fitting = bisect_right(range(1, len(text)), width, key=lambda end: _extent(text[:end] + "…", font))
    return text[:fitting].rstrip() + "…"


def _letter() -> float:
    return _extent("abcdefghijklmnopqrstuvwxyz 0123456789") / 37


@cache
def _extent(text: str, font: _Font = _PLAIN) -> float:
    """How wide a text is drawn."""
    load_matplotlib()
    from matplotlib.font_manager import FontProperties

    properties = FontProperties(size=font.size, weight=font.weight)
    width: float = _renderer().get_text_width_height_descent(text, properties, ismath=False)[0]
    return width


@cache
def _renderer() -> Any:  # matplotlib's methods have no types
    canvas: Any = new_figure(dpi=_DPI).canvas
    return canvas.get_renderer()


def caption(data: Data) -> list[str]:
    """What the data section does to training images, a line for `augment` and one for `mix`.

    `[{rotation: {degrees: 15}}]` is `augment: rotation (degrees 15)`.
    """
    lines = [f"augment: {', '.join(map(_told, data.augment))}"] if data.augment else []
    if data.mixes:
        each = "one of them for each batch" if len(data.mixes) > 1 else "drawn once for each batch"
        lines.append(f"mix: {', '.join(map(_told, data.mixes))}; {each}")
    return lines or ["the spec has no `augment` and no `mix`: training shows the images as they are"]


def _told(entry: Definition) -> str:
    """A word with its arguments: those that were given, the main one and how often it happens, or else all."""
    given = [
        name
        for name, field in type(entry).model_fields.items()
        if getattr(entry, name) != field.default or name in (entry.main, "probability")
    ]
    parts = [_argument(entry, name) for name in given or type(entry).model_fields if getattr(entry, name) is not None]
    return word_for(entry) + (f" ({', '.join(parts)})" if parts else "")


def _argument(entry: Definition, name: str) -> str:
    value, unit = plain_value(getattr(entry, name)), type(entry).model_fields[name].description
    number = f"{value:g}" if isinstance(value, float) else flow(value)
    return f"{name} {number} {unit or ''}".rstrip()
