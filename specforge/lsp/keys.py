"""A slot -> the keys that a mapping there may have, with what `explain` says about each."""

from specforge.analysis import EXPANDED_KEYS
from specforge.catalog.definition import Definition, Section
from specforge.catalog.discovery import word_for
from specforge.expand.edit import OPERATIONS
from specforge.expand.words import ITEM_KEYS
from specforge.lsp.slots import Slot, is_repeat, section_of
from specforge.reference.documentation import argument_text, default_of
from specforge.reference.keys import EDIT_KEYS, FILLED_IN, REPEAT_KEYS, SECTION_KEYS, Key
from specforge.reference.keys import ITEM_KEYS as ITEM_TEXTS
from specforge.reference.topics import Argument
from specforge.reference.wording import type_words
from specforge.spec import Model


def keys_of(slot: Slot) -> list[Argument]:
    """The keys that a mapping here may have, with what is said about them; not the words of a choice."""
    if slot.kind == "edit":
        return [_told(name, EDIT_KEYS[name]) for name in ("at", *OPERATIONS)]
    if slot.kind == "item":
        return [_told(name, ITEM_TEXTS[name]) for name in ITEM_KEYS]
    if slot.kind == "block":
        return [
            Argument("params", "mapping of names to values", "{}", text="The block's arguments with their defaults."),
            Argument("layers", "list of layers", None, text="What the block is made of."),
        ]
    kind = slot.of if slot.kind == "arguments" else section_of(slot)
    if kind is None:
        return []
    if is_repeat(kind):
        return [_told(name, key) for name, key in REPEAT_KEYS.items()]
    prefix = "model." if kind is Model else ""
    extra = [_told(name, SECTION_KEYS[prefix + name]) for name in EXPANDED_KEYS.get(kind, ())]
    return [*(argument(kind, name) for name in kind.model_fields), *extra]


def argument(kind: type[Section], name: str) -> Argument:
    """What is said about a field, as `explain` says it."""
    field = kind.model_fields[name]
    filled = FILLED_IN.get(word_for(kind), ()) if issubclass(kind, Definition) else ()
    return Argument(
        name=name,
        type=type_words(field.annotation, tuple(field.metadata)),
        default="none" if name in filled else default_of(field),
        main=issubclass(kind, Definition) and kind.main == name,
        text=argument_text(kind, name),
    )


def _told(name: str, key: Key) -> Argument:
    return Argument(name, key.type, key.default, text=key.text)
