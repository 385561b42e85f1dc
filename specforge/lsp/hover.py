"""A cursor -> what is known of what it is on, as Markdown.

A layer shows what it became in the network (every path, with shape and cost, and its arguments' values), a key or an
argument its documentation and value, `$name` what it stands for, a word of a choice its documentation.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from specforge.binding import signature
from specforge.catalog.definition import Definition
from specforge.catalog.discovery import definition, word_for
from specforge.graph import GraphNode
from specforge.lsp import slots
from specforge.lsp.addresses import slot_of
from specforge.lsp.documents import Document
from specforge.lsp.keys import keys_of
from specforge.lsp.parts import Part
from specforge.lsp.places import Place, place_at
from specforge.lsp.scopes import Name, names_at, told, walked
from specforge.lsp.slots import Slot
from specforge.lsp.text import At, Position
from specforge.lsp.wording import (
    argument_markdown,
    arguments_markdown,
    layers_markdown,
    values_of,
    word_markdown,
)
from specforge.reference.documentation import summary_of

_NAME = re.compile(r"[A-Za-z_]\w*")


class Told(NamedTuple):
    """A hover's text and the part of the document that it is about."""

    markdown: str
    start: At
    end: At


def hover(document: Document, position: Position) -> Told | None:
    """What is known at a position; None where there is nothing to say."""
    at = document.text.at(document.text.offset(position))
    place = place_at(document.tree, document.text.lines, at)
    if place is None or place.part is None:
        return None
    start, end = place.part.start, place.part.name_end if place.part.kind == "entry" else place.part.end
    if place.role != "key":
        named = name_at(document, place, at)
        if named is not None:
            name, first, last = named
            return Told(_name_markdown(document, place, name), first, last)
    text = _key(document, place) if place.role == "key" else _value(document, place)
    return None if text is None else Told(text, start, end)


def name_at(document: Document, place: Place, at: At) -> tuple[Name, At, At] | None:
    """The name of an expression under the cursor, and from where to where it stands."""
    part = place.part
    if part is None or "$" not in part.text or part.start.line != at.line:
        return None
    line = document.text.lines[at.line - 1]
    visible = names_at(document, part)
    for found in _NAME.finditer(line, part.start.column - 1, part.end.column - 1):
        if found.start() <= at.column - 1 <= found.end() and found.group() in visible:
            return visible[found.group()], At(at.line, found.start() + 1), At(at.line, found.end() + 1)
    return None


def _name_markdown(document: Document, place: Place, name: Name) -> str:
    where = f"line {name.start.line}" if name.file is None else f"{name.file}:{name.start.line}"
    head = f"**{name.name}** ({name.label}, {where})"
    text = f"{head}\n\n```yaml\n{name.name}: {name.written}\n```"
    values = _values_here(document, place)
    return f"{text}\n\nHere: {', '.join(f'`{value}`' for value in values)}" if values else text


# what stands where, in the network


def nodes_at(document: Document, word: Part) -> list[GraphNode]:
    """The layers whose word stands at a part, in the latest network that the spec had."""
    good, shift = document.good, document.shift
    if good is None or shift is None or good.graph is None:
        return []
    line = shift.old_line(word.start.line)
    return [] if line is None else good.nodes_by_place.get((good.name, line, word.start.column), [])


def _item_above(document: Document, part: Part) -> Part | None:
    """The entry of the layer, or its text alone, whose arguments a part is among."""
    above: Part | None = part
    while above is not None:
        if above.kind == "entry" and above.parent is not None:
            slot = slot_of(document, above.parent.path())
            if slot is not None and slot.kind == "item" and above.text not in slots.ITEM_KEYS:
                return above
        above = above.parent
    return None


def _values_here(document: Document, place: Place) -> list[str]:
    """What the argument under the cursor is in the network."""
    part = place.part
    item = None if part is None else _item_above(document, part)
    if item is None:
        return []
    steps = place.path[len(item.path()) :]
    known = signature(item.text)
    name = steps[0] if steps else (known.main if known else None)
    nodes = nodes_at(document, item)
    return values_of(nodes, name) if isinstance(name, str) and nodes else []


# keys and values


def _key(document: Document, place: Place) -> str | None:
    part = place.part
    assert part is not None
    slot = slot_of(document, place.path)
    if slot is None:
        return None
    name = names_at(document, part).get(part.text) if slot.kind in ("params", "free") else None
    if name is not None and name.file is None and name.start == part.start:
        return _name_markdown(document, place, name)
    if slot.kind == "item" and part.text not in slots.ITEM_KEYS:
        return _layer(document, part)
    if slot.kind == "blocks":
        return _block_definition(document, part.text)
    if slot.kind == "defaults":
        return word_markdown("layers", part.text) if definition("layers", part.text) else None
    if slot.kind == "block_use":
        return _param(document, slot, part)
    family = slots.family_of(slot)
    if family is not None:
        return word_markdown(family, part.text) if definition(family, part.text) else None
    known = next((known for known in keys_of(slot) if known.name == part.text), None)
    if known is None:
        return None
    is_word = slot.kind == "arguments" and slot.of is not None and issubclass(slot.of, Definition)
    text = argument_markdown(known, of=_word_of(slot) if is_word else "")
    if slots.is_repeat(slot.of) and part.text == "for":
        lines = "\n".join(f"{name.name}: {name.written}" for name in walked(part.parent)) if part.parent else ""
        return f"{text}\n\nHere:\n\n```yaml\n{lines}\n```" if lines else text
    values = _values_here(document, Place("value", (*place.path, part.text), part, part, "", False))
    return f"{text}\n\nHere: {', '.join(f'`{value}`' for value in values)}" if values else text


def _word_of(slot: Slot) -> str:
    assert slot.of is not None
    assert issubclass(slot.of, Definition)
    return word_for(slot.of)


def _param(document: Document, slot: Slot, part: Part) -> str | None:
    """An argument of a block."""
    params = _block_params(document, slot.name)
    if part.text not in params:
        return None
    return f"**{part.text}** (param of block `{slot.name}`)\n\n```yaml\n{part.text}: {params[part.text]}\n```"


def _value(document: Document, place: Place) -> str | None:
    part = place.part
    assert part is not None
    slot = slot_of(document, place.path)
    if slot is None:
        return None
    if slot.kind == "item":
        return _layer(document, part)
    if slot.kind == "key" and slot.name == "at":
        return _edited(document, part) or _key_of(document, place)
    family = slots.family_of(slot)
    if family is not None and definition(family, part.text):
        return word_markdown(family, part.text)
    return _key_of(document, place)


def _key_of(document: Document, place: Place) -> str | None:
    """What is said about the key whose value a part is."""
    part = place.part
    assert part is not None
    if place.path and isinstance(place.path[-1], str) and part.parent is not None and part.parent.kind == "entry":
        entry = part.parent
        assert entry.parent is not None
        text = _key(document, Place("key", entry.parent.path(), entry.parent, entry, "", False))
        made = nodes_at(document, part) if text is not None else []  # as those of `shortcut: projection`
        return f"{text}\n\n{layers_markdown(made)}" if made else text
    return None


def _edited(document: Document, address: Part) -> str | None:
    """The layer that an edit is about: where it is written, and what it is in the network if that still has it."""
    good, shift = document.good, document.shift
    expanded = None if good is None else good.analysis.expanded
    if good is None or shift is None or expanded is None:
        return None
    at = (good.name, shift.old_line(address.start.line), address.start.column)
    places = next((found for span, found in expanded.addressed.items() if span[:3] == at), ())
    if not places:
        return None
    own = (f"line {shift.new_line(place.line) or place.line}" for place in places if place.file == good.name)
    others = (f"{place.file}:{place.line}" for place in places if place.file != good.name)
    nodes = [node for place in places for node in good.nodes_by_place.get(place[:3], [])]
    parts = [f"**{address.text}** (layer, {', '.join([*own, *others])})"]
    parts += [layers_markdown(nodes), arguments_markdown(nodes)] if nodes else ["Not in the network as it is."]
    return "\n\n".join(part for part in parts if part)


def _layer(document: Document, word: Part) -> str | None:
    """An item: what it is, and what it became."""
    nodes, kind = nodes_at(document, word), definition("layers", word.text)
    is_block = word.text in document.blocks()
    if kind is None and not is_block:
        return None
    times = f", {len(nodes)} in the network" if len(nodes) != 1 and nodes else ""
    parts = [f"**{word.text}** ({'block' if is_block else 'layer'}{times})"]
    if kind is not None and not is_block:
        parts.append(summary_of(kind))
    if nodes:
        parts.append(layers_markdown(nodes))
        if is_block:
            parts.append(_params_markdown(document, word.text))
        else:
            parts.append(arguments_markdown(nodes))
    elif kind is not None and not is_block:
        return word_markdown("layers", word.text)
    else:
        parts.append(_params_markdown(document, word.text))
    return "\n\n".join(part for part in parts if part)


def _block_params(document: Document, name: str) -> dict[str, str]:
    """The params of a block with their defaults, as written or as last analysed."""
    entry = document.blocks().get(name)
    params = None if entry is None or entry.value is None else entry.value.get("params")
    if params is not None and params.kind == "mapping":
        return {param.text: told(param.value) for param in params.entries()}
    expanded = None if document.good is None else document.good.analysis.expanded
    block = None if expanded is None else expanded.blocks.get(name)
    if block is None:
        return {}
    texts = {name: getattr(param.default.value, "text", "…") for name, param in block.params.items()}
    return {name: text or "…" for name, text in texts.items()}


def _params_markdown(document: Document, name: str) -> str:
    params = _block_params(document, name)
    lines = "\n".join(f"{param}: {default}" for param, default in params.items())
    return f"Params:\n\n```yaml\n{lines}\n```" if lines else ""


def _block_definition(document: Document, name: str) -> str:
    nodes = list(_uses(document, name))
    parts = [f"**{name}** (block, {len(nodes)} in the network)" if nodes else f"**{name}** (block)"]
    if nodes:
        parts.append(layers_markdown(nodes))
    parts.append(_params_markdown(document, name))
    return "\n\n".join(part for part in parts if part)


def _uses(document: Document, name: str) -> Iterator[GraphNode]:
    """What a block became: the layers that hold the body which its definition has."""
    good = document.good
    expanded = None if good is None else good.analysis.expanded
    block = None if expanded is None else expanded.blocks.get(name)
    if good is None or good.graph is None or block is None or block.layers is None:
        return
    body = block.layers.span[:3]
    for node in good.graph.nodes:
        span = node.argument_spans.get("layers")
        if span is not None and span[:3] == body and span.used_by is not None and span.used_by.name == name:
            yield node
