"""Nodes -> frozen Pydantic objects, every mistake located."""

from collections.abc import Hashable
from collections.abc import Mapping as Names
from typing import Any, TypeVar

from specforge.binding import unknown, wording
from specforge.binding.annotations import Field, Held, fields_of
from specforge.binding.sameness import values_of
from specforge.binding.validation import WRONG_VALUE, Written, is_short, validated
from specforge.catalog.definition import Composite, Definition, Initializer, Item, Layer, Section
from specforge.catalog.discovery import definition, index
from specforge.diagnostics import Findings, Span, define
from specforge.expand.words import ITEM_KEYS
from specforge.source import Entry, Mapping, Node, Scalar, Sequence

UNKNOWN_KEY = define(
    "SF301",
    "unknown-key",
    """
A key or argument that does not exist here. Nothing in a spec is ignored, so a misspelt key can't silently do nothing.
`specforge explain WORD` lists the arguments of a layer, optimizer or data set.""",
)
MISSING_KEY = define("SF302", "missing-key", "A key or argument that has no default was not given.")
UNKNOWN_WORD = define(
    "SF304",
    "unknown-word",
    """
No layer, block, optimizer, data set or other word of this name. `specforge list` shows all of them. Layer names are
the field's terms without a dimension: `conv`, `batch_norm`, `max_pool`, `linear`. Blocks are defined in `blocks:`.""",
)
BAD_CHOICE = define(
    "SF305",
    "bad-choice",
    """
A choice is one word, written `adam`, `adam: 1e-3` (its main argument) or `adam: {lr: 1e-3}` (named arguments).""",
)

_SectionT = TypeVar("_SectionT", bound=Section)
_NOTHING: Names[str, Any] = {}  # shared by the items that give no arguments: most of a large network's
_FROM = "write `from: stem`, or `from: [previous, stem]` for a layer that reads several"


class _BrokenType:
    """Stands for a value that has been reported."""


_BROKEN = _BrokenType()


def plain(node: Node) -> Any:
    """The tree as plain values, lists as tuples."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return tuple([plain(item) for item in node.items])
    return {key: plain(entry.value) for key, entry in node.entries.items()}


def _is_broken(node: Node) -> bool:
    if isinstance(node, Scalar):
        return node.broken
    below = node.items if isinstance(node, Sequence) else [entry.value for entry in node.entries.values()]
    return any(_is_broken(item) for item in below)


def _is_rest(key: str) -> bool:
    return key.count(")") > key.count("(")


def _is_cut(node: Node) -> bool:
    """Whether a comma of YAML's may have ended a text in round brackets: an expression, or a tuple of Python's."""
    return isinstance(node, Scalar) and (node.broken or (node.plain and node.text.count("(") > node.text.count(")")))


class Binder:
    """Binds one spec's nodes.

    `blocks` are names that may stand for layers, `defaults` arguments by layer word, `expanded` the keys of sections
    that expansion takes out (a misspelt one is told its name). A `partial` tree may lack required keys.
    """

    def __init__(
        self,
        findings: Findings,
        *,
        blocks: Names[str, object] | None = None,
        defaults: Names[str, Mapping] | None = None,
        expanded: Names[type[Section], tuple[str, ...]] | None = None,
        partial: bool = False,
    ):
        self.findings, self.partial = findings, partial
        self.blocks, self.defaults, self.expanded = blocks or {}, defaults or {}, expanded or {}
        self.layers: dict[tuple[str, Hashable, Hashable], Layer] = {}  # by word, arguments and defaults

    def section(self, node: Node, kind: type[_SectionT], place: str, key: Span | None = None) -> _SectionT | None:
        """A mapping with fixed keys; `place` names it in messages, `key` is where its name stands."""
        if not isinstance(node, Mapping):
            self.wrong(node, f"{place} is a mapping of keys", wording.section_hint(kind, node))
            return None
        return self.model(key or node.span, node.entries, kind, place)

    def word(self, node: Node, family: type[Definition]) -> Definition | None:
        """A word of a family in any of its three ways to be written."""
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return self.definition(family.family, node.value, node.span, Scalar(node.span, None, ""))
        if isinstance(node, Mapping) and len(node.entries) == 1:
            word, entry = next(iter(node.entries.items()))
            return self.definition(family.family, word, entry.key, entry.value)
        if not (isinstance(node, Scalar) and node.broken):
            self.report_no_word(node, family.family)
        return None

    def report_no_word(self, node: Node, family: str) -> None:
        """Several keys where one word belongs, or none."""
        words = list(index(family))
        what = wording.singular(family)
        hint = f"write one of {', '.join(f'`{word}`' for word in words[:12])}, with its arguments in `{{…}}`"
        if not isinstance(node, Mapping) or not node.entries:
            message = f"expected a word for the {what}, found {wording.found(node)}"
            self.findings.add(BAD_CHOICE, node.span, message, hint)
            return
        keys = [key for key in node.entries if key in words]
        second = [*keys, *node.entries][1]
        values = [plain(entry.value) for entry in node.entries.values()]
        named = [value for value in values if isinstance(value, str) and value in words]
        message = f"expected one word for the {what}, found {len(node.entries)} keys"
        if len(keys) == 1:
            second = next(key for key in node.entries if key not in keys)
            hint = f"arguments go inside: `{keys[0]}: {{{second}: …}}`"
        elif len(keys) > 1:
            message, hint = f"expected one {what}, found {len(keys)}: {wording.listed(keys, 'and')}", "keep one of them"
        elif named:
            hint = f"the word is the key: `{named[0]}: {{…}}`"
        self.findings.add(BAD_CHOICE, node.entries[second].key if keys else node.span, message, hint)

    def definition(self, family: str, word: str, key: Span, arguments: Node) -> Definition | None:
        found = definition(family, word)
        if found is None:
            self.unknown_word(family, word, key)
            return None
        entries = self.named(found, word, arguments)
        if entries is None:
            return None
        defaults = self.defaults.get(word) if family == "layers" else None
        if defaults is not None:
            entries = {**defaults.entries, **entries}
        if issubclass(found, Composite) and found.has_own_defaults:
            outer, self.defaults = self.defaults, {}
            bound = self.model(key, entries, found, f"`{word}`")
            self.defaults = outer
            return bound
        return self.model(key, entries, found, f"`{word}`")

    def unknown_word(self, family: str, word: str, key: Span) -> None:
        known = {*index(family), *(self.blocks if family == "layers" else ())}
        message = f"unknown {wording.singular(family)} `{word}`"
        self.findings.add(UNKNOWN_WORD, key, message, unknown.word_hint(family, word, known))

    def named(self, found: type[Definition], word: str, node: Node) -> dict[str, Entry] | None:
        """The arguments by name; a bare value is the main one."""
        if isinstance(node, Mapping):
            return node.entries
        if isinstance(node, Scalar) and node.value is None and not node.broken:
            return {}
        if found.main is None:
            self.wrong(node, *wording.named_only(found, word, node))
            return None
        return {found.main: Entry(node.span, node)}

    def items(self, node: Node, place: str) -> tuple[Item, ...] | None:
        """A list of layers; every broken item is reported, None if there was one."""
        if not isinstance(node, Sequence):
            self.wrong(node, f"{place} must be a list of layers", wording.value_hint(node, "a list of layers"))
            return None
        items = [self.item(item) for item in node.items]
        sound = tuple([item for item in items if item is not None])
        return sound if len(sound) == len(items) else None

    def item(self, node: Node) -> Item | None:
        """An expanded item: `id`, one layer, and item keys."""
        assert isinstance(node, Mapping)
        word, entry = next((key, entry) for key, entry in node.entries.items() if key not in ITEM_KEYS)
        layer = self.layer(word, entry)
        spans = _NOTHING
        if isinstance(entry.value, Mapping):
            spans = {key: argument.value.span for key, argument in entry.value.entries.items()}
        if len(node.entries) == 2 and layer is not None:  # its path and itself: most items of a network
            return Item(plain(node.entries["id"].value), word, layer, entry.key, spans, _NOTHING)
        init, trainable, reads, shared = map(node.get, ("init", "trainable", "from", "shared"))
        initializers = self.initializers(init)
        if trainable is not None and not _is_broken(trainable) and not isinstance(plain(trainable), bool):
            hint = wording.value_hint(trainable, "true or false")
            self.wrong(trainable, "`trainable` must be true or false", hint)
        if layer is None:
            return None
        beside = {key: value.span for key, value in (("from", reads), ("shared", shared)) if value is not None}
        if isinstance(init, Mapping):
            beside |= {f"init.{name}": given.key for name, given in init.entries.items()}
        return Item(
            id=plain(node.entries["id"].value),
            kind=word,
            layer=layer,
            span=entry.key,
            argument_spans={**spans, **beside},
            initializers=initializers,
            trainable=trainable is None or plain(trainable) is not False,
            reads=self.addresses(reads),
            shared=self.shared_name(shared),
        )

    def layer(self, word: str, entry: Entry) -> Layer | None:
        """The layer of an item, validated once for all items with the same arguments."""
        defaults = self.defaults.get(word)
        written = (values_of(entry.value), () if defaults is None else values_of(defaults))
        layer = self.layers.get((word, *written))
        if layer is None:
            bound = self.definition("layers", word, entry.key, entry.value)
            layer = bound if isinstance(bound, Layer) else None
            if layer is not None and None not in written:
                self.layers[word, *written] = layer
        return layer

    def addresses(self, node: Node | None) -> tuple[str, ...]:
        """What an item reads: one address or a list of them."""
        if node is None or _is_broken(node):
            return ()
        listed = node.items if isinstance(node, Sequence) else (node,)
        texts = [
            item.value if isinstance(item, Scalar) and not isinstance(item.value, bool) else None for item in listed
        ]
        for item, text in zip(listed, texts, strict=True):
            if not isinstance(text, str):
                self.wrong(item, "`from` is the address of an earlier item, or a list of them", _FROM)
        if not listed:
            self.wrong(node, "`from` names at least one earlier item", _FROM)
        return tuple(text for text in texts if isinstance(text, str))

    def shared_name(self, node: Node | None) -> str | None:
        if node is None or _is_broken(node):
            return None
        name = node.value if isinstance(node, Scalar) else None
        if not isinstance(name, str) or not name:
            self.wrong(node, "`shared` is a name for the weights", "give the same name to every item that shares them")
            return None
        return name

    def initializers(self, node: Node | None) -> dict[str, Initializer]:
        if node is None or _is_broken(node):
            return {}
        if not isinstance(node, Mapping):
            self.wrong(node, "`init` maps parameters to initializers", "`init: {weight: xavier_uniform, bias: zeros}`")
            return {}
        bound = {name: self.word(entry.value, Initializer) for name, entry in node.entries.items()}
        return {name: value for name, value in bound.items() if isinstance(value, Initializer)}

    def model(self, at: Span, entries: Names[str, Entry], kind: type[_SectionT], place: str) -> _SectionT | None:
        """Bind the fields that hold words, sections or layers, then let the class validate all of them."""
        values: dict[str, Any] = {}
        meant: set[str | None] = set()
        fields = fields_of(kind)
        for key, entry in entries.items():
            found = fields.get(key)
            if found is not None:
                values[key] = self.value(entry.value, found, f"`{key}`", entry.key)
            elif not (_is_rest(key) and any(_is_cut(given.value) for given in entries.values())):
                hint, close = unknown.key_hint(key, kind, self.expanded.get(kind, ()), entries)
                self.findings.add(UNKNOWN_KEY, entry.key, f"{place} has no `{key}`", hint)
                meant.add(close)
        missing = [name for name, field in fields.items() if field.required and name not in values]
        untold = [name for name in missing if name not in meant]
        if untold and not self.partial:
            self.report_missing(at, entries, kind, place, untold)
        good = {key: value for key, value in values.items() if value is not _BROKEN}
        broken = bool(missing) or len(good) < len(entries)
        return validated(Written(at, entries, kind, place), good, broken, self.findings)

    def report_missing(
        self, at: Span, entries: Names[str, Entry], kind: type[Section], place: str, missing: list[str]
    ) -> None:
        given = {
            key: entry.value.text if is_short(entry) and isinstance(entry.value, Scalar) else None
            for key, entry in entries.items()
        }
        names = wording.listed([f"`{name}`" for name in missing], "and")
        hint = wording.missing_hint(kind, place.strip("`"), missing, given)
        self.findings.add(MISSING_KEY, at, f"{place} needs {names}", hint)

    def value(self, node: Node, field: Field, place: str, key: Span) -> Any:
        """One field's value, with words, sections and layers bound; `_BROKEN` after a finding."""
        if isinstance(node, Scalar) and (not field.arms or (node.value is None and field.optional and not node.broken)):
            return _BROKEN if node.broken else node.value
        for arm in field.arms:
            if arm.by_name:
                if isinstance(node, Mapping):
                    return self.by_name(node, arm, place)
                continue
            if arm.levels and not isinstance(node, Sequence):
                continue
            if arm.kind == "section" and not arm.levels and not isinstance(node, Mapping):
                continue
            bound = self.arm(node, arm, place, key)
            return _BROKEN if bound is None or (arm.levels and None in bound) else bound
        return _BROKEN if _is_broken(node) else plain(node)

    def by_name(self, node: Mapping, arm: Held, place: str) -> Any:
        """One bound value for each key."""
        each = arm._replace(by_name=False)
        bound = {name: self.arm(entry.value, each, place, entry.key) for name, entry in node.entries.items()}
        return _BROKEN if None in bound.values() else bound

    def arm(self, node: Node, arm: Held, place: str, key: Span | None = None) -> Any:
        if arm.kind == "items" and arm.levels <= 1:
            return self.items(node, place)
        if arm.levels:
            if not isinstance(node, Sequence):
                self.wrong(node, f"{place} must be a list of lists", wording.value_hint(node, "a list"))
                return None
            inside = arm._replace(levels=arm.levels - 1)
            entry = wording.entry_of(place) if arm.kind == "section" else place
            return tuple([self.arm(item, inside, entry) for item in node.items])
        assert arm.type is not None
        if arm.kind == "section":
            return self.section(node, arm.type, place, key)
        assert issubclass(arm.type, Definition)
        return self.word(node, arm.type)

    def wrong(self, node: Node, expected: str, hint: str | None = None) -> None:
        if not (isinstance(node, Scalar) and node.broken):
            self.findings.add(WRONG_VALUE, node.span, f"{expected}, found {wording.found(node)}", hint)
