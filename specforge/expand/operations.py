"""What one edit does to the item that it finds: an item -> the items in its place.

set: {kernel_size: 5}                            conv: {kernel_size: 3, stride: 2} -> conv: {kernel_size: 5, stride: 2}
wrap: {residual: {shortcut: projection}}         relu -> residual: {shortcut: projection, layers: [relu]}
"""

from collections.abc import Callable
from typing import NamedTuple

from specforge.diagnostics import Span
from specforge.expand.words import ITEM_KEYS, Signatures, is_null, layer_of, named
from specforge.source import Entry, Mapping, Node, Scalar, Sequence

OPERATIONS = ("replace", "set", "insert_before", "insert_after", "remove", "wrap")

# What stands for one item after an edit.
Change = Callable[[Node], list[Node]]
# The params of a block, by its name; None for what is no block.
Blocks = Callable[[str], dict[str, Entry] | None]


class Problem(Exception):
    """Why an edit can't be done: where, what, and what to write instead."""

    def __init__(self, span: Span, message: str, hint: str | None):
        super().__init__(message)
        self.span, self.message, self.hint = span, message, hint


class Operation(NamedTuple):
    """`word: value` of an edit at an address."""

    at: Scalar
    word: str
    value: Node

    @property
    def steps(self) -> tuple[str, ...]:
        return tuple(str(self.at.value).split("."))


def change(operation: Operation, signature: Signatures, blocks: Blocks) -> Change:
    """The change that an edit asks for; a mistake in the edit itself is told before anything is looked for."""
    word, value = operation.word, operation.value
    if word == "remove":
        if not (isinstance(value, Scalar) and value.value is True):
            raise Problem(value.span, "`remove` takes `true`", "write `remove: true`, or leave the edit out")
        return lambda item: []
    if word == "set":
        if not isinstance(value, Mapping) or not value.entries:
            raise Problem(value.span, "`set` maps arguments to values", "write `set: {kernel_size: 5}`")
        return lambda item: [_set(item, value, operation.at, signature, blocks)]
    if word == "wrap":
        return _wrapping(value, signature, blocks)
    items = value.items if isinstance(value, Sequence) else (value,)
    if is_null(value) or not items:
        raise Problem(value.span, f"`{word}` takes a layer or a list of layers", f"write it as in `{word}: relu`")
    before, after = {"replace": ((), ()), "insert_before": (items, ()), "insert_after": ((), items)}[word]
    return lambda item: list(items) if word == "replace" else [*before, item, *after]


def _named(word: str, node: Node, signature: Signatures, params: dict[str, Entry] | None) -> Mapping | None:
    """The arguments of a layer or of a block with these params, by name."""
    known = signature(word)
    if params is not None:
        return named(node, next(iter(params), None))
    return named(node, None) if known is None else known.named(node)


def _set(item: Node, values: Mapping, at: Scalar, signature: Signatures, blocks: Blocks) -> Node:
    """The item with arguments and item keys laid over its own; `null` removes one that is there."""
    found = layer_of(item)
    assert found is not None
    word, entry = found
    keys = {key: value for key, value in values.entries.items() if key in ITEM_KEYS}
    others = {key: value for key, value in values.entries.items() if key not in ITEM_KEYS}
    beside = {key: value for key, value in item.entries.items() if key != word} if isinstance(item, Mapping) else {}
    if "init" in keys and "init" in beside:  # by parameter: to initialise the bias says nothing about the weight
        keys["init"] = _merged(beside["init"], keys["init"])
    if others:
        arguments = _named(word, entry.value, signature, blocks(word))
        if arguments is None:
            written = entry.value.text if isinstance(entry.value, Scalar) else "[…]"
            message = f"`{at.value}` is written `{word}: {written}`, without names of arguments"
            raise Problem(at.span, message, "use `replace`, or change the param that holds its arguments")
        entry = Entry(entry.key, arguments._replace(entries=_over(arguments.entries, others)))
    return Mapping(item.span, {**_over(beside, keys), word: entry})


def _wrapping(value: Node, signature: Signatures, blocks: Blocks) -> Change:
    """Puts an item into a composite, or a block with a param `layers`, as its only layer."""
    found = layer_of(value)
    if found is None:
        raise Problem(value.span, "`wrap` takes one layer", "write `wrap: {residual: {shortcut: projection}}`")
    word, entry = found
    params, known = blocks(word), signature(word)
    if "layers" not in (params if params is not None else known.layers if known is not None else ()):
        hint = "wrap with `sequential`, `residual` or `repeat`" if params is None else "give the block a param `layers`"
        raise Problem(entry.key, f"`{word}` has no `layers` to put the item in", hint)
    arguments = _named(word, entry.value, signature, params)
    if arguments is None:
        raise Problem(entry.value.span, f"`{word}` takes named arguments here", f"write `wrap: {{{word}: {{…}}}}`")
    if "layers" in arguments.entries:
        raise Problem(arguments.entries["layers"].key, "the item becomes the `layers` of what wraps it", "remove them")

    def wrapped(item: Node) -> list[Node]:
        inside = Entry(entry.key, Sequence(item.span, (item,)))
        return [with_arguments(value, word, entry, arguments.with_entry("layers", inside))]

    return wrapped


def with_arguments(item: Node, word: str, entry: Entry, arguments: Mapping) -> Mapping:
    """The item with other arguments of its layer, which `entry` held."""
    beside = item.entries if isinstance(item, Mapping) else {}
    return Mapping(item.span, {**beside, word: Entry(entry.key, arguments)})


def _over(entries: dict[str, Entry], given: dict[str, Entry]) -> dict[str, Entry]:
    """Entries laid over others; `null` removes what is there."""
    removed = {key for key, entry in given.items() if key in entries and is_null(entry.value)}
    return {key: entry for key, entry in {**entries, **given}.items() if key not in removed}


def _merged(old: Entry, new: Entry) -> Entry:
    if not isinstance(old.value, Mapping) or not isinstance(new.value, Mapping):
        return new
    return Entry(new.key, Mapping(new.value.span, _over(old.value.entries, new.value.entries)))
