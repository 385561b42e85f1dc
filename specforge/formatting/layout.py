"""The scanner's tokens, each at its place in the text -> the text in canonical layout.

Every token is written as it stands; what is chosen anew is what lies between two of them. The structure is that of the
tokens alone, so nothing depends on where they stood but the lines, and the columns of comments.
"""

import re
from dataclasses import dataclass
from typing import Any

import yaml

from specforge.formatting.gaps import Comment, Gap, gap_of
from specforge.formatting.page import Line, Page
from specforge.formatting.scalars import block_scalar, moved

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
STEP = 2

_OPENING = (yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken)
_CLOSING = (yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
_OUTSIDE = (yaml.DirectiveToken, yaml.DocumentStartToken, yaml.DocumentEndToken)
_MARKER = re.compile(r"(---|\.\.\.)(\s|\Z)")


def lay_out(text: str) -> str:
    """The text in canonical layout; it must parse."""
    tokens = list(yaml.scan(text, Loader=LOADER))
    # at the start of a line these would be a marker between documents, not a word
    marks = any(isinstance(token, yaml.ScalarToken) and token.plain and _MARKER.match(token.value) for token in tokens)
    layout = _Layout(text, margin=STEP if marks else 0)
    for token in tokens:
        layout.take(token)
    return layout.page.text()


@dataclass(slots=True)
class _Block:
    """An open block collection: the column where it stood and the one where it goes.

    The scanner says nothing of a list whose dashes stand below the first letter of their key (`implied`).
    """

    stood: int
    column: int
    is_list: bool
    implied: bool = False


@dataclass(slots=True)
class _Flow:
    """An open flow collection: the columns of its content and of its closing bracket."""

    column: int
    closing: int


class _Layout:
    """Takes tokens in order and writes them to a page."""

    def __init__(self, text: str, *, margin: int):
        self.text, self.margin, self.page = text, margin, Page()
        self.blocks: list[_Block] = []
        self.flows: list[_Flow] = []
        # collections that ended since the last token that was written: a comment may still belong to them
        self.ended: list[_Block] = []
        self.previous: Any = None
        self.starts_entry = False
        self.position, self.column = 0, 0  # behind the last token, in the source

    def take(self, token: Any) -> None:
        self.update_blocks(token)
        if token.end_mark.index > token.start_mark.index:
            self.write(token)
        elif isinstance(token, yaml.StreamEndToken):
            self.separate(token, 0, last=True)

    def update_blocks(self, token: Any) -> None:
        """Open and close what the token opens and closes in block style."""
        stands = token.start_mark.column
        if isinstance(token, yaml.BlockMappingStartToken | yaml.BlockSequenceStartToken):
            self.open_block(stands, is_list=isinstance(token, yaml.BlockSequenceStartToken))
        elif isinstance(token, yaml.BlockEndToken):
            self.close_implied()
            self.ended.append(self.blocks.pop())
        elif self.flows:
            return
        elif isinstance(token, yaml.BlockEntryToken):
            if not self.blocks[-1].is_list:
                self.open_block(stands, is_list=True, implied=True)
            self.starts_entry = True
        elif isinstance(token, yaml.KeyToken):
            self.close_implied()
            self.starts_entry = True
        elif isinstance(token, yaml.ValueToken):
            self.starts_entry = True

    def open_block(self, stands: int, *, is_list: bool, implied: bool = False) -> None:
        column = self.blocks[-1].column + STEP if self.blocks else self.margin
        self.blocks.append(_Block(stands, column, is_list, implied))

    def close_implied(self) -> None:
        if self.blocks[-1].implied:
            self.ended.append(self.blocks.pop())

    def write(self, token: Any) -> None:
        """The token at its place, and the white space before it."""
        starts_line = self.separate(token, None)
        if isinstance(token, _OPENING):
            self.open_flow(starts_line=starts_line)
        elif isinstance(token, _CLOSING):
            self.flows.pop()
        source = self.text[token.start_mark.index : token.end_mark.index]
        self.position, self.column = token.end_mark.index, token.end_mark.column
        if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
            self.write_block_scalar(source, token.start_mark)
        elif isinstance(token, yaml.ScalarToken):
            self.page.write(moved(source, self.inside() + STEP))
        else:
            self.page.write(source)
        self.previous, self.starts_entry = token, False
        self.ended.clear()

    def write_block_scalar(self, source: str, start: Any) -> None:
        parent = self.blocks[-1].stood if self.blocks else -1
        scalar = block_scalar(source, column=start.column, parent=parent)
        self.page.write(scalar.header)
        self.page.end(scalar.comment)
        if scalar.lines:
            self.page.verbatim(scalar.body(self.inside() + STEP))
        self.position = start.index + scalar.length

    def inside(self) -> int:
        """The column of the innermost collection."""
        if self.flows:
            return self.flows[-1].column
        return self.blocks[-1].column if self.blocks else self.margin

    def open_flow(self, *, starts_line: bool) -> None:
        """Where a flow collection goes whose bracket ends the line; `settle` decides whether it does."""
        base = self.page.column
        if not starts_line:
            block = self.blocks[-1] if self.blocks else _Block(0, self.margin, is_list=False)
            base = max(block.column + STEP * block.is_list, self.flows[-1].column if self.flows else 0)
        self.flows.append(_Flow(base + STEP, base))

    def settle(self, gap: Gap) -> None:
        """Behind an opening bracket: what goes on in the same line is what later lines are aligned with."""
        if isinstance(self.previous, _OPENING) and not gap.breaks:
            self.flows[-1] = _Flow(self.page.column, self.page.column - 1)

    def separate(self, token: Any, column: int | None, *, last: bool = False) -> bool:
        """Write what goes before a token; whether it starts a line."""
        between = self.text[self.position : token.start_mark.index]
        gap = gap_of(between, column=self.column, fresh=self.page.fresh, last=last)
        self.settle(gap)
        if not gap.breaks and not last:
            self.page.write(_space(self.previous, token))
            return False
        column = self.column_of(token) if column is None else column
        leader = None if self.page.fresh else self.page.end(gap.trailing)
        self.write_lines(gap, leader if gap.trailing else None, token.start_mark.column, column)
        if not last:
            self.page.start(column)
        return True

    def write_lines(self, gap: Gap, leader: Line | None, stands: int, column: int) -> None:
        """The blank lines and comments above a token that stood at a column and goes to another."""
        for comment in gap.lines:
            if comment is None:
                self.page.blank()
                leader = None
            elif leader and leader.comment and leader.comment.column == comment.column != stands:
                self.page.continuation(leader, comment)
            else:
                self.page.comment(self.column_beside(comment, stands, column), comment)
                leader = None

    def column_beside(self, comment: Comment, stands: int, column: int) -> int:
        """A comment goes with the next token, or with a deeper collection that it stands in."""
        if self.flows:
            return self.flows[-1].column
        if comment.column <= stands:
            return column
        return max([column, *(b.column for b in (*self.blocks, *self.ended) if b.stood <= comment.column)])

    def column_of(self, token: Any) -> int:
        """Where a token goes that starts a line."""
        if self.flows:
            if isinstance(token, _CLOSING):
                return self.flows[-1].closing
            is_value = isinstance(token, yaml.ValueToken) or isinstance(self.previous, yaml.ValueToken)
            return self.flows[-1].column + STEP * is_value
        if not self.blocks:
            return 0 if isinstance(token, _OUTSIDE) else self.margin
        return self.blocks[-1].column + STEP * (not self.starts_entry)


def _space(previous: Any, token: Any) -> str:
    """What stands between two tokens of one line."""
    if isinstance(token, (*_CLOSING, yaml.FlowEntryToken)):
        # `{batch_norm: }`: without the space, the colon would be part of the word
        return " " if isinstance(previous, yaml.ValueToken) else ""
    if isinstance(previous, _OPENING):
        return ""
    if isinstance(token, yaml.ValueToken):
        # an anchor's name may hold a colon
        return " " if isinstance(previous, yaml.AliasToken | yaml.AnchorToken) else ""
    return " "
