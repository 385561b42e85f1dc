"""Specs generated from the catalogue's classes: mostly right, so that what lies behind the checks is reached too."""

import types
from collections.abc import Callable
from random import Random
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from specforge.catalog.definition import Composite, Definition, Item, Layer, Merge, Section
from specforge.catalog.discovery import definition, index
from specforge.recipe import Train
from specforge.shapes import Misfit, Shape, elements
from specforge.spec import Data, Expect, Reported
from tests.fuzz.corpus import Tree

INPUTS: tuple[Shape, ...] = ((3, 32, 32), (1, 8, 8), (3, 8, 8, 8), (12,), (4, 20), (1, 28, 28), (3, 64, 64))
MAX_VALUES = 200_000
MAX_TRIES = 12


def generated(random: Random) -> Tree:
    """A spec with a network whose layers fit, as far as their own shape rules can tell, and some of the other keys."""
    shape = random.choice(INPUTS)
    tree: Tree = {"specforge": 1, "name": "generated", "params": {"w": 8, "d": 0.5, "body": ["relu"]}}
    layers, _ = _layers(random, shape, random.choice((1, 3, 6, 12, 30)), depth=0)
    tree["model"] = {"input": list(shape), "layers": layers}
    if random.random() < 0.2:
        tree["model"]["init"] = [{"select": {"kind": "conv"}, "initializer": _word(random, "initializers")}]
    for key, section in (("data", Data), ("train", Train), ("expect", Expect)):
        if random.random() < 0.3:
            tree[key] = _section(random, section)
    if random.random() < 0.1:
        tree["reported"] = [_section(random, Reported)]
    return tree


def _layers(random: Random, shape: Shape, count: int, depth: int) -> tuple[list[Any], Shape]:
    """Items one after another; the shape after those whose rule gives one."""
    items: list[Any] = []
    for _ in range(count):
        for _ in range(MAX_TRIES):
            found = _item(random, shape, depth)
            if found is not None:
                items.append(found[0])
                shape = found[1]
                break
    return items, shape


def _item(random: Random, shape: Shape, depth: int) -> tuple[Any, Shape] | None:
    """One layer that fits, with the shape after it; None where the draw does not fit."""
    word = random.choice(list(index("layers")))
    kind = definition("layers", word)
    assert kind is not None
    assert issubclass(kind, Layer)
    if issubclass(kind, Composite):
        if depth > 2 or random.random() < 0.5:
            return None
        return _with_keys(random, word, _composite(random, kind, shape, depth)), shape
    arguments = _arguments(random, kind)
    try:
        layer = kind.model_validate(_as_tuples(arguments))
        after = layer.merged_shape((shape, shape)) if isinstance(layer, Merge) else layer.output_shape(shape)
    except (ValidationError, Misfit, IndexError, ZeroDivisionError):
        return None
    if elements(after) > MAX_VALUES or min(after, default=1) < 1:
        return None
    item = _with_keys(random, word, _shortened(random, kind, arguments))
    if isinstance(layer, Merge):
        item = {
            **(item if isinstance(item, dict) else {word: None}),
            "from": ["previous", random.choice(("input", "previous"))],
        }
    return item, after


def _composite(random: Random, kind: type[Layer], shape: Shape, depth: int) -> Any:
    """Regions of layers that keep the shape, where some are to be found."""

    def region() -> list[Any]:
        kept = []
        for _ in range(random.randrange(0, 4)):
            found = _item(random, shape, depth + 1)
            if found is not None and (found[1] == shape or random.random() < 0.1):
                kept.append(found[0])
        return kept or ["relu"]

    return _arguments(random, kind, region)


def _with_keys(random: Random, word: str, arguments: Any) -> Any:
    item: Any = {word: arguments} if arguments not in (None, {}) or random.random() < 0.3 else word
    if random.random() < 0.15:
        item = item if isinstance(item, dict) else {word: None}
        key, value = random.choice(
            [("id", f"a{random.randrange(99)}"), ("when", True), ("when", "$(w > 3)"), ("trainable", False),
             ("shared", "s"), ("from", "previous"), ("from", "input"), ("init", {"weight": "zeros"})]
        )  # fmt: skip
        item = {key: value, **item}
    return item


def _shortened(random: Random, kind: type[Definition], arguments: Tree) -> Any:
    """The short form `dropout: 0.5` at times, where the main argument alone is given."""
    if kind.main is not None and list(arguments) == [kind.main] and random.random() < 0.7:
        return arguments[kind.main]
    return arguments


def _word(random: Random, family: str) -> Any:
    word = random.choice(list(index(family)))
    kind = definition(family, word)
    assert kind is not None
    arguments = _shortened(random, kind, _arguments(random, kind))
    return {word: arguments} if arguments != {} else word


def _section(random: Random, kind: type[Section]) -> Tree:
    return _arguments(random, kind)


def _arguments(random: Random, kind: type[BaseModel], region: Callable[[], list[Any]] | None = None) -> Tree:
    """The required fields of a class and some of the others, with values that their annotations allow."""
    given: Tree = {}
    for name, field in kind.model_fields.items():
        if field.is_required() or random.random() < 0.3:
            bounds = {type(limit).__name__: limit for limit in field.metadata}
            given[name] = _value(random, field.annotation, bounds, region or (lambda: ["relu"]))
    return given


def _value(random: Random, annotation: Any, bounds: dict[str, Any], region: Callable[[], list[Any]]) -> Any:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        found = {type(limit).__name__: limit for limit in inside[1:]}
        for limit in inside[1:]:
            found |= {type(part).__name__: part for part in getattr(limit, "metadata", ())}
        return _value(random, inside[0], {**bounds, **found}, region)
    if origin is Literal:
        return random.choice(inside)
    if origin in (Union, types.UnionType):
        return _value(random, random.choice(inside), bounds, region)
    if origin is tuple:
        return _tuple(random, inside, region)
    if origin is dict:
        return {"a": "b"}
    if isinstance(annotation, type) and issubclass(annotation, Item):
        return random.choice(region())
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return _held(random, annotation)
    return _scalar(random, annotation, bounds)


def _tuple(random: Random, inside: tuple[Any, ...], region: Callable[[], list[Any]]) -> list[Any]:
    if inside[-1:] != (Ellipsis,):
        return [_value(random, part, {}, region) for part in inside]
    part = inside[0]
    if (get_args(part) or (part,))[0] is Item:
        return region()
    return [_value(random, part, {}, region) for _ in range(random.choice((1, 2, 2, 3)))]


def _held(random: Random, kind: type[Section]) -> Any:
    """A section, or a word of a family."""
    if not issubclass(kind, Definition):
        return _arguments(random, kind)
    words = [word for word in index(kind.family) if issubclass(definition(kind.family, word) or object, kind)]
    return _word(random, kind.family) if words else None


def _scalar(random: Random, annotation: Any, bounds: dict[str, Any]) -> Any:
    low = next((getattr(bounds[name], name.lower()) for name in ("Ge", "Gt") if name in bounds), 0)
    high = next((getattr(bounds[name], name.lower()) for name in ("Le", "Lt") if name in bounds), None)
    if annotation is bool:
        return random.random() < 0.5
    if annotation is int:
        return (
            random.choice((low, low + 1, 1, 2, 3, 3, 4, 8, 16))
            if high is None
            else random.randint(int(low), int(low) + 5)
        )
    if annotation is float:
        return random.choice((0.1, 0.25, 0.5, 0.9, float(low), 1.0 if high is None else float(high), 1e-3))
    if annotation is type(None):
        return None
    return random.choice(("a", "x.npz", "test_accuracy", "weight"))


def _as_tuples(value: Any) -> Any:
    """As binding hands values to a class: lists as tuples."""
    if isinstance(value, list):
        return tuple(_as_tuples(part) for part in value)
    return {key: _as_tuples(part) for key, part in value.items()} if isinstance(value, dict) else value
