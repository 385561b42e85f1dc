"""What a class's annotations say about its fields: which hold words of a family, sections, or layers.

optimizer: Optimizer                  ->    Held("word", Optimizer, 0)
augment: tuple[Augmentation, ...]     ->    Held("word", Augmentation, 1)
iterations: tuple[Items, ...]         ->    Held("items", None, 2)
space: dict[str, Distribution]        ->    Held("word", Distribution, 0, by_name=True)
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from specforge.catalog.definition import Definition, Item, Section
from specforge.catalog.discovery import definition
from specforge.expand.words import Signature

ANY_KEY = "<key>"


class Held(NamedTuple):
    """What a field holds that must be bound before Pydantic sees it; `levels` counts the lists around it.

    Of what stands `by_name` there is one for each key of a mapping.
    """

    kind: Literal["word", "section", "items"]
    type: type[Section] | None
    levels: int
    by_name: bool = False


class Field(NamedTuple):
    """A field of a class: what it holds, whether it may be null, and whether it must be given."""

    arms: tuple[Held, ...]
    optional: bool
    required: bool


@cache
def fields_of(kind: type[Section]) -> dict[str, Field]:
    """The fields of a class by name: read once, since every layer of a network asks for them."""
    return {
        name: Field(held(field.annotation), NoneType in get_args(field.annotation), field.is_required())
        for name, field in kind.model_fields.items()
    }


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
    if origin is dict:
        return tuple(arm._replace(by_name=True) for arm in held(get_args(annotation)[1]))
    if annotation is Item:
        return (Held("items", None, 0),)
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return (Held("word" if issubclass(annotation, Definition) else "section", annotation, 0),)
    return ()


def choice_families(section: type[Section], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Paths below a section that hold one word with arguments, with its family: `("train", "optimizer")`.

    `*` stands for the number of an entry in a list, as in `("data", "augment", "*")`, and `ANY_KEY` for the key of a
    mapping: `("search", "space", ANY_KEY)`.
    """
    for name, field in section.model_fields.items():
        for arm in held(field.annotation):
            below = (*path, name, *("*",) * arm.levels, *(ANY_KEY,) * arm.by_name)
            if arm.kind == "word" and arm.type is not None and issubclass(arm.type, Definition):
                yield below, arm.type.family
            elif arm.kind == "section" and arm.type is not None:
                yield from choice_families(arm.type, below)


def choice_paths(section: type[Section]) -> Iterator[tuple[str, ...]]:
    """The paths of `choice_families` alone."""
    return (path for path, _ in choice_families(section))


class ChoicePaths(Mapping[tuple[str, ...], Callable[[str], str | None]]):
    """What tells a word's main argument, by the paths of `choice_families` and by those below words.

    The schedule inside another is at `("train", "schedule", "warmup", "schedule")`. It is found by asking for it, not
    by going through all: only words that a spec uses are imported.
    """

    def __init__(self, section: type[Section]):
        self._families = dict(choice_families(section))

    def __getitem__(self, path: tuple[str, ...]) -> Callable[[str], str | None]:
        family = self._family(path)
        if family is None:
            raise KeyError(path)
        return partial(main_argument, family)

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        return iter(self._families)

    def __len__(self) -> int:
        return len(self._families)

    def _family(self, path: tuple[str, ...]) -> str | None:
        if path in self._families or len(path) < 3:
            return self._families.get(path)
        if (*path[:-1], ANY_KEY) in self._families:
            return self._families[*path[:-1], ANY_KEY]
        *outer, word, name = path
        family = self._family(tuple(outer))
        found = None if family is None else definition(family, word)
        if found is None or name not in found.model_fields:
            return None
        arms = [arm for arm in held(found.model_fields[name].annotation) if arm.kind == "word" and not arm.levels]
        return next((arm.type.family for arm in arms if arm.type and issubclass(arm.type, Definition)), None)


def main_argument(family: str, word: str) -> str | None:
    """The argument of a word's short form; None where it has none, or is no word of the family."""
    found = definition(family, word)
    return None if found is None else found.main


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
    return Signature(frozenset(found.model_fields), layers, lists, found.main)
