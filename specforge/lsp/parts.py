"""The tree that a text seems to be: mappings, lists, their members and texts, each with its place and what it is in."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from specforge.lsp.text import At

Kind = Literal["mapping", "list", "entry", "item", "text"]
_NOWHERE = At(0, 0)


@dataclass(slots=True, eq=False)
class Part:
    """A piece of the tree. An `entry` has a key in `text` and its value as a child, an `item` of a list its value.

    `start` and `end` are the first character and the place behind the last, of a collection in braces with them.
    `name_end` is the place behind an entry's key, `colon` whether `:` followed it. `closed`: a bracket or comma ended
    it. `flow`: it stands in braces or brackets.
    """

    kind: Kind
    start: At
    end: At
    parent: "Part | None"
    text: str = ""
    name_end: At = _NOWHERE
    colon: bool = True
    flow: bool = False
    quoted: bool = False
    closed: bool = False
    children: "list[Part]" = field(default_factory=list)

    @property
    def value(self) -> "Part | None":
        return self.children[0] if self.children else None

    @property
    def implicit(self) -> bool:
        """Whether it is a mapping without braces of its own in a list: `[conv: 8]`."""
        return self.flow and self.kind == "mapping" and bool(self.children) and self.start == self.children[0].start

    def get(self, *path: str | int) -> "Part | None":
        """The value below this one, by keys of mappings and numbers of items."""
        found: Part | None = self
        for step in path:
            if found is None or found.kind not in ("mapping", "list"):
                return None
            child = found.child(step)
            found = None if child is None else child.value
        return found

    def child(self, step: str | int) -> "Part | None":
        """The entry of a key, or the item of a number."""
        if isinstance(step, int):
            return self.children[step] if self.kind == "list" and step < len(self.children) else None
        return next((entry for entry in self.entries() if entry.text == step), None)

    def entries(self) -> "Iterator[Part]":
        return (child for child in self.children if child.kind == "entry")

    def path(self) -> tuple[str | int, ...]:
        """The keys and numbers that lead here from the root."""
        steps: list[str | int] = []
        part: Part | None = self
        while part is not None:
            if part.kind == "entry":
                steps.append(part.text)
            elif part.kind == "item" and part.parent is not None:
                steps.append(next(n for n, item in enumerate(part.parent.children) if item is part))
            part = part.parent
        return tuple(reversed(steps))

    def walk(self) -> "Iterator[Part]":
        stack = [self]
        while stack:
            part = stack.pop()
            yield part
            stack.extend(reversed(part.children))
