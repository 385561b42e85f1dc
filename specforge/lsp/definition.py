"""A cursor -> where what it is on is defined, in this file or another one.

conv_unit: 32     the block          $width     the param or loop variable         from: stem    the item
extends: a.yaml   the file           pretrained: resnet18    the zoo's spec        shared: enc   the first item of it
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from specforge.diagnostics import Span
from specforge.expand.files import zoo_folder
from specforge.expand.words import ITEM_KEYS
from specforge.lsp.addresses import segments, slot_of
from specforge.lsp.documents import Document
from specforge.lsp.files import is_file, resolve
from specforge.lsp.hover import name_at
from specforge.lsp.parts import Part
from specforge.lsp.places import Place, place_at
from specforge.lsp.slots import Slot
from specforge.lsp.text import At, Position
from specforge.source import Mapping

_NUMBERS = re.compile(r"\.\d+(?=\.|$)")


class Target(NamedTuple):
    """A range of a file, by its path; None for the document itself."""

    file: Path | None
    start: At
    end: At


def define(document: Document, position: Position) -> Target | None:
    """Where the thing at a position is defined; None where it is nothing, or nowhere."""
    at = document.text.at(document.text.offset(position))
    place = place_at(document.tree, document.text.lines, at)
    if place is None or place.part is None:
        return None
    named = name_at(document, place, at) if place.role != "key" else None
    if named is not None:
        name = named[0]
        return Target(None if name.file is None else _path(name.file), name.start, name.end)
    slot = slot_of(document, place.path)
    return None if slot is None else _of_slot(document, place, slot, place.part)


def _of_slot(document: Document, place: Place, slot: Slot, part: Part) -> Target | None:
    if slot.kind == "item" and part.text in document.blocks():
        return _block(document, part.text)
    if place.role == "key":
        return _param(document, slot, part.text) if slot.kind == "block_use" else None
    if slot.kind == "key" and slot.name in ("extends", "include"):
        return _file(resolve(document.path, part.text))
    if slot.kind == "key" and slot.name == "shared":
        return _first_of(document, part.text)
    if slot.kind == "key" and slot.name in ("from", "at"):
        return _item(document, part)
    if place.path[-1:] == ("pretrained",) or place.path[-2:] == ("pretrained", "model"):
        return _file(zoo_folder() / f"{part.text}.yaml")
    return None


def _file(path: Path) -> Target | None:
    return Target(path, At(1, 1), At(1, 1)) if is_file(path) else None


def _path(shown: str) -> Path:
    return Path.cwd() / shown


def _span(span: Span) -> Target:
    return Target(_path(span.file), At(span.line, span.column), At(span.end_line, span.end_column))


def _block(document: Document, name: str) -> Target | None:
    own = document.blocks().get(name)
    if own is not None:
        return Target(None, own.start, own.name_end)
    expanded = None if document.good is None else document.good.analysis.expanded
    blocks = None if expanded is None else expanded.definitions.get("blocks")
    if blocks is None or not isinstance(blocks.value, Mapping) or name not in blocks.value.entries:
        return None
    return _now(document, blocks.value.entries[name].key)


def _param(document: Document, slot: Slot, name: str) -> Target | None:
    """The param of a block whose argument this is."""
    own = document.blocks().get(slot.name)
    params = None if own is None or own.value is None else own.value.get("params")
    entry = None if params is None else params.child(name)
    if entry is not None:
        return Target(None, entry.start, entry.name_end)
    expanded = None if document.good is None else document.good.analysis.expanded
    block = None if expanded is None or own is not None else expanded.blocks.get(slot.name)
    return _now(document, block.params[name].default.key) if block is not None and name in block.params else None


def _first_of(document: Document, name: str) -> Target | None:
    for part in document.tree.walk():
        if part.kind == "entry" and part.text == "shared" and part.value is not None and part.value.text == name:
            return Target(None, part.value.start, part.value.end)
    return None


def _item(document: Document, part: Part) -> Target | None:
    """The item of an address: by what is written in the lists around it, else by the network's paths."""
    first, *rest = _NUMBERS.sub("", part.text).split(".")
    item = next((names[first] for names in _lists_around(document, part) if first in names), None)
    for step in rest:
        item = None if item is None else _inside(item, step)
    return _in_network(document, part.text) if item is None else _target(item)


def _lists_around(document: Document, part: Part) -> Iterator[dict[str, Part]]:
    """The items of every list that a part is in, by their segments, the innermost first; then the network's own."""
    above: Part | None = part
    while above is not None:
        yield dict(segments(above)) if above.kind == "list" else {}
        above = above.parent
    yield dict(segments(None if document.mapping is None else document.mapping.get("model", "layers")))


def _inside(item: Part, step: str) -> Part | None:
    """An item among the layers that another one holds, if they are written there."""
    lists = (part for part in item.walk() if part.kind == "list")
    return next((names[step] for part in lists if step in (names := dict(segments(part)))), None)


def _target(item: Part) -> Target:
    """An item's `id` if it has one, else its layer's word."""
    value = item.value
    if value is None or value.kind == "text":
        return Target(None, (value or item).start, (value or item).end)
    given = value.get("id")
    if given is not None:
        return Target(None, given.start, given.end)
    word = next((entry for entry in value.entries() if entry.text not in ITEM_KEYS), None)
    return Target(None, value.start, value.start) if word is None else Target(None, word.start, word.name_end)


def _in_network(document: Document, address: str) -> Target | None:
    graph = None if document.good is None else document.good.graph
    wanted = _NUMBERS.sub("", address)
    for node in graph.nodes if graph is not None else ():
        if node.layer is not None and _NUMBERS.sub("", node.path) == wanted:
            return _now(document, node.span)
    return None


def _now(document: Document, span: Span) -> Target | None:
    """A place of the text that was analysed, in the text as it is."""
    if document.good is None or document.shift is None or span.file != document.good.name:
        return _span(span)
    line = document.shift.new_line(span.line)
    return None if line is None else Target(None, At(line, span.column), At(line, span.end_column))
