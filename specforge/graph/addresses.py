"""What an item's `from` leads to: an address, as seen from where it stands, -> a value.

A path is looked up among the item's own siblings, then among those of the layer that it lies in, and so on outwards, so
that a block's items find each other wherever the block is used. Only earlier items are visible.
"""

import re

from specforge.catalog.definition import Composite, Item, Items, Value
from specforge.diagnostics import Findings, define, nearest

ADDRESS = define(
    "SF403",
    "bad-address",
    """
`from` names what an item reads: `previous` (the running value, the default), `input` (the network's input), or the
path of an earlier item. A path is looked up among the item's siblings first, then further out; an item of `repeat` is
named with its iteration, as in `repeat_1.0.conv_1`. What an `auxiliary` holds can not be read.""",
)


class Addresses:
    """The values that items can read at one moment, by path."""

    def __init__(self, findings: Findings):
        self.findings = findings
        self.values: dict[str, Value] = {}
        self.levels: list[tuple[str, Items]] = []
        self.input: Value | None = None

    def enter(self, prefix: str, items: Items, input: Value) -> None:
        """Begin a list of items; the first list's input is the network's."""
        self.levels.append((prefix, items))
        self.input = self.input or input

    def leave(self) -> None:
        self.levels.pop()

    def add(self, path: str, value: Value) -> None:
        self.values[path] = value

    def forget(self, prefix: str) -> None:
        """Hide what lies in a side branch."""
        self.values = {path: value for path, value in self.values.items() if not path.startswith(prefix)}

    def resolve(self, item: Item, previous: Value) -> tuple[Value, ...] | None:
        """The values that an item reads, None after a finding."""
        found = [self._value(address, previous) for address in item.reads]
        for address, value in zip(item.reads, found, strict=True):
            if value is None:
                span = item.argument_spans.get("from", item.span)
                self.findings.add(ADDRESS, span, *self._problem(address, item))
        return None if None in found else tuple(value for value in found if value is not None)

    def _value(self, address: str, previous: Value) -> Value | None:
        if address == "previous":
            return previous
        if address == "input":
            return self.input
        return next((self.values[path] for path in self._candidates(address) if path in self.values), None)

    def _candidates(self, address: str) -> list[str]:
        return [prefix + address for prefix, _ in reversed(self.levels)]

    def _problem(self, address: str, item: Item) -> tuple[str, str]:
        """Why an address leads to nothing, and what to write."""
        message = f"`from: {address}` leads to no earlier item"
        candidates = self._candidates(address)
        if any(prefix.startswith(f"{path}.") for prefix, _ in self.levels for path in candidates):
            hint = "name an earlier item; `{id: whole, identity: }` before it gives what enters a name"
            return f"this item lies in `{address}`, whose value is not there yet", hint
        for prefix, items in self.levels:
            if any(prefix + other.id in candidates and _is_side_branch(other) for other in items):
                return f"`{address}` is a side branch, which only training has", "read what it reads"
            if any(prefix + other.id == path for other in items for path in candidates):
                if prefix + address == self.levels[-1][0] + item.id:
                    return f"`from: {address}` is the item itself", "name an earlier one; `previous` is the one above"
                return f"`{address}` comes later: only earlier items can be read", "move this item below it"
        for path in self.values:
            if _without_iterations(path) in candidates and path not in candidates:
                return message, f"name the iteration too: `{self._relative(path)}`"
        close = nearest(address, ["previous", "input", *map(self._relative, self.values)])
        here = [*dict.fromkeys(self._relative(path) for path in reversed(self.values))][:8]
        return message, f"did you mean `{close}`?" if close else f"it may be {', '.join(['previous', 'input', *here])}"

    def _relative(self, path: str) -> str:
        """A path as it can be written here."""
        prefix = next(prefix for prefix, _ in reversed(self.levels) if path.startswith(prefix))
        return path[len(prefix) :]


def _is_side_branch(item: Item) -> bool:
    return isinstance(item.layer, Composite) and item.layer.is_side_branch


def _without_iterations(path: str) -> str:
    return re.sub(r"\.\d+(?=\.)", "", path)
