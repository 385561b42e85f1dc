"""A cursor in a text -> what stands there: a key, a value, an item of a list, or none of them.

- conv: {out_ch|          ->    a key of the mapping at model.layers.0.conv, so far `out_ch`
- conv: {padding: |}      ->    the value of model.layers.0.conv.padding, empty so far
  |                       ->    by its column, a key of what is open there, or the value of the line above
"""

import re
from dataclasses import dataclass
from typing import Literal

from specforge.lsp.parts import Part
from specforge.lsp.text import At

Path = tuple[str | int, ...]
_WORD = re.compile(r"[^\s,\[\]{}]*$")


@dataclass(frozen=True, slots=True)
class Place:
    """What the cursor is on.

    A `key` is one of the mapping at `path`; a `value` or `item` is itself at `path`. `part` is the entry or text under
    the cursor, if there is one; `holder` is the mapping, list, entry or item around it. `prefix` is what stands between
    the part's start and the cursor. `own_line`: nothing else is on the line yet.
    """

    role: Literal["key", "value", "item"]
    path: Path
    holder: Part
    part: Part | None
    prefix: str
    own_line: bool


def place_at(root: Part, lines: list[str], at: At) -> Place | None:
    """What stands at a line and column; None in comments, beside brackets and behind what is complete."""
    line = lines[at.line - 1] if at.line <= len(lines) else ""
    indent = len(line) - len(line.lstrip())
    if line.strip() and at.column <= indent:
        return None  # in front of what the line says
    return _Search(root, line, at, not line.strip()).place()


@dataclass(slots=True)
class _Search:
    root: Part
    line: str
    at: At
    is_blank: bool

    def place(self) -> Place | None:
        part: Part = self.root
        while True:
            found = self._member(part) if part.kind in ("mapping", "list") else self._value(part)
            if not isinstance(found, Part):
                return found
            part = found

    def _made(self, role: Literal["key", "value", "item"], path: Path, holder: Part, part: Part | None) -> Place | None:
        if part is None and not self.is_blank and self._in_comment():
            return None
        start = self.at.column if part is None or part.start.line != self.at.line else part.start.column
        prefix = self.line[start - 1 : self.at.column - 1]
        if part is not None and part.quoted:
            prefix = prefix[1:]
        alone = self.is_blank or (part is not None and self.line.strip() == part.text)
        return Place(role, path, holder, part, prefix, alone)

    def _in_comment(self) -> bool:
        return bool(re.search(r"(?:^|\s)#", self.line[: self.at.column - 1]))

    def _member(self, group: Part) -> Place | Part | None:
        """The child of a collection that the cursor is in, or a new one."""
        if group.flow:
            is_before = self.at < group.start or (self.at == group.start and not group.implicit)
            if is_before or group.end < self.at or (group.end == self.at and group.closed):
                return None
            inside = [child for child in group.children if child.start <= self.at and not self._is_behind(child)]
            return inside[-1] if inside else self._new(group)
        if self.is_blank and self.at.column <= group.start.column:
            return self._new(group)
        above = [child for child in group.children if child.start <= self.at]
        return above[-1] if above else None

    def _is_behind(self, child: Part) -> bool:
        return child.closed and child.end < self.at

    def _new(self, group: Part) -> Place | None:
        path = group.path()
        if group.kind == "mapping":
            return self._made("key", path, group, None)
        return self._made("item", (*path, len(group.children)), group, None)

    def _value(self, holder: Part) -> Place | Part | None:
        """What the cursor is on of an entry or item."""
        if holder.kind == "entry" and holder.parent is not None:
            if self.at <= holder.name_end:
                return self._made("key", holder.parent.path(), holder.parent, holder)
            if not holder.colon:
                return None
        inside = [child for child in holder.children if child.start <= self.at]
        if not inside:
            role: Literal["value", "item"] = "item" if holder.kind == "item" and holder.parent else "value"
            return self._made(role, holder.path(), holder, None)
        child = inside[-1]
        if child.kind != "text":
            return child
        if child.start.line != self.at.line or child.end < self.at:
            return None
        return self._made("item" if holder.kind == "item" and holder.parent else "value", holder.path(), holder, child)


def typed_before(line: str, column: int) -> str:
    """What stands between the last white space or bracket and the cursor."""
    found = _WORD.search(line[: column - 1])
    return found.group() if found else ""
