"""The sections `train` and `search`, made to fit the network and the values that a spec has.

{batch_size: 8, stages: [{epochs: 3, freeze: conv_1}, …], …}, {space: {train.stages.0.epochs: {integers: [3, 5]}}}
"""

from collections import Counter
from random import Random
from typing import Any

from specforge.catalog.definition import Layer, Section
from specforge.catalog.discovery import definition
from specforge.expand.words import ITEM_KEYS
from specforge.recipe import Group, Stage, Train
from specforge.search_space import Search
from tests.fuzz.corpus import Tree
from tests.fuzz.settings import Place, places
from tests.fuzz.values import Maker

SPLITS: tuple[Tree, ...] = (
    *({"train": 0.8, "validation": 0.2}, {"train": 0.6, "validation": 0.2, "test": 0.2, "stratified": True}),
    *({"train": [[0, 0.35], [0.45, 1.0]], "validation": [[0.35, 0.45]]}, {"train": 0.9, "validation": 0.1, "seed": 3}),
)
_BESIDE_SNAPSHOTS = ("schedule", "ema", "early_stopping", "checkpoint", "groups")
_INHERITED = ("batch_size", "optimizer", "loss")


def named_in(layers: list[Any]) -> dict[str, list[Any]]:
    """What selectors can name in a network: the paths of its outermost items, and kinds with parameters."""
    paths, kinds, counts = [], [], Counter[str]()
    for item in layers:
        keys = item if isinstance(item, dict) else {item: None}
        word = next(key for key in keys if key not in ITEM_KEYS)
        counts[word] += 1
        kind = definition("layers", word)
        if isinstance(kind, type) and issubclass(kind, Layer) and kind.parameters is not Layer.parameters:
            kinds.append(word)
            paths.append(keys.get("id", f"{word}_{counts[word]}"))
    freezing: list[Any] = [*paths, paths[:1], "all"]
    return {
        "Selector.path": [*paths, paths[:2]],
        "Selector.kind": [*kinds, kinds[:2]],
        "Selector.parameter": ["weight", "bias", ["weight", "bias"]],
        "Stage.freeze": freezing,
        "Stage.unfreeze": freezing,
    }


def recipe(maker: Maker) -> Tree:
    """A `train` section: one run, several stages, or a snapshot ensemble."""
    random = maker.random
    train: Tree = maker.section(Train, leave_out=("stages",)).written
    if train.get("snapshots") and random.random() < 0.8:
        train = {key: value for key, value in train.items() if key not in _BESIDE_SNAPSHOTS}
        train["epochs"] = 3 * int(train["snapshots"]["cycles"])
    elif train.get("epochs") and random.random() < 0.8:
        train["epochs"] += 10
    if train["batch_size"] == 1 and random.random() < 0.8:
        train["batch_size"] = 16
    if "muon" in train["optimizer"] and random.random() < 0.8:  # it takes no bias
        train["optimizer"] = {"sgd": {"lr": 0.1, "momentum": 0.9}}
    for group in train.get("groups") or ():
        _lay_over(random, group, train, Group)
    if random.random() < 0.5:
        train.pop("epochs", None)
        train.pop("snapshots", None)
        train["stages"] = [_stage(maker, train, number) for number in range(random.choice((1, 2, 2, 3)))]
    return train


def _stage(maker: Maker, train: Tree, number: int) -> Tree:
    """A stage that leaves much to the recipe, and takes some of it away."""
    random = maker.random
    unlikely = [key for key in ("continue", "freeze", "unfreeze") if random.random() < (0.6 if number else 0.8)]
    stage: Tree = maker.section(Stage, leave_out=tuple(unlikely)).written
    for key in _INHERITED:
        if random.random() < 0.6:
            del stage[key]
    if stage.get("continue"):
        stage.pop("optimizer", None)
        stage.pop("groups", None)
    _lay_over(random, stage, train, Stage)
    for group in stage.get("groups") or ():
        _lay_over(random, group, {**train, **stage}, Group)
    return stage


def _lay_over(random: Random, given: Tree, base: Tree, kind: type[Section]) -> None:
    """Takes away, or keeps the words of, some values that are laid over those of a base."""
    for key in [key for key in base if key in kind.model_fields]:
        if key not in given and random.random() < (0.01 if kind.model_fields[key].is_required() else 0.1):
            given[key] = None
        elif isinstance(given.get(key), dict) and random.random() < 0.4:
            given[key] = _changed(random, given[key], base[key])


def _changed(random: Random, given: Any, under: Any) -> Any:
    """The base's word, or its keys, with some of their values drawn from what was given, or removed."""
    if isinstance(given, dict) and isinstance(under, dict):
        if len(given) == len(under) == 1 and given.keys() != under.keys() and random.random() < 0.9:
            return given  # another word
        keys = dict.fromkeys([*given, *under])
        return {key: _changed(random, given.get(key), under.get(key)) for key in keys if random.random() < 0.8}
    return random.choice((given, given, None, under))


def add_search(maker: Maker, tree: Tree) -> None:
    """Put a search over some of the tree's values into it."""
    random = maker.random
    found = list(places(random, tree))
    search = maker.section(Search, leave_out=("space", "direction")).written
    chosen = [random.choice(found) for _ in range(random.choice((1, 1, 2, 2, 3, 5)))]
    search["space"] = {place.path: _distribution(maker, place) for place in chosen}
    tree["search"] = search


def _distribution(maker: Maker, place: Place) -> Tree:
    """Values near the one that is there, mostly."""
    random, value = maker.random, place.value
    others: list[Any] = [value]
    if place.is_choice and place.path.rpartition(".")[2].isidentifier() and random.random() < 0.7:
        others += [word for word in (_another(maker, place.path) for _ in range(2)) if word is not None]
    elif isinstance(value, bool):
        others.append(not value)
    elif isinstance(value, int):
        step = random.choice((1, 2))
        if random.random() < 0.6:
            return {
                "integers": random.choice(([value, value + 4], {"bounds": [value, value + 2 * step], "step": step}))
            }
        others += [value + 1, value + 2]
    elif isinstance(value, float):
        if random.random() < 0.6:
            return {random.choice(("uniform", "log_uniform")): [value / 2, value]}
        others += [value / 2, value / 4]
    else:
        others.append(random.choice((None, value, "relu", {"linear": {"start_factor": 0.5, "end_factor": 0.1}}, [])))
    return maker.word("distributions").written if random.random() < 0.05 else {"choice": others}


def _another(maker: Maker, path: str) -> Any:
    """Another word of the family that a path holds."""
    field = Train.model_fields.get(path.rpartition(".")[2])
    return None if field is None else maker.value(field.annotation).written
