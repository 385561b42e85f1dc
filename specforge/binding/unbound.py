"""Checks of what can't be bound, since its values are not known: `model.defaults` and blocks that are used nowhere.

blocks: {unit: {params: {channels: required}, layers: [{conv: {chanels: $channels}}]}}    no `chanels` in `conv`
"""

from specforge.binding import unknown
from specforge.binding.annotations import signature
from specforge.binding.binder import UNKNOWN_KEY, Binder
from specforge.catalog.discovery import definition
from specforge.expand.repeat import as_written
from specforge.expand.words import ITEM_KEYS
from specforge.source import Entry, Mapping, Node, Scalar, Sequence

_written = as_written(signature)


def check_arguments(binder: Binder, word: str, arguments: Mapping) -> None:
    """The names of a layer's arguments alone."""
    found, known = definition("layers", word), _written(word)
    if found is None or known is None:
        binder.unknown_word("layers", word, arguments.span)
        return
    for key, entry in arguments.entries.items():
        if key not in known.arguments:
            hint, _ = unknown.key_hint(key, found)
            binder.findings.add(UNKNOWN_KEY, entry.key, f"`{word}` has no `{key}`", hint)


def check_names(binder: Binder, layers: Node) -> None:
    """Layers and the names of their arguments in a list of items as written, at any depth."""
    for item in layers.items if isinstance(layers, Sequence) else ():
        if isinstance(item, Scalar) and isinstance(item.value, str) and "$" not in item.text:
            if item.value not in binder.blocks and definition("layers", item.value) is None:
                binder.unknown_word("layers", item.value, item.span)
        elif isinstance(item, Mapping):
            for word, entry in item.without(*ITEM_KEYS).entries.items():
                if word not in binder.blocks and "$" not in word:
                    _check_use(binder, word, entry)


def _check_use(binder: Binder, word: str, entry: Entry) -> None:
    known = _written(word)
    arguments = None if known is None else known.named(entry.value)
    check_arguments(binder, word, Mapping(entry.key, {} if arguments is None else arguments.entries))
    if known is not None and arguments is not None:
        for _, _, layers in known.inside(arguments):
            check_names(binder, layers)
