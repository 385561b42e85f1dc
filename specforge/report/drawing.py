"""Blocks -> the numbers of an SVG drawing, from top to bottom: cards, frames around what is inside, lanes side by side.

Everything is in pixels, x to the right, y down. Letters are taken to be as wide as those of a wide sans serif, and
what does not fit is cut: an SVG neither wraps nor grows. The whole text is the card's hint.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from specforge.report import figures
from specforge.report.blocks import Block

WIDTH = 228  # of a card
SIDE_WIDTH = 150  # of one whose value does not go on: it stands right of the flow
GAP = 20  # between two cards: the room of an arrow
_PAD, _LINE = 10, 16
_LETTER, _BOLD = 7.0, 8.2  # widths in text of 12 and 13 pixels
_HEAD, _EDGE = 26, 12  # a frame's title, and the room around what it holds
_BUS, _LANE_GAP, _EMPTY_LANE = 12, 14, 22
_MARGIN = 1.0  # half of a border lies outside
_SYMBOLS = {"add": "+", "multiply": "×"}


class Text(NamedTuple):
    x: float
    y: float
    text: str
    kind: str
    anchor: str = "start"


class Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    kind: str
    hint: str = ""
    radius: float = 5


class Drawing(NamedTuple):
    """`lines` and `arrows` are SVG paths; boxes lie over them, texts over boxes. `summary` is what is read aloud."""

    width: float
    height: float
    summary: str
    boxes: tuple[Box, ...]
    texts: tuple[Text, ...]
    lines: tuple[str, ...]


class Piece(Protocol):
    """Something with a size; `axis` is where, from its left edge, the flow enters and leaves."""

    @property
    def width(self) -> float: ...
    @property
    def height(self) -> float: ...
    @property
    def axis(self) -> float: ...
    def draw(self, sheet: "Sheet", x: float, y: float) -> None:
        """Put it on a sheet, its top left corner at x and y."""


@dataclass(slots=True)
class Sheet:
    """What has been drawn so far."""

    boxes: list[Box] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def line(self, *points: tuple[float, float]) -> None:
        self.lines.append("M" + "L".join(f"{x:g} {y:g}" for x, y in points))

    def arrow(self, x: float, y: float, end: float) -> None:
        """Downwards, its head at the end."""
        self.lines.append(f"M{x:g} {y:g}V{end:g}m-4 -5l4 5l4 -5")

    def finish(self, width: float, height: float, summary: str) -> Drawing:
        return Drawing(width, height, summary, tuple(self.boxes), tuple(self.texts), tuple(self.lines))


@dataclass(frozen=True, slots=True)
class Card:
    """A layer, or a block whose inside is drawn elsewhere."""

    block: Block
    width: float = WIDTH

    @property
    def axis(self) -> float:
        return self.width / 2

    @property
    def height(self) -> float:
        return 2 * _PAD + _LINE * (1 + len(self._lines()) + len(self._ends())) - 4

    def draw(self, sheet: Sheet, x: float, y: float) -> None:
        block = self.block
        kind = "side" if block.side else "group" if block.lanes else "layer"
        sheet.boxes.append(Box(x, y, self.width, self.height, kind, hint(block)))
        left, right, line = x + _PAD, x + self.width - _PAD, y + _PAD + 10
        badge = f"×{block.times}" if block.times > 1 else ""
        room = self.width - 2 * _PAD - _BOLD * (len(badge) + 1)
        sheet.texts.append(Text(left, line, cut(block.title, room / _BOLD), "title"))
        if badge:
            sheet.texts.append(Text(right, line, badge, "title", "end"))
        for text, kind in self._lines():
            line += _LINE
            sheet.texts.append(Text(left, line, text, kind))
        for first, second in self._ends():
            line += _LINE
            sheet.texts.append(Text(left, line, first, "figure"))
            sheet.texts.append(Text(right, line, second, "figure", "end"))

    def _lines(self) -> list[tuple[str, str]]:
        block, letters = self.block, self._letters
        inside = f"{block.layers} layers" if block.lanes else ""
        differing = ", ".join(text for text in (inside, block.differs) if text)
        small = " · ".join(block.then)
        found = [(block.detail, "soft", 2), (small, "small", 2), (differing, "soft", 1)]
        found += [("only in training", "soft", 1)] if block.side else []
        found += [(note, "note", 2) for note in block.notes]
        return [(line, kind) for text, kind, most in found for line in wrap(text, letters, most)]

    def _ends(self) -> list[tuple[str, str]]:
        """Shape and parameters, on one line where there is room."""
        shape, count = "×".join(map(str, self.block.output)), weight(self.block)
        fits = len(shape) + len(count) + 2 <= self._letters
        return [(shape, count)] if fits else [(shape, ""), (count, "")]

    @property
    def _letters(self) -> int:
        return int((self.width - 2 * _PAD) / _LETTER)


@dataclass(frozen=True, slots=True)
class Beside:
    """A card right of the flow, which passes it."""

    card: Card

    @property
    def width(self) -> float:
        return self.axis + _LANE_GAP + _EDGE + self.card.width

    @property
    def height(self) -> float:
        return self.card.height

    @property
    def axis(self) -> float:
        return 1.0

    def draw(self, sheet: Sheet, x: float, y: float) -> None:
        axis, left, middle = x + self.axis, x + self.width - self.card.width, y + self.height / 2
        sheet.line((axis, y), (axis, y + self.height))
        sheet.lines.append(f"M{axis:g} {middle:g}H{left:g}m-5 -4l5 4l-5 4")
        self.card.draw(sheet, left, y)


@dataclass(frozen=True, slots=True)
class Pill:
    """A value rather than a block: the input."""

    text: str

    @property
    def width(self) -> float:
        return 20 + _LETTER * len(self.text)

    @property
    def height(self) -> float:
        return 24.0

    @property
    def axis(self) -> float:
        return self.width / 2

    def draw(self, sheet: Sheet, x: float, y: float) -> None:
        sheet.boxes.append(Box(x, y, self.width, self.height, "merge", radius=self.height / 2))
        sheet.texts.append(Text(x + self.axis, y + 16, self.text, "figure", "middle"))


@dataclass(frozen=True, slots=True)
class Stack:
    """Pieces below each other on one axis; `linked` says of each whether an arrow leads to it."""

    pieces: tuple[Piece, ...]
    linked: tuple[bool, ...]

    @property
    def axis(self) -> float:
        return max((piece.axis for piece in self.pieces), default=_EMPTY_LANE / 2)

    @property
    def width(self) -> float:
        return max((self.axis - piece.axis + piece.width for piece in self.pieces), default=_EMPTY_LANE)

    @property
    def height(self) -> float:
        return sum(piece.height for piece in self.pieces) + GAP * max(0, len(self.pieces) - 1)

    def draw(self, sheet: Sheet, x: float, y: float) -> None:
        for at, (piece, linked) in enumerate(zip(self.pieces, self.linked, strict=True)):
            if at:
                lead(sheet, piece, x + self.axis, y, linked=linked)
            piece.draw(sheet, x + self.axis - piece.axis, y)
            y += piece.height + GAP


@dataclass(frozen=True, slots=True)
class Lanes:
    """Stacks beside each other, and what joins them; an empty one is a line."""

    lanes: tuple[Stack, ...]
    merge: str

    @property
    def width(self) -> float:
        return sum(lane.width for lane in self.lanes) + _LANE_GAP * (len(self.lanes) - 1)

    @property
    def height(self) -> float:
        return self._top + max(lane.height for lane in self.lanes) + 2 * _BUS + self._size[1]

    @property
    def axis(self) -> float:
        """That of the body where there is one shortcut, else the middle."""
        body = next((at for lane, at in zip(self.lanes, self._axes(), strict=True) if lane.pieces), self.width / 2)
        return body if len(self.lanes) <= 2 else self.width / 2

    def draw(self, sheet: Sheet, x: float, y: float) -> None:
        axis, axes = x + self.axis, [x + at for at in self._axes()]
        bus, top, middle = y + _BUS / 2, y + self._top, y + self.height - self._size[1] / 2
        sheet.line((axis, y), (axis, bus))
        sheet.line((min(axis, *axes), bus), (max(axis, *axes), bus))
        for lane, at in zip(self.lanes, axes, strict=True):
            if lane.pieces:
                sheet.arrow(at, bus, top)
                lane.draw(sheet, at - lane.axis, top)
            # along the bus of the merge, then into it
            turn = y + self.height - self._size[1] - _BUS
            sheet.line((at, top + lane.height if lane.pieces else bus), (at, turn), (axis, turn))
        sheet.arrow(axis, y + self.height - self._size[1] - _BUS, y + self.height - self._size[1])
        width, height = self._size
        sheet.boxes.append(Box(axis - width / 2, middle - height / 2, width, height, "merge", self.merge, height / 2))
        sheet.texts.append(Text(axis, middle + 4.5, _SYMBOLS.get(self.merge, self.merge), "title", "middle"))

    @property
    def _top(self) -> float:
        return _BUS / 2 + GAP

    @property
    def _size(self) -> tuple[float, float]:
        symbol = _SYMBOLS.get(self.merge, self.merge)
        return max(22.0, len(symbol) * _BOLD + 16), 22.0

    def _axes(self) -> list[float]:
        axes, x = [], 0.0
        for lane in self.lanes:
            axes.append(x + lane.axis)
            x += lane.width + _LANE_GAP
        return axes


@dataclass(frozen=True, slots=True)
class Frame:
    """A block drawn open: its name above what it holds."""

    block: Block
    content: Piece

    @property
    def axis(self) -> float:
        return _EDGE + self.content.axis

    @property
    def width(self) -> float:
        return self.content.width + 2 * _EDGE

    @property
    def height(self) -> float:
        return _HEAD + self.content.height + _EDGE

    def draw(self, sheet: Sheet, x: float, y: float) -> None:
        block = self.block
        sheet.boxes.append(Box(x, y, self.width, self.height, "frame", hint(block)))
        times = f" ×{block.times}" if block.times > 1 else ""
        differs = f", {block.differs}" if block.differs else ""
        count = weight(block)
        room = self.width - 2 * _EDGE - _LETTER * (len(count) + 2) - _BOLD * len(times + differs)
        sheet.texts.append(Text(x + _EDGE, y + 17, cut(block.title, room / _BOLD) + times + differs, "title"))
        sheet.texts.append(Text(x + self.width - _EDGE, y + 17, count, "figure", "end"))
        self.content.draw(sheet, x + _EDGE, y + _HEAD)


def opened(block: Block, is_open: frozenset[str] | None = None) -> Piece:
    """What a block holds, without a frame of its own."""
    stacks = tuple(stack(lane, is_open) for lane in block.lanes)
    return Lanes(stacks, block.merge) if block.merge else stacks[0]


def stack(blocks: Sequence[Block], is_open: frozenset[str] | None = None) -> Stack:
    """Blocks below each other. `is_open` are the paths of those that are drawn open, all of them by default."""
    return Stack(tuple(piece(block, is_open) for block in blocks), tuple(block.linked for block in blocks))


def piece(block: Block, is_open: frozenset[str] | None = None) -> Piece:
    if block.side:
        return Beside(Card(block, SIDE_WIDTH))
    if block.lanes and (is_open is None or block.path in is_open):
        return Frame(block, opened(block, is_open))
    return Card(block)


def lead(sheet: Sheet, to: Piece, x: float, y: float, *, linked: bool) -> None:
    """What leads to a piece at y: an arrow, but nothing where it reads something else, and a line past a side block."""
    if isinstance(to, Beside):
        sheet.line((x, y - GAP), (x, y))
    elif linked:
        sheet.arrow(x, y - GAP, y)


def draw(content: Piece, summary: str) -> Drawing:
    """On a sheet of its own."""
    sheet = Sheet()
    content.draw(sheet, _MARGIN, _MARGIN)
    return sheet.finish(content.width + 2 * _MARGIN, content.height + 2 * _MARGIN, summary)


def draw_in_flow(content: Piece, summary: str, *, axis: float, linked: bool) -> Drawing:
    """On a sheet of its own that is set below another, with the flow at `axis` of both."""
    sheet, left, top = Sheet(), _MARGIN + axis - content.axis, GAP
    lead(sheet, content, left + content.axis, top, linked=linked)
    content.draw(sheet, left, top)
    return sheet.finish(left + content.width + _MARGIN, top + content.height + _MARGIN, summary)


def hint(block: Block) -> str:
    """All that is known of a block, for the mouse and for a screen reader."""
    inside = f"{block.layers} layers" if block.layers > 1 else ""
    times = f"×{block.times}" if block.times > 1 else ""
    parts = [f"{block.title} {times}".rstrip(), block.detail, *block.then, inside, block.differs, *block.notes]
    parts += [f"gives {figures.shape(block.output)}", f"{figures.whole(block.parameters)} parameters", block.path]
    return ", ".join(part for part in parts if part)


def weight(block: Block) -> str:
    """The parameters of all that a block stands for; nothing for none."""
    return f"{figures.compact(block.parameters)} parameters" if block.parameters else ""


def cut(text: str, letters: float) -> str:
    """No more letters than fit, the last one an ellipsis where some are missing."""
    most = max(1, int(letters))
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def wrap(text: str, letters: int, most: int) -> list[str]:
    """Lines of so many letters, broken at spaces; what does not fit the last line is cut."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < most - 1 and len(rest) > letters:
        end = rest.rfind(" ", 0, letters + 1)
        end = end if end > 0 else letters
        lines.append(rest[:end])
        rest = rest[end:].lstrip()
    return [*lines, cut(rest, letters)] if rest else lines
