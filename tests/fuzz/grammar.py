"""Specs generated from the catalogue's classes: mostly right, so that what lies behind the checks is reached too."""

from random import Random
from typing import Any

from pydantic import ValidationError

from specforge.catalog.definition import Composite, Layer, Merge
from specforge.catalog.discovery import definition, index
from specforge.shapes import Misfit, Shape, elements
from specforge.spec import Data, Expect, Reported
from tests.fuzz.corpus import Tree
from tests.fuzz.recipes import SPLITS, add_search, named_in, recipe
from tests.fuzz.values import Maker, as_tuples

INPUTS: tuple[Shape, ...] = ((3, 32, 32), (1, 8, 8), (3, 8, 8, 8), (12,), (4, 20), (1, 28, 28), (3, 64, 64))
PARAMS = {"w": 8, "d": 0.5, "body": ["relu"]}
MAX_VALUES = 200_000
MAX_TRIES = 12


def generated(random: Random) -> Tree:
    """A spec with a network whose layers fit, as far as their own shape rules can tell, and some of the other keys."""
    shape = random.choice(INPUTS)
    tree: Tree = {"specforge": 1, "name": "generated", "params": dict(PARAMS)}
    layers, _ = _layers(random, shape, random.choice((1, 3, 6, 12, 30)), depth=0)
    tree["model"] = {"input": list(shape), "layers": layers}
    maker = Maker(random, names=named_in(layers))
    if random.random() < 0.2:
        tree["model"]["init"] = [{"select": {"kind": "conv"}, "initializer": maker.word("initializers").written}]
    if random.random() < 0.3:
        tree["data"] = maker.section(Data).written
    if random.random() < 0.3:
        tree["train"] = recipe(maker)
    if random.random() < 0.3:
        tree["expect"] = maker.section(Expect).written
    if random.random() < 0.1:
        tree["reported"] = [maker.section(Reported).written]
    return tree


def experiment(random: Random) -> Tree:
    """A spec with a small network for its data set, and all that is said about data, training and search."""
    data = Maker(random).section(Data)
    facts = None if data.bound is None else data.bound.dataset.facts()
    shape = facts.image if facts is not None and facts.image is not None else random.choice(INPUTS[:2])
    classes = facts.classes if facts is not None and facts.classes is not None else 10
    layers, shape_after = _layers(random, shape, random.choice((0, 1, 2, 4)), depth=1)
    layers += [*(["flatten"] if len(shape_after) > 1 else []), {"linear": classes}]
    maker = Maker(random, names=named_in(layers))
    tree: Tree = {"specforge": 1, "name": "experiment", "params": dict(PARAMS)}
    tree |= {"model": {"input": list(shape), "layers": layers}, "data": data.written, "train": recipe(maker)}
    if random.random() < 0.8:
        tree["data"]["split"] = dict(random.choice(SPLITS))
    if random.random() < 0.4:
        add_search(maker, tree)
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
    maker = Maker(random)
    arguments = maker.arguments(kind).written
    try:
        layer = kind.model_validate(as_tuples(arguments))
        after = layer.merged_shape((shape, shape)) if isinstance(layer, Merge) else layer.output_shape(shape)
    except (ValidationError, Misfit, IndexError, ZeroDivisionError):
        return None
    if elements(after) > MAX_VALUES or min(after, default=1) < 1:
        return None
    item = _with_keys(random, word, maker.shortened(kind, arguments))
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

    return Maker(random, region).arguments(kind).written


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
