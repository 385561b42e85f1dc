"""What a class's annotations say about its fields: which hold words of a family, sections, or layers.

optimizer: Optimizer                  ->    Held("word", Optimizer, 0)
augment: tuple[Augmentation, ...]     ->    Held("word", Augmentation, 1)
iterations: tuple[Items, ...]         ->    Held("items", None, 2)
"""

from collections.abc import Iterator
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from specforge.catalog.definition import Definition, Item, Section
from specforge.catalog.discovery import definition
from specforge.expand.blocks import Signature


class Held(NamedTuple):
    """What a field holds that must be bound before Pydantic sees it; `levels` counts the lists around it."""

    kind: Literal["word", "section", "items"]
    type: type[Section] | None
    levels: int


def held(annotation: Any) -> tuple[Held, ...]:
    """The bindable arms of a field's annotation."""
    return _held(annotation)


@cache
def _held(annotation: Any) -> tuple[Held, ...]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return held(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return tuple(arm for part in get_args(annotation) if part is not NoneType for arm in held(part))
    if origin is tuple:
        return tuple(arm._replace(levels=arm.levels + 1) for arm in held(get_args(annotation)[0]))
    if annotation is Item:
        return (Held("items", None, 0),)
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return (Held("word" if issubclass(annotation, Definition) else "section", annotation, 0),)
    return ()


def choice_paths(section: type[Section], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths below a section that hold one word with arguments: `("train", "optimizer")`."""
    for name, field in section.model_fields.items():
        for arm in held(field.annotation):
            if arm.kind == "word" and not arm.levels:
                yield (*path, name)
            elif arm.kind == "section" and arm.type is not None and not arm.levels:
                yield from choice_paths(arm.type, (*path, name))


@cache
def signature(word: str) -> Signature | None:
    """What expansion must know of a layer, None when the catalogue has no such word."""
    found = definition("layers", word)
    if found is None:
        return None
    items = [
        (name, arm)
        for name, field in found.model_fields.items()
        for arm in held(field.annotation)
        if arm.kind == "items"
    ]
    layers = frozenset(name for name, arm in items if arm.levels == 1)
    lists = frozenset(name for name, arm in items if arm.levels == 2)
    return Signature(frozenset(found.model_fields), layers, lists)
