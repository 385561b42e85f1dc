"""The tree that a text becomes: scalars, sequences and mappings, each with the span that wrote it.

Named tuples, like spans: a large spec makes hundreds of thousands of them, and a frozen dataclass takes three times as
long to make.
"""

from typing import NamedTuple

from specforge.diagnostics import Span

Value = None | bool | int | float | str


class Scalar(NamedTuple):
    """A single value. `text` is what was written, `plain` says that it stood without quotes.

    A `broken` one stands for a text whose mistake has been reported: nothing more is said about it.
    """

    span: Span
    value: Value
    text: str
    plain: bool = True
    broken: bool = False


class Sequence(NamedTuple):
    span: Span
    items: "tuple[Node, ...]"


class Entry(NamedTuple):
    """One `key: value` of a mapping; `key` is where the key stands."""

    key: Span
    value: "Node"


class Mapping(NamedTuple):
    span: Span
    entries: dict[str, Entry]

    def get(self, key: str) -> "Node | None":
        entry = self.entries.get(key)
        return None if entry is None else entry.value

    def with_entry(self, key: str, entry: Entry) -> "Mapping":
        return self._replace(entries={**self.entries, key: entry})

    def without(self, *keys: str) -> "Mapping":
        return self._replace(entries={k: entry for k, entry in self.entries.items() if k not in keys})


Node = Scalar | Sequence | Mapping
