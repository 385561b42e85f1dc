"""A document -> its outline: sections, params, blocks, and layers by the names that paths give them."""

from collections.abc import Iterator
from typing import NamedTuple

from lsprotocol.types import SymbolKind

from specforge.lsp.addresses import kind_of, segments
from specforge.lsp.documents import Document
from specforge.lsp.parts import Part
from specforge.lsp.scopes import told
from specforge.lsp.slots import Slot, below, holds_items, slot_at
from specforge.lsp.text import At

_DETAIL = 80  # characters
_DEPTH = 20


class Symbol(NamedTuple):
    """A line of the outline. `start` to `end` is all of it, `name_start` to `name_end` its name."""

    name: str
    detail: str
    kind: SymbolKind
    start: At
    end: At
    name_start: At
    name_end: At
    children: "tuple[Symbol, ...]"


def outline(document: Document) -> list[Symbol]:
    """The symbols of a document, as far as it can be read."""
    if document.mapping is None:
        return []
    return list(_entries(document.mapping, slot_at((), ()), frozenset(document.blocks()), 0))


def _entries(mapping: Part, slot: Slot | None, blocks: frozenset[str], depth: int) -> Iterator[Symbol]:
    for entry in mapping.entries():
        inner = None if slot is None else below(slot, entry.text, blocks)
        if entry.text:
            yield _entry(entry, inner, blocks, depth)


def _entry(entry: Part, slot: Slot | None, blocks: frozenset[str], depth: int) -> Symbol:
    value = entry.value
    children: tuple[Symbol, ...] = ()
    if value is not None and value.kind != "text" and depth < _DEPTH:
        children = tuple(_inside(value, slot, blocks, depth + 1))
    detail = "" if children or value is None else _short(told(value))
    return Symbol(
        entry.text, detail, _kind(slot, value), entry.start, _end(entry), entry.start, entry.name_end, children
    )


def _kind(slot: Slot | None, value: Part | None) -> SymbolKind:
    if slot is not None and slot.kind == "block":
        return SymbolKind.Class
    if value is None or value.kind == "text":
        return SymbolKind.Property
    return SymbolKind.Array if value.kind == "list" else SymbolKind.Module


def _inside(value: Part, slot: Slot | None, blocks: frozenset[str], depth: int) -> Iterator[Symbol]:
    """What an entry holds: keys, layers where there are layers, or lists of them."""
    if value.kind == "mapping":
        yield from _entries(value, slot, blocks, depth)
    elif slot is not None and (holds_items(slot) or _takes_layers(slot)):
        yield from (_layer(name, item, blocks, depth) for name, item in segments(value))
    elif slot is not None and (path := below(slot, 0, blocks)) is not None and holds_items(path):
        for number, item in enumerate(value.children):
            if item.value is not None and item.value.kind == "list":
                inner = tuple(_layer(name, layer, blocks, depth) for name, layer in segments(item.value))
                start = item.value.start
                yield Symbol(str(number), "", SymbolKind.Array, start, _end(item), start, start, inner)


def _takes_layers(slot: Slot) -> bool:
    """`residual: [relu]`: a composite whose layers stand without the argument's name."""
    first = below(slot, 0, ()) if slot.kind == "arguments" else None
    return first is not None and first.kind == "item"


def _layer(name: str, item: Part, blocks: frozenset[str], depth: int) -> Symbol:
    value, word = item.value, kind_of(item) or name
    assert value is not None
    children: tuple[Symbol, ...] = ()
    detail, entry = "", None if value.kind == "text" else value.child(word)
    if entry is not None and entry.value is not None:
        slot = slot_at(("model", "layers", 0, word), blocks)
        if depth < _DEPTH and slot is not None:
            children = tuple(_layers_in(_inside(entry.value, slot, blocks, depth + 1)))
        detail = "" if children else _short(told(entry.value))
    first, last = (value.start, value.end) if entry is None else (entry.start, entry.name_end)
    shown = f"{word} {detail}".strip() if not name.startswith(f"{word}_") else detail
    return Symbol(name, shown, SymbolKind.Object, item.start, _end(item), first, last, children)


def _layers_in(inside: Iterator[Symbol]) -> Iterator[Symbol]:
    """The layers among what a layer holds, without the level of `layers:`; its other arguments are no lines."""
    for symbol in inside:
        if symbol.kind == SymbolKind.Object or symbol.name.isdigit():
            yield symbol
        elif any(child.kind == SymbolKind.Object or child.name.isdigit() for child in symbol.children):
            yield from symbol.children if symbol.name == "layers" else (symbol,)


def _short(text: str) -> str:
    return text if len(text) <= _DETAIL else f"{text[:_DETAIL]}…"


def _end(part: Part) -> At:
    """Behind the last character of a part and all in it."""
    return max(max(inner.end, inner.name_end) for inner in part.walk())
