"""A graph -> its diagram: the flow of its top-level blocks, and below it drawings of what the larger ones hold.

A small network is drawn whole. In a large one a block is a card, and its inside a drawing of its own, made once for
blocks that are equal.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from specforge.graph.node import Graph
from specforge.report import figures
from specforge.report.blocks import Block, build_blocks, rows_of
from specforge.report.drawing import Drawing, Pill, draw, draw_in_flow, opened, piece, weight

# pixels: a phone's width without margins, so that the flow is seen without scrolling
COLUMN = 320
# blocks: so many make a picture that is taken in at once
_FLOW, _INSIDE = 30, 24
_MOST_DRAWINGS = 40


@dataclass(frozen=True, slots=True)
class Inside:
    """What a block holds that is a card elsewhere; `path` is the first one's."""

    title: str
    figures: str
    path: str
    drawing: Drawing


@dataclass(frozen=True, slots=True)
class Diagram:
    """`flow` are drawings to be set below each other, or in columns; `left_out` counts blocks without a drawing."""

    flow: tuple[Drawing, ...]
    inside: tuple[Inside, ...]
    left_out: int


def build_diagram(graph: Graph) -> Diagram:
    """Draw a network."""
    blocks = build_blocks(graph)
    drawn = frozenset(_open_in(blocks, _FLOW, COLUMN))
    start, pieces = Pill(f"input {figures.shape(graph.input)}"), [piece(block, drawn) for block in blocks]
    axis = max(each.axis for each in (start, *pieces))
    flow = [draw_in_flow(start, start.text, axis=axis, linked=False)]
    for block, each in zip(blocks, pieces, strict=True):
        flow.append(draw_in_flow(each, _words([block]), axis=axis, linked=block.linked))
    found = list(_insides(_closed(blocks, drawn)))
    return Diagram(tuple(flow), tuple(found[:_MOST_DRAWINGS]), max(0, len(found) - _MOST_DRAWINGS))


def _open_in(blocks: Sequence[Block], most: int, width: float) -> Iterator[str]:
    """The paths of blocks that are drawn open: all that are narrow enough, unless that makes too many rows."""
    for block in blocks if rows_of(blocks) <= most else ():
        if block.lanes and not block.side and piece(block).width + 2 <= width:
            yield from _with_inner(block)


def _with_inner(block: Block) -> Iterator[str]:
    yield block.path
    for inner in block.inside:
        yield from _with_inner(inner)


def _closed(blocks: Sequence[Block], drawn: frozenset[str]) -> Iterator[Block]:
    """The blocks that are cards although they hold others."""
    for block in blocks:
        if block.lanes and (block.side or block.path not in drawn):
            yield block
        elif block.lanes:
            yield from _closed(tuple(block.inside), drawn)


def _insides(closed: Iterator[Block]) -> Iterator[Inside]:
    """A drawing for each block that is not drawn yet, and for those inside it that are cards there."""
    waiting, seen = list(closed), set()
    while waiting:
        block = waiting.pop(0)
        if (block.title, block.form.equal) in seen:
            continue
        seen.add((block.title, block.form.equal))
        inner = tuple(block.inside)
        whole = block.rows <= _INSIDE
        drawn = frozenset(path for each in inner if whole for path in _with_inner(each))
        waiting[:0] = _closed(inner, drawn)
        yield Inside(_title(block), _figures(block), block.path, draw(opened(block, drawn), _words(inner)))


def _title(block: Block) -> str:
    return f"{block.title} ×{block.times}" if block.times > 1 else block.title


def _figures(block: Block) -> str:
    first = f"the first of {block.times}, whose {block.differs}" if block.differs else ""
    count = weight(block) + (" in all" if block.times > 1 and block.parameters else "")
    return ", ".join(part for part in (figures.shape(block.output), count, first) if part)


def _words(blocks: Sequence[Block]) -> str:
    return ", ".join(f"{_title(block)} to {figures.shape(block.output)}" for block in blocks)
