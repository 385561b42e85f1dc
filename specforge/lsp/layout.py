"""A text -> the change that lays it out as `fmt` does, from the first line that differs to the last."""

from lsprotocol import types

from specforge.diagnostics import Findings
from specforge.formatting import format_text
from specforge.lsp.text import Text


def layout(text: Text) -> list[types.TextEdit]:
    """One change, so that cursors elsewhere stay; none where the text is broken, or fine."""
    mark = "\ufeff" if text.content.startswith("\ufeff") else ""
    formatted = format_text(text.content.removeprefix(mark), "document", Findings())
    if formatted is None:
        return []
    before, after = text.content.splitlines(keepends=True), (mark + formatted).splitlines(keepends=True)
    plain = [line.replace("\r\n", "\n") for line in before]  # an editor knows how it ends lines
    if plain == after:
        return []
    first = _same(plain, after)
    last = min(_same(plain[::-1], after[::-1]), min(len(plain), len(after)) - first)
    start = sum(map(len, before[:first]))
    end = sum(map(len, before[: len(before) - last]))
    at = types.Range(types.Position(*text.position(start)), types.Position(*text.position(end)))
    return [types.TextEdit(at, "".join(after[first : len(after) - last]))]


def _same(lines: list[str], others: list[str]) -> int:
    """How many lines are the same from the start on."""
    pairs = zip(lines, others, strict=False)
    return next((number for number, (one, other) in enumerate(pairs) if one != other), min(len(lines), len(others)))
