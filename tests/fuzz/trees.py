"""Mutations of a spec's tree, and the text of a tree.

{conv: {out_channels: 8, …}}    ->    {conv: {out_channels: $nope, …}}, {from: input, conv: …}, [[{conv: …}]], …
"""

import copy
from random import Random
from typing import Any

import yaml

from specforge.recipe import Group, Stage, Train
from specforge.search_space import Search
from specforge.spec import Data, Spec
from tests.fuzz.corpus import Tree, trees
from tests.fuzz.hostile import (
    EXPRESSIONS,
    ITEM_KEYS,
    NUMBERS,
    OTHER_KEYS,
    SHAPES,
    TEXTS,
    layer_words,
    section_keys,
    words,
)
from tests.fuzz.values import Maker

Place = tuple[Any, Any]  # a list or mapping, and an index or key in it


def mutated_tree(random: Random, tree: Tree | None = None) -> Any:
    """A tree of the corpus, or the given one, after a few changes."""
    changed: Any = copy.deepcopy(random.choice(trees()) if tree is None else tree)
    for _ in range(random.choice((1, 1, 2, 3, 6))):
        places = list(_places(changed))
        if not places:
            return changed
        try:
            random.choice(CHANGES)(random, changed, places)
        except RecursionError:  # copying what became too deep
            return changed
    return changed


def _places(tree: Any) -> list[Place]:
    """Every place that holds a value; what several places share, and circles, are walked once."""
    found: list[Place] = []
    pending, seen = [tree], set()
    while pending:
        node = pending.pop()
        if not isinstance(node, dict | list) or id(node) in seen:
            continue
        seen.add(id(node))
        steps = list(node) if isinstance(node, dict) else range(len(node))
        found += [(node, step) for step in steps]
        pending += node.values() if isinstance(node, dict) else node
    return found


def hostile_value(random: Random) -> Any:
    group: Any = random.choice((NUMBERS, TEXTS, EXPRESSIONS, SHAPES, words(), (None, True, False)))
    return copy.deepcopy(random.choice(group))


def hostile_key(random: Random) -> str:
    return str(random.choice(random.choice((words(), ITEM_KEYS, section_keys(), section_keys(), OTHER_KEYS, TEXTS))))


def _replace(random: Random, tree: Any, places: list[Place]) -> None:
    node, step = random.choice(places)
    node[step] = hostile_value(random)


def _remove(random: Random, tree: Any, places: list[Place]) -> None:
    node, step = random.choice(places)
    del node[step]


def _swap(random: Random, tree: Any, places: list[Place]) -> None:
    (one, here), (other, there) = random.choice(places), random.choice(places)
    one[here], other[there] = copy.deepcopy(other[there]), copy.deepcopy(one[here])


def _duplicate(random: Random, tree: Any, places: list[Place]) -> None:
    (one, here), (other, there) = random.choice(places), random.choice(places)
    if isinstance(other, list):
        other.insert(there, copy.deepcopy(one[here]))
    else:
        other[there] = copy.deepcopy(one[here])


def _alias(random: Random, tree: Any, places: list[Place]) -> None:
    """The same object in two places: the text gets an anchor, and at times a circle."""
    (one, here), (other, there) = random.choice(places), random.choice(places)
    other[there] = one[here]


def _rename(random: Random, tree: Any, places: list[Place]) -> None:
    mappings = [place for place in places if isinstance(place[0], dict)]
    if mappings:
        node, step = random.choice(mappings)
        node[hostile_key(random)] = node.pop(step)


def _key(random: Random, tree: Any, places: list[Place]) -> None:
    mappings = [node for node, _ in places if isinstance(node, dict)]
    if mappings:
        random.choice(mappings)[hostile_key(random)] = hostile_value(random)


def _item_key(random: Random, tree: Any, places: list[Place]) -> None:
    """`from`, `shared`, `when`, `init`, `id` or `trainable` on an item."""
    items = [(node, step) for node, step in places if isinstance(node, list)]
    if not items:
        return
    node, step = random.choice(items)
    if isinstance(node[step], str):
        node[step] = {node[step]: None}
    if isinstance(node[step], dict):
        key = random.choice(ITEM_KEYS)
        good = (
            "input",
            "previous",
            ["input", "previous"],
            "w",
            True,
            False,
            "stem",
            "conv_1",
            {"weight": "zeros"},
            "$w",
        )
        node[step][key] = copy.deepcopy(random.choice(good)) if random.random() < 0.7 else hostile_value(random)


def _nest(random: Random, tree: Any, places: list[Place]) -> None:
    """A value wrapped many times: in lists, mappings or layers of layers."""
    node, step = random.choice(places)
    wrap = random.choice(("list", "key", "sequential", "residual", "repeat", "paths"))
    for _ in range(random.choice((1, 2, 5, 30, 62, 64, 70, 150))):
        inside = node[step]
        layers = inside if isinstance(inside, list) else [inside]
        node[step] = {
            "list": [inside],
            "key": {random.choice(("layers", "sequential", "a")): inside},
            "sequential": {"sequential": {"layers": layers}},
            "residual": {"residual": {"layers": layers, "shortcut": "where_possible"}},
            "repeat": {"repeat": {"times": 1, "layers": layers}},
            "paths": {"branches": {"paths": [layers, []], "merge": "add"}},
        }[wrap]


def _repeat(random: Random, tree: Any, places: list[Place]) -> None:
    """Huge and nested repeats around an item or a list of items."""
    node, step = random.choice(places)
    for _ in range(random.choice((1, 1, 2, 4))):
        times: Any = random.choice((0, 1, 3, 100, 999, 10_000, 10_001, 10**18, -1, True, "$w", 2.0, None))
        layers = node[step] if isinstance(node[step], list) else [node[step]]
        loop: Tree = {"times": times}
        if random.random() < 0.4:
            walked = {"c": list(range(times)) if isinstance(times, int) and 0 <= times < 1_000 else times}
            loop = {"for": random.choice((walked, [["c"], [1], [2]], [], "$w"))}
        wrapped = {"repeat": {**copy.deepcopy(loop), "layers": layers}}
        node[step] = wrapped if isinstance(node, list) else [wrapped]


def _block(random: Random, tree: Any, places: list[Place]) -> None:
    """Blocks that use each other, at times in a circle, and uses of them."""
    if not isinstance(tree, dict):
        return
    names = [f"b{number}" for number in range(random.randrange(1, 5))]
    blocks = tree.get("blocks") if isinstance(tree.get("blocks"), dict) else {}
    for name in names:
        uses = [random.choice((*names, *layer_words(), "$w", "$body")) for _ in range(random.randrange(1, 4))]
        params = random.choice(({}, {"w": "required"}, {"w": 3}, {"body": ["relu"]}, {"w": "$w"}, None))
        blocks[name] = {"params": params, "layers": [{use: 3} if random.random() < 0.3 else use for use in uses]}
    tree["blocks"] = blocks
    lists = [node for node, _ in places if isinstance(node, list)]
    if lists:
        random.choice(lists).append(random.choice((names[0], {names[0]: 3}, {names[0]: {"body": [names[0]]}})))


def _section(random: Random, tree: Any, places: list[Place]) -> None:
    """A key of a section with a value that is right there; at times put somewhere else."""
    kind = random.choice((Data, Train, Train, Stage, Group, Search, Spec))
    name = random.choice([name for name in kind.model_fields if kind is not Spec or name != "model"])
    value = Maker(random).value(kind.model_fields[name].annotation).written
    homes = [node for node, _ in places if isinstance(node, dict)]
    fitting = [node for node in homes if len(node.keys() & kind.model_fields.keys()) > 1]
    home = random.choice(fitting or homes or [{}])
    home[name] = value


def _variation(random: Random, tree: Any, places: list[Place]) -> None:
    """`extends`, `include`, `edit`, `params` and other keys of the top."""
    if not isinstance(tree, dict):
        return
    path = random.choice(("conv_1", "repeat_1.conv_1", "repeat_1.0.conv_1", "*", "", "a..b", "relu_1", 3))
    change = random.choice(
        (
            *({"remove": True}, {"replace": "relu"}, {"set": {"out_channels": "$w"}}, {"wrap": "residual"}),
            *({"insert_after": ["relu", hostile_value(random)]}, {"insert_before": hostile_value(random)}),
        )
    )
    key, value = random.choice(
        [
            ("extends", random.choice(("parent.yaml", "spec.yaml", "missing.yaml", ["parent.yaml"], "$w", "/", None))),
            ("include", random.choice((["parent.yaml"], ["spec.yaml"], "parent.yaml", [], [3], ["parent.yaml"] * 40))),
            ("edit", [{"at": path, **change}] * random.choice((1, 1, 2, 50))),
            ("params", {"w": hostile_value(random), "x": random.choice(EXPRESSIONS), "y": "$x"}),
            ("params", {f"p{n}": f"$(p{n - 1} + p{n - 1})" if n else [1, "relu"] for n in range(40)}),
            (
                "assumed",
                [random.choice(("train.optimizer.lr", "params.w", "model.layers", "$w", "data.split.test.x"))] * 3,
            ),
            ("accept", {hostile_key(random): hostile_value(random)}),
            ("expect", {random.choice(("output", "macs", "total_parameters")): hostile_value(random)}),
        ]
    )
    tree[key] = value


CHANGES = (
    *(_replace, _replace, _replace, _remove, _swap, _duplicate, _alias, _rename, _key, _item_key, _item_key),
    *(_nest, _repeat, _block, _variation, _variation, _section, _section, _section),
)


class _WrittenOut(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]  # chosen at run time
    """Writes repeated pieces out instead of aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def text_of(random: Random, tree: Any) -> bytes:
    """A tree as a person or a program might write it; with anchors where pieces are shared, or without."""
    aliases = random.random() < 0.7 or not _is_finite(tree)
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper) if aliases else _WrittenOut
    style, width = random.choice((None, None, False, True)), random.choice((40, 120, 10_000))
    try:
        written = yaml.dump(
            tree, Dumper=dumper, sort_keys=False, default_flow_style=style, width=width, allow_unicode=True
        )
    except (RecursionError, yaml.YAMLError):
        return b"model: {layers: [deep]}\n"
    return str(written).encode("utf-8", "surrogatepass")


def _is_finite(tree: Any, limit: int = 20_000) -> bool:
    """Whether writing shared pieces out gives no more than `limit` values."""
    pending, count = [tree], 0
    while pending:
        node = pending.pop()
        count += 1
        if count > limit:
            return False
        pending += node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return True
