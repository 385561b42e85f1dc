"""The path of a place -> what the language allows there, read from the classes of the catalogue and of `Spec`.

()                                   a section, with the keys of `Spec` and those that expansion takes out
model.layers.0                       an item: a word of the layers or a block's name, and the keys of an item
model.layers.0.conv                  the arguments of `conv`
model.layers.0.conv.padding          a field: a whole number, a list of them, or `same` or `valid`
train.optimizer                      a field that holds one word of the optimizers
"""

from collections.abc import Collection, Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from specforge.analysis import EXPANDED_KEYS
from specforge.binding import held
from specforge.binding.annotations import Held
from specforge.catalog.definition import Definition, Initializer, Item, Section
from specforge.catalog.discovery import FAMILIES, definition, word_for
from specforge.expand.words import ITEM_KEYS
from specforge.lsp.places import Path
from specforge.reference.keys import REPEAT_KEYS
from specforge.reference.wording import singular
from specforge.spec import Spec

__all__ = [
    "FAMILIES",
    "ITEM_KEYS",
    "Slot",
    "arms",
    "below",
    "family_of",
    "holds_items",
    "main_of",
    "section_of",
    "singular",
    "slot_at",
    "words_of",
]

Kind = Literal[
    "section",
    "field",
    "items",
    "item",
    "arguments",
    "block_use",
    "blocks",
    "block",
    "params",
    "defaults",
    "edits",
    "edit",
    "initializers",
    "key",
    "free",
]


class Slot(NamedTuple):
    """What may stand at a path.

    `of` is the class of a section or of a word's arguments; `annotation` what a field holds, in `levels` lists fewer
    than it says, and `by_name` if a key of its mapping has been passed. `name` is that of the block, or of the key.
    """

    kind: Kind
    of: type[Section] | None = None
    annotation: Any = None
    levels: int = 0
    by_name: bool = False
    name: str = ""


_IN_BLOCK: dict[str, "Slot"] = {"layers": Slot("items"), "params": Slot("params")}
_IN_EDIT: dict[str, "Slot"] = {"set": Slot("free"), "at": Slot("key", name="at")}
_EXPANDED: dict[str, "Slot"] = {
    "params": Slot("params"),
    "blocks": Slot("blocks"),
    "edit": Slot("edits"),
    "defaults": Slot("defaults"),
}
ROOT = Slot("section", Spec)
ITEM = Slot("item")
FREE = Slot("free")


def slot_at(path: Path, blocks: Collection[str], start: Slot = ROOT) -> Slot | None:
    """What may stand at a path below `start`, given the names of the blocks; None where nothing may."""
    slot: Slot | None = start
    for step in path:
        if slot is None:
            return None
        slot = below(slot, step, blocks)
    return slot


def below(slot: Slot, step: str | int, blocks: Collection[str]) -> Slot | None:
    """What may stand one step further."""
    if slot.kind == "free":
        return FREE
    if slot.kind == "field":
        return _in_field(slot, step)
    if isinstance(step, int):
        return _numbered(slot)
    return _named(slot, step, blocks)


def _named(slot: Slot, step: str, blocks: Collection[str]) -> Slot | None:
    """The value of a key."""
    match slot.kind:
        case "section":
            return _in_section(slot.of or Spec, step)
        case "arguments":
            return _in_arguments(slot, step)
        case "item":
            return _in_item(step, blocks)
        case "blocks":
            return Slot("block", name=step)
        case "block":
            return _IN_BLOCK.get(step)
        case "defaults":
            return _word("layers", step)
        case "initializers":
            return Slot("field", annotation=Initializer)
        case "edit":
            return _IN_EDIT.get(step) or ITEM
    return FREE if slot.kind in ("params", "block_use") else None


def _numbered(slot: Slot) -> Slot | None:
    """An entry of a list; layers may be given to a composite without the name of the argument."""
    if slot.kind in ("items", "item"):
        return ITEM
    if slot.kind == "edits":
        return Slot("edit")
    if slot.kind == "key":
        return slot
    main = main_of(slot)
    if slot.kind == "arguments" and slot.of is not None and main is not None:
        return _in_field(Slot("field", annotation=slot.of.model_fields[main].annotation, name=main), 0)
    return None


def main_of(slot: Slot) -> str | None:
    """The argument of a word's short form."""
    if slot.of is None or not issubclass(slot.of, Definition):
        return None
    return slot.of.main or ("layers" if "layers" in slot.of.model_fields else None)


def _in_section(kind: type[Section], key: str) -> Slot | None:
    if key in EXPANDED_KEYS.get(kind, ()):
        return _EXPANDED.get(key) or Slot("key", name=key)
    return _field(kind, key)


def _field(kind: type[Section], name: str) -> Slot | None:
    field = kind.model_fields.get(name)
    return None if field is None else Slot("field", of=kind, annotation=field.annotation, name=name)


def _in_arguments(slot: Slot, name: str) -> Slot | None:
    assert slot.of is not None
    if is_repeat(slot.of) and name in REPEAT_KEYS:
        return Slot("items") if name == "layers" else FREE
    return _field(slot.of, name)


def is_repeat(kind: type[Section] | None) -> bool:
    return kind is not None and issubclass(kind, Definition) and kind.family == "layers" and word_for(kind) == "repeat"


def _in_item(key: str, blocks: Collection[str]) -> Slot | None:
    if key == "init":
        return Slot("initializers")
    if key in ITEM_KEYS:
        return Slot("key", name=key)
    if key in blocks:
        return Slot("block_use", name=key)
    return _word("layers", key)


def _word(family: str, word: str) -> Slot | None:
    kind = definition(family, word)
    return None if kind is None else Slot("arguments", kind)


def _in_field(slot: Slot, step: str | int) -> Slot | None:
    """One level into what a field holds: a list's entry, a section's key, or the arguments of a word."""
    if isinstance(step, int):
        below = slot._replace(levels=slot.levels + 1)
        if any(arm.kind == "items" and arm.levels == below.levels for arm in held(slot.annotation)):
            return ITEM
        return below
    for arm in arms(slot):
        if arm.kind == "section" and arm.type is not None:
            return _in_section(arm.type, step)
        if arm.kind == "word" and arm.type is not None and issubclass(arm.type, Definition):
            return _word(arm.type.family, step)
    if any(arm.by_name for arm in held(slot.annotation)) and not slot.by_name:
        return slot._replace(by_name=True)
    return FREE if any(get_origin(kind) is dict for kind in _alternatives(slot.annotation)) else None


def arms(slot: Slot) -> Iterator[Held]:
    """The words, sections and items that a field may hold at this level."""
    for arm in held(slot.annotation):
        if arm.levels == slot.levels and arm.by_name == slot.by_name:
            yield arm


def family_of(slot: Slot) -> str | None:
    """The family of which a word may stand here."""
    if slot.kind != "field":
        return None
    kinds = (arm.type for arm in arms(slot) if arm.kind == "word")
    return next((kind.family for kind in kinds if kind is not None and issubclass(kind, Definition)), None)


def section_of(slot: Slot) -> type[Section] | None:
    """The section that may stand here."""
    if slot.kind == "section":
        return slot.of
    if slot.kind == "field":
        return next((arm.type for arm in arms(slot) if arm.kind == "section"), None)
    return None


def holds_items(slot: Slot) -> bool:
    return slot.kind == "items" or (slot.kind == "field" and Item in _alternatives(slot.annotation, slot.levels + 1))


def words_of(slot: Slot) -> list[str]:
    """The texts that may stand here by themselves: those of an enumeration, `true` and `false`."""
    if slot.kind == "key":
        return ["true", "false"] if slot.name in ("when", "trainable", "remove") else []
    if slot.kind == "arguments" and (main := main_of(slot)) is not None and slot.of is not None:
        return words_of(Slot("field", annotation=slot.of.model_fields[main].annotation))
    found: list[str] = []
    for kind in _alternatives(slot.annotation, slot.levels) if slot.kind == "field" else ():
        if get_origin(kind) is Literal:
            found += [str(word) for word in get_args(kind) if isinstance(word, str)]
        elif kind is bool:
            found += ["true", "false"]
    return list(dict.fromkeys(found))


def _alternatives(annotation: Any, levels: int = 0) -> Iterator[Any]:
    """The types that a field allows, inside so many lists."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _alternatives(arguments[0], levels)
    elif origin in (Union, UnionType):
        for part in arguments:
            if part is not NoneType:
                yield from _alternatives(part, levels)
    elif levels and origin is tuple:
        yield from _alternatives(arguments[0], levels - 1)
    elif not levels:
        yield annotation
