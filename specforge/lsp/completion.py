"""A cursor -> what may be written there.

What is offered replaces the word under the cursor. Words with required arguments bring them along: `conv` becomes
`conv: {out_channels: ▯, kernel_size: ▯}` where the client can jump between gaps, and `conv: ` elsewhere.
What a word means is looked up when the client asks for it (`explained`).
"""

import re
from collections.abc import Iterator
from itertools import islice

from lsprotocol import types

from specforge.catalog.definition import Section
from specforge.catalog.discovery import definition, index
from specforge.expand.files import ZOO
from specforge.expand.words import ITEM_KEYS
from specforge.lsp import slots
from specforge.lsp.addresses import edited_addresses, segments_before, slot_of
from specforge.lsp.documents import Document
from specforge.lsp.files import networks, spec_files
from specforge.lsp.keys import keys_of
from specforge.lsp.parts import Part
from specforge.lsp.places import Place, place_at
from specforge.lsp.scopes import names_at, told
from specforge.lsp.slots import Slot
from specforge.lsp.text import At, Position
from specforge.lsp.wording import argument_markdown, word_markdown
from specforge.reference.topics import Argument
from specforge.schema.words import required

_EXPRESSION = re.compile(r"\$(?:\(?([A-Za-z_]\w*)?|\([^)]*?([A-Za-z_]\w*)?)$")
_FUNCTIONS = ("min", "max", "sum", "round", "ceil", "floor", "len")
_KINDS = types.CompletionItemKind
MAX_ADDRESSES = 2_000


def complete(document: Document, position: Position, *, snippets: bool) -> list[types.CompletionItem]:
    """Everything that may stand at a position."""
    at = document.text.at(document.text.offset(position))
    place = place_at(document.tree, document.text.lines, at)
    if place is None:
        return []
    return list(_Completion(document, place, at, snippets).offers())


def explained(item: types.CompletionItem) -> types.CompletionItem:
    """An offered word with its documentation."""
    data = item.data if isinstance(item.data, dict) else {}
    kind = definition(str(data.get("family")), str(data.get("word"))) if data.get("family") in slots.FAMILIES else None
    if kind is not None:
        text = word_markdown(str(data["family"]), str(data["word"]))
        item.documentation = types.MarkupContent(types.MarkupKind.Markdown, text)
    return item


class _Completion:
    """The answer to one request. `range` is what an offer replaces."""

    def __init__(self, document: Document, place: Place, at: At, snippets: bool):
        self.document, self.place, self.at, self.snippets = document, place, at, snippets
        self.blocks = document.blocks()
        first = At(at.line, at.column - len(place.prefix))
        self.range = self._range(first, self._word_end())
        line = document.text.lines[at.line - 1] if at.line <= len(document.text.lines) else ""
        before = line[: first.column - 1]
        # `padding:|` and `-|` lack a space
        self.lead = " " if before.endswith((":", "-")) and place.role != "key" else ""

    def _range(self, first: At, last: At) -> types.Range:
        text = self.document.text
        start, end = (text.position(text.offset_at(at)) for at in (first, last))
        return types.Range(types.Position(*start), types.Position(*end))

    def _word_end(self) -> At:
        """Where the word under the cursor ends; a text with spaces in it is left as it is."""
        part = self.place.part
        if part is None or part.start.line != self.at.line:
            return self.at
        end = part.name_end if part.kind == "entry" else part.end
        return max(self.at, end) if end.line == self.at.line and " " not in part.text and not part.quoted else self.at

    def offers(self) -> Iterator[types.CompletionItem]:
        place, slot = self.place, slot_of(self.document, self.place.path)
        expression = _EXPRESSION.search(place.prefix)
        if expression and place.role != "key":
            yield from self._names(expression)
        elif slot is None:
            return
        elif place.role == "key":
            yield from self._keys(slot, self._given())
        else:
            yield from self._values(slot)

    def _given(self) -> frozenset[str]:
        """The keys that the mapping has beside the one under the cursor."""
        return frozenset(entry.text for entry in self.place.holder.entries() if entry is not self.place.part)

    @property
    def _has_colon(self) -> bool:
        part = self.place.part
        return part is not None and part.kind == "entry" and part.colon

    # what an offer looks like

    def _item(self, label: str, kind: types.CompletionItemKind, text: str, **told: object) -> types.CompletionItem:
        form = types.InsertTextFormat.Snippet if "${" in text else types.InsertTextFormat.PlainText
        edit = types.TextEdit(self.range, self.lead + text)
        return types.CompletionItem(
            label,
            kind=kind,
            text_edit=edit,
            insert_text_format=form,
            filter_text=label,
            **told,  # type: ignore[arg-type]
        )

    def _key(self, known: Argument, number: int, below: Slot | None) -> types.CompletionItem:
        opens = below is not None and not self._in_flow and _is_nested(below)
        text = known.name if self._has_colon else f"{known.name}:{'' if opens else ' '}"
        markup = types.MarkupContent(types.MarkupKind.Markdown, argument_markdown(known))
        label = f"{known.type}, {'required' if known.default is None else known.default}"
        order = f"{0 if known.default is None else 1}{number:03}"
        return self._item(known.name, _KINDS.Property, text, detail=label, documentation=markup, sort_text=order)

    @property
    def _in_flow(self) -> bool:
        part: Part | None = self.place.holder
        while part is not None:
            if part.flow:
                return True
            part = part.parent
        return False

    def _word(self, family: str, word: str, number: str = "1") -> types.CompletionItem:
        kind = definition(family, word)
        assert kind is not None
        text = word if self._has_colon else self._with_arguments(word, kind)
        return self._item(
            word,
            _KINDS.Class,
            text,
            detail=slots.singular(family),
            data={"family": family, "word": word},
            sort_text=f"{number}{word}",
        )

    def _with_arguments(self, word: str, kind: type[Section]) -> str:
        """The word with gaps for what it needs; in a mapping a word always has a colon."""
        needed = ["times", "layers"] if word == "repeat" else required(kind)
        if not needed:
            return f"{word}: " if self.place.role == "key" else word
        if "layers" in needed or "paths" in needed:
            return f"{word}: " if self._in_flow else f"{word}:"
        if not self.snippets:
            return f"{word}: "
        if needed == [slots.main_of(Slot("arguments", kind))]:
            return f"{word}: ${{1:{needed[0]}}}"
        gaps = ", ".join(f"{name}: ${{{number}}}" for number, name in enumerate(needed, start=1))
        return f"{word}: {{{gaps}}}"

    # what is offered

    def _keys(self, slot: Slot, given: frozenset[str]) -> Iterator[types.CompletionItem]:
        if slot.kind == "item":
            if not given - ITEM_KEYS.keys():
                yield from self._layers()
        elif slot.kind == "block_use":
            yield from self._block_params(slot.name, given)
            return
        elif slot.kind == "defaults":
            yield from (self._plain(word, "layer") for word in sorted(index("layers")) if word not in given)
            return
        elif slots.family_of(slot) is not None:
            if not given:
                yield from self._words(slots.family_of(slot) or "")
            return
        for number, known in enumerate(keys_of(slot)):
            if known.name not in given and not (slot.kind == "edit" and known.name != "at" and given - {"at"}):
                below = slot_of(self.document, (*self.place.path, known.name))
                yield self._key(known, number, below)

    def _plain(self, word: str, detail: str) -> types.CompletionItem:
        text = word if self._has_colon or self.place.role != "key" else f"{word}: "
        return self._item(word, _KINDS.Value, text, detail=detail)

    def _layers(self) -> Iterator[types.CompletionItem]:
        for name, block in self.blocks.items():
            yield self._block(name, block)
        yield from self._words("layers")

    def _words(self, family: str) -> Iterator[types.CompletionItem]:
        yield from (self._word(family, word) for word in sorted(index(family)))

    def _block(self, name: str, block: Part | None) -> types.CompletionItem:
        params = self._params_of(name)
        needed = [param for param, default in params.items() if default.startswith("required")]
        text = f"{name}: " if self.place.role == "key" else name
        if self._has_colon:
            text = name
        elif needed and self.snippets:
            gaps = ", ".join(f"{param}: ${{{number}}}" for number, param in enumerate(needed, start=1))
            text = f"{name}: {{{gaps}}}"
        elif needed:
            text = f"{name}: "
        shown = ", ".join(f"{param}: {default}" for param, default in params.items())
        detail = f"block {{{shown}}}" if shown else "block"
        return self._item(name, _KINDS.Module, text, detail=detail, sort_text=f"0{name}")

    def _params_of(self, name: str) -> dict[str, str]:
        """The params of a block with their defaults as written."""
        block = self.blocks.get(name)
        if block is not None:
            params = None if block.value is None else block.value.get("params")
            entries = params.entries() if params is not None and params.kind == "mapping" else ()
            return {entry.text: told(entry.value) for entry in entries if entry.colon}
        good = self.document.good
        expanded = None if good is None else good.analysis.expanded
        known = None if expanded is None else expanded.blocks.get(name)
        if known is None:
            return {}
        return {param.name: "required" if param.required else "" for param in known.params.values()}

    def _block_params(self, name: str, given: frozenset[str]) -> Iterator[types.CompletionItem]:
        for number, (param, default) in enumerate(self._params_of(name).items()):
            if param not in given:
                text = param if self._has_colon else f"{param}: "
                order = f"{0 if default.startswith('required') else 1}{number:03}"
                yield self._item(param, _KINDS.Property, text, detail=default or f"param of {name}", sort_text=order)

    def _values(self, slot: Slot) -> Iterator[types.CompletionItem]:
        family = slots.family_of(slot)
        if slot.kind == "item":
            yield from self._layers()
            if self.place.part is None or self.place.own_line is False:
                yield from (self._key(known, n, None) for n, known in enumerate(keys_of(slot)))
        elif family is not None:
            yield from self._words(family)
        elif slot.kind == "key" and slot.name in ("extends", "include"):
            yield from self._files()
        elif slot.kind == "key" and slot.name in ("from", "shared", "at"):
            yield from (self._plain(name, "address") for name in self._addresses(slot.name))
        yield from (self._plain(word, "value") for word in slots.words_of(slot))
        if self._is_pretrained():
            yield from (self._plain(name, "network of the zoo") for name in networks())
        if self.place.role == "value" and self.place.own_line and not self._in_flow:
            yield from self._keys(slot, frozenset()) if family is None and slot.kind != "item" else ()

    def _is_pretrained(self) -> bool:
        path = self.place.path
        return path[-1:] == ("pretrained",) or path[-2:] == ("pretrained", "model")

    def _names(self, expression: re.Match[str]) -> Iterator[types.CompletionItem]:
        """What an expression may name; only the name under the cursor is replaced."""
        typed = expression.group(1) or expression.group(2) or ""
        self.range = self._range(At(self.at.line, self.at.column - len(typed)), self.at)
        self.lead = ""
        for name in names_at(self.document, self.place.part or self.place.holder).values():
            yield self._item(name.name, _KINDS.Variable, name.name, detail=f"{name.label}: {name.written}")
        if "(" in expression.group():
            for name_ in _FUNCTIONS:
                yield self._item(name_, _KINDS.Function, name_, detail="function", sort_text=f"~{name_}")

    def _addresses(self, key: str) -> Iterator[str]:
        """Earlier items of the list, all items that an edit reaches, or the names that share weights."""
        if key == "shared":
            parts = (part for part in self.document.tree.walk() if part.kind == "entry" and part.text == "shared")
            yield from sorted({told(part.value) for part in parts if part.value is not self.place.part} - {""})
            return
        if key == "at":
            yield from islice(dict.fromkeys(edited_addresses(self.document)), MAX_ADDRESSES)
            return
        if key == "from":
            yield from ("previous", "input")
        yield from segments_before(self.document, self.place.part or self.place.holder)

    def _files(self) -> Iterator[types.CompletionItem]:
        above, _, typed = self.place.prefix.rpartition("/")
        folder = self.document.path.parent / above
        found = sorted(spec_files(folder, self.document.path))
        if above == ZOO or (not above and ZOO.startswith(typed)):
            found += [f"{'' if above else ZOO + '/'}{name}.yaml" for name in networks()]
        for name in dict.fromkeys(found):
            kind = _KINDS.Folder if name.endswith("/") else _KINDS.File
            whole = f"{above}/{name}" if above else name
            yield self._item(whole, kind, whole)


def _is_nested(slot: Slot) -> bool:
    """Whether the value of a key stands on lines of its own: a section, layers, definitions."""
    nested = ("params", "blocks", "defaults", "edits", "items", "block_use")
    return slot.kind in nested or slots.section_of(slot) is not None or slots.holds_items(slot)
