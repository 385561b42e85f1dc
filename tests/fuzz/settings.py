"""Paths of a spec's values, as `--set` and `search` have them, and settings that a command line may bring.

{train: {optimizer: {sgd: {lr: 0.1}}}}  ->  train.optimizer.lr, train.optimizer.sgd.lr=0.1, train.optimizer.x=relu
"""

from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Any, NamedTuple

import yaml

from specforge.analysis import choices
from specforge.expand.variation import VARIABLE
from specforge.expand.words import numbered
from tests.fuzz.hostile import EXPRESSIONS, NUMBERS, TEXTS

MAX_DEPTH = 12
MAX_PLACES = 2_000


class Place(NamedTuple):
    """A value of a spec and its path; `is_choice` is one that holds a word of a family."""

    path: str
    value: Any
    is_choice: bool


def places(random: Random, tree: dict[Any, Any]) -> Iterator[Place]:
    """Values of a spec that something can be set in place of; the words of choices are left out of some paths."""
    for key in VARIABLE:
        if key in tree:
            yield from _below(random, (key,), (key,), tree[key])


def _below(random: Random, shown: tuple[str, ...], path: tuple[str, ...], node: Any) -> Iterator[Place]:
    is_choice = len(path) > 1 and numbered(path) in choices()
    if len(path) > 1:
        yield Place(".".join(shown), node, is_choice)
    if len(path) > MAX_DEPTH:
        return
    entries = list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else ()
    for step, value in entries:
        if isinstance(step, str | int):
            skips = is_choice and isinstance(value, dict) and random.random() < 0.5
            yield from _below(random, shown if skips else (*shown, str(step)), (*path, str(step)), value)


def setting(random: Random, tree: Any) -> str:
    """A `--set` of one of the tree's values, or of something that is not there."""
    found = list(islice(places(random, tree), MAX_PLACES)) if isinstance(tree, dict) else []
    place = random.choice(found) if found else Place("train.epochs", 3, is_choice=False)
    value = random.choice((place.value, place.value, random.choice(found).value if found else 3, _hostile(random)))
    path = place.path
    if random.random() < 0.2:
        slips = (
            path + ".x",
            path + ".0",
            path[:-1],
            "",
            path.replace(".", "..", 1),
            f"search.space.{path}",
            path + " ",
        )
        path = random.choice((*slips, "extends", "params.w", "data.augment.99", "train.stages.-1", "model.layers.0.id"))
    return f"{path}={_flow(value)}" if random.random() < 0.97 else path


def _hostile(random: Random) -> Any:
    return random.choice(
        (None, True, *random.sample(NUMBERS, 3), *random.sample(TEXTS, 3), *random.sample(EXPRESSIONS, 3))
    )


def _flow(value: Any) -> str:
    """A value on one line; what can't be written stays as Python shows it."""
    try:
        text = yaml.safe_dump(value, default_flow_style=True, width=10**9, allow_unicode=True)
    except (yaml.YAMLError, RecursionError):
        return repr(value)[:200]
    return text.removesuffix("\n").removesuffix("\n...")[:20_000]
