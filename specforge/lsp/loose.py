"""Any text at all -> a tree of what it seems to say, for a text that is being typed and is not YAML at the moment.

- conv: {out_ch            ->    list > item > mapping > entry `conv` > mapping in braces > entry `out_ch`
- relu                           list > item > text `relu`

It knows indentation, `- `, `key:`, braces, brackets, quotes, comments and texts over several lines. Braces that are not
closed end at the next line which stands no deeper than the line that opened them and begins a key or an item. Nothing
is ever reported. Whether a text is right is the affair of `specforge.source`.
"""

import gc
import re

from specforge.lsp.parts import Kind, Part
from specforge.lsp.text import At

MAX_OPEN = 300  # levels; what is deeper is left out

# quoted, or a plain text up to `: ` in which `:` and `#` are no ends by themselves
_KEY = re.compile(
    r"""(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|("""
    r"""[^\s\-?:,\[\]{}#&*!|>'"%@`](?:[^:#]|:(?=\S)|(?<=\S)#){0,200}?|[?:-](?=\S)[^:#]{0,200}?"""
    r"""))[ \t]*:(?:[ \t]+|$)"""
)
_PLAIN_FORM = 3
_DASH = re.compile(r"-(?:[ \t]+|$)")
_BLOCK_TEXT = re.compile(r"[|>][-+0-9]*[ \t]*(?:#.*)?$")
_PROPERTY = re.compile(r"(?:[&!*][^\s,\[\]{}]*)[ \t]*")
_DOUBLE = re.compile(r'"(?:[^"\\]|\\.)*(?:"|$)')
_SINGLE = re.compile(r"'(?:[^']|'')*(?:'|$)")
_PLAIN_END = re.compile(r"[ \t]#|$")
_FLOW_END = re.compile(r"[ \t]#|[,\[\]{}]|:(?=[\s,\[\]{}]|$)|$")


def read_loosely(lines: list[str]) -> Part:
    """The tree of a text's lines; its root is an `item` that holds the outermost collection."""
    was_enabled = gc.isenabled()
    gc.disable()  # the tree is no garbage, and looking through it takes as long as making it
    try:
        return _Reader(lines).read()
    finally:
        if was_enabled:
            gc.enable()


class _Reader:
    """`open` are the collections in block style that the next line may go on with, `flow` those in braces."""

    def __init__(self, lines: list[str]):
        self.lines = lines
        self.root = Part("item", At(1, 1), At(len(lines), len(lines[-1]) + 1), None)
        self.open: list[Part] = []
        self.flow: list[Part] = []
        self.flow_indent = 0
        self.text_indent: int | None = None  # of the key whose text over several lines goes on

    def read(self) -> Part:
        for number, line in enumerate(self.lines, start=1):
            stripped = line.lstrip(" \t")
            indent = len(line) - len(stripped)
            if self.text_indent is not None:
                if not stripped or indent > self.text_indent:
                    continue
                self.text_indent = None
            if not stripped or stripped.startswith("#"):
                continue
            if self.flow and self._is_left(stripped, indent):
                self._abandon(At(number, 1))
            if self.flow:
                self._flow(number, line, indent)
            elif not (indent == 0 and stripped.rstrip() in ("---", "...")):
                self._block(number, line, indent)
        if self.flow:
            self._abandon(self.root.end)
        return self.root

    def _is_left(self, stripped: str, indent: int) -> bool:
        """Whether this line can't belong to the braces that are open."""
        return indent <= self.flow_indent and bool(_KEY.match(stripped) or stripped.startswith("- "))

    def _abandon(self, at: At) -> None:
        for group in self.flow:
            group.end = at
            self._end_member(group, at)
        self.flow = []

    # block style

    def _block(self, number: int, line: str, column: int) -> None:
        """One line: dashes and a key, then a value."""
        first = True
        while column < len(line) and len(self.open) < MAX_OPEN:
            at, end = At(number, column + 1), At(number, len(line) + 1)
            if found := _DASH.match(line, column):
                holder = self._group("list", at, first=first)
                holder.children.append(Part("item", at, end, holder))
            elif found := _KEY.match(line, column):
                holder = self._group("mapping", at, first=first)
                form = found.lastindex or 0
                name = found.group(form).rstrip()
                name_end = At(number, found.end(form) + 2 if form < _PLAIN_FORM else column + len(name) + 1)
                holder.children.append(Part("entry", at, end, holder, name, name_end))
            else:
                self._block_text(number, line, column, first=first)
                return
            column, first = found.end(), False
            if column < len(line) and line[column] == "#":
                return

    def _group(self, kind: Kind, at: At, *, first: bool) -> Part:
        """The collection that a dash or key at this place belongs to."""
        if first:
            self._close_deeper(at.column, kind)
        top = self.open[-1] if self.open else None
        if top is not None and top.start.column == at.column and top.kind == kind and first:
            return top
        holder = self._holder()
        group = Part(kind, at, at, holder)
        holder.children.append(group)
        self.open.append(group)
        return group

    def _close_deeper(self, column: int, kind: Kind | None) -> None:
        while self.open and self.open[-1].start.column > column:
            self.open.pop()
        # `key:` and the dashes of its list may stand in one column
        is_list = kind == "mapping" and len(self.open) > 1 and self.open[-1].kind == "list"
        if is_list and self.open[-1].start.column == column == self.open[-2].start.column:
            self.open.pop()

    def _holder(self) -> Part:
        """The entry or item that what comes next is the value of."""
        if not self.open:
            return self.root
        top = self.open[-1]
        return top.children[-1] if top.children else top

    def _block_text(self, number: int, line: str, column: int, *, first: bool) -> None:
        """What stands behind dashes and a key, or alone on its line."""
        if first:
            self._close_deeper(column + 1, "mapping")
            top = self.open[-1] if self.open else None
            if (
                top is not None
                and top.start.column == column + 1
                and top.kind == "mapping"
                and line[column] not in "{["
            ):
                end = self._plain_end(line, column, _PLAIN_END)
                entry = Part("entry", At(number, column + 1), At(number, end + 1), top, line[column:end])
                entry.name_end, entry.colon = entry.end, False
                top.children.append(entry)
                return
        holder = self._holder()
        while found := _PROPERTY.match(line, column):
            column = found.end()
        if column >= len(line) or line[column] == "#":
            return
        if line[column] in "{[":
            self.flow_indent = len(line) - len(line.lstrip(" "))
            self._flow(number, line, column, holder)
        elif _BLOCK_TEXT.match(line, column):
            self.text_indent = len(line) - len(line.lstrip(" "))
            if holder.kind == "entry":
                self.text_indent = holder.start.column - 1
        else:
            self._text(number, line, column, holder, _PLAIN_END)

    def _plain_end(self, line: str, column: int, end: re.Pattern[str]) -> int:
        found = end.search(line, column)
        return column + len(line[column : found.start() if found else len(line)].rstrip())

    def _text(self, number: int, line: str, column: int, holder: Part, end: re.Pattern[str]) -> int:
        """Add a text to its holder; gives the column behind it."""
        quote = {'"': _DOUBLE, "'": _SINGLE}.get(line[column])
        quoted = quote.match(line, column) if quote else None
        last = quoted.end() if quoted else self._plain_end(line, column, end)
        text = line[column:last]
        if quoted:
            text = text[1:-1] if len(text) > 1 and text[-1] == text[0] else text[1:]
        if last > column:
            part = Part("text", At(number, column + 1), At(number, last + 1), holder, text, quoted=bool(quoted))
            holder.children.append(part)
        return max(last, column + 1)

    # flow style

    def _flow(self, number: int, line: str, column: int, holder: Part | None = None) -> None:
        """A line, or the rest of it, inside braces; `holder` is the one that the first brace is the value of."""
        while column < len(line):
            character, at = line[column], At(number, column + 1)
            if holder is None and not self.flow:
                return  # what follows a closed collection is a comment or a mistake
            if character in " \t":
                column += 1
            elif character == "#" and (column == 0 or line[column - 1] in " \t"):
                return
            elif character in "{[":
                self._open_flow(at, "mapping" if character == "{" else "list", holder)
                holder, column = None, column + 1
            elif character in "}]":
                self._close_flow(at, "mapping" if character == "}" else "list")
                column += 1
            elif character == ",":
                self._comma(at)
                column += 1
            elif character == ":" and self._colon(at):
                column += 1
            elif found := _PROPERTY.match(line, column):
                column = found.end()
            else:
                column = self._text(number, line, column, self._member(at), _FLOW_END)

    def _comma(self, at: At) -> None:
        while len(self.flow) > 1 and self.flow[-1].implicit:
            group = self.flow.pop()
            self._end_member(group, at)
            group.end = at
        self._end_member(self.flow[-1], at)

    def _open_flow(self, at: At, kind: Kind, holder: Part | None) -> None:
        if len(self.flow) >= MAX_OPEN:
            return
        holder = holder or self._member(at)
        group = Part(kind, at, at, holder, flow=True)
        holder.children.append(group)
        self.flow.append(group)

    def _close_flow(self, at: At, kind: Kind) -> None:
        """Close the innermost collection of this kind; a brace that closes nothing is passed over."""
        if not any(group.kind == kind for group in self.flow):
            return
        while True:
            group = self.flow.pop()
            self._end_member(group, at)
            group.end = At(at.line, at.column + 1)
            group.closed = group.kind == kind
            if group.closed:
                return

    def _member(self, at: At) -> Part:
        """The entry or item that goes on here, a new one where the last is finished."""
        group = self.flow[-1]
        last = group.children[-1] if group.children else None
        if last is None or last.closed:
            last = Part("entry" if group.kind == "mapping" else "item", at, at, group, colon=False, name_end=at)
            group.children.append(last)
        return last

    def _colon(self, at: At) -> bool:
        """Whether a `:` ends a key here: the text before it becomes one."""
        group = self.flow[-1]
        member = group.children[-1] if group.children else None
        if member is None or member.closed or not member.children or member.children[-1].kind != "text":
            return False
        name = member.children.pop()
        if member.kind == "item":  # `[conv: 8]` is a mapping of one key
            inner = Part("mapping", name.start, at, member)
            member.children.append(inner)
            entry = Part("entry", name.start, at, inner)
            inner.children.append(entry)
            self.flow.append(inner)
            inner.flow = True
            member = entry
        member.text, member.name_end, member.colon = name.text, name.end, True
        return True

    def _end_member(self, group: Part, at: At) -> None:
        """What is open in a collection ends here; a text without `:` in a mapping is a key."""
        if not group.children or group.children[-1].closed:
            return
        member = group.children[-1]
        member.closed, member.end = True, at
        if member.kind == "entry" and not member.colon and member.children:
            name = member.children.pop()
            member.text, member.name_end = name.text, name.end
