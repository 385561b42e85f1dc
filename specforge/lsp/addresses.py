"""Lists of layers as written -> the names that paths give their items.

- {id: stem, conv: 8}    ->    stem
- relu                         relu_1
- relu                         relu_2
"""

import re
from collections.abc import Iterable, Iterator

from specforge.binding import signature
from specforge.expand.addresses import Addresses
from specforge.expand.repeat import as_written
from specforge.expand.words import ITEM_KEYS
from specforge.lsp.documents import Document
from specforge.lsp.parts import Part
from specforge.lsp.places import Path
from specforge.lsp.slots import Slot, slot_at
from specforge.source import Entry, Mapping, Node, Sequence

_NUMBER = re.compile(r"_\d+$")


def slot_of(document: Document, path: Path) -> Slot | None:
    """What may stand at a path of a document; what an edit sets are arguments of the layer that it is about."""
    blocks = document.blocks()
    if path[:1] == ("edit",) and path[2:3] == ("set",):
        at = None if document.mapping is None else document.mapping.get("edit", path[1], "at")
        word = _NUMBER.sub("", at.text.rpartition(".")[2]) if at is not None else ""
        layer = slot_at(("model", "layers", 0, word), blocks)
        if layer is not None and layer.kind in ("arguments", "block_use"):
            return slot_at(path[3:], blocks, layer)
    return slot_at(path, blocks)


def segments_before(document: Document, part: Part) -> Iterator[str]:
    """The segments of the items that stand before a part in its list: their ids, or kinds with their numbers."""
    item: Part | None = part
    while item is not None and not (item.kind == "item" and is_item(document, item)):
        item = item.parent
    if item is not None:
        yield from (name for name, sibling in segments(item.parent) if sibling.start < item.start)


def edited_addresses(document: Document) -> Iterator[str]:
    """The addresses that an edit may have: of every item as written, in the files that it starts from too."""
    expanded = None if document.good is None else document.good.analysis.expanded
    if expanded is None:
        return
    addresses = Addresses(as_written(signature))
    model, blocks = expanded.root.get("model"), expanded.root.get("blocks")
    homes = [("", model), *((f"blocks.{name}.", entry.value) for name, entry in _entries(blocks))]
    for prefix, home in homes:
        layers = home.get("layers") if isinstance(home, Mapping) else None
        if isinstance(layers, Sequence):
            yield from addresses.all(layers, prefix)


def _entries(node: Node | None) -> Iterable[tuple[str, Entry]]:
    return node.entries.items() if isinstance(node, Mapping) else ()


def is_item(document: Document, item: Part) -> bool:
    slot = slot_of(document, item.path())
    return slot is not None and slot.kind == "item"


def segments(layers: Part | None) -> Iterator[tuple[str, Part]]:
    """The segment of each item of a list: its id, else its kind and its number among those of its kind."""
    counts: dict[str, int] = {}
    for item in layers.children if layers is not None and layers.kind == "list" else ():
        kind = kind_of(item)
        if kind is None:
            continue
        counts[kind] = counts.get(kind, 0) + 1
        given = None if item.value is None else item.value.get("id")
        yield (given.text if given is not None and given.kind == "text" else f"{kind}_{counts[kind]}"), item


def kind_of(item: Part) -> str | None:
    """The word of an item's layer."""
    value = item.value
    if value is None or value.kind == "text":
        return None if value is None or "$" in value.text else value.text
    return next((entry.text for entry in value.entries() if entry.text not in ITEM_KEYS), None)
