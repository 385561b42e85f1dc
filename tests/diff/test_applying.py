"""A reported difference is complete: what it says, done to the first network, gives the second."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from specforge.analysis import analyse
from specforge.catalog.definition import Item
from specforge.catalog.layers.composition import Repeat
from specforge.diagnostics import Findings
from specforge.diff.architecture import architecture
from specforge.diff.checkpoints import checkpoints
from specforge.diff.difference import Architecture
from specforge.diff.matching import match
from specforge.graph import Graph, lower
from specforge.resolved import plain_value
from specforge.spec import Model
from tests.diff.applying import applied, differs, tree
from tests.graph.random_networks import Network

Side = tuple[Model, Graph]
SPECS = sorted((Path(__file__).parents[2] / "specs").rglob("*.yaml"))
PORTIONS = 10


def between(a: Side, b: Side) -> Architecture:
    return architecture(match(a, b), a, b)


def assert_complete(a: Side, b: Side, told: str) -> None:
    """Also: empty exactly when both networks compute the same from the same initial weights."""
    found = between(a, b)
    wrong = differs(applied(tree(*a), found.to_dict()), tree(*b))
    assert wrong is None, f"{told}: {wrong}"
    assert found.is_only_renamed == (function(a[1]) == function(b[1])), told
    state = checkpoints(match(a, b), a[1], b[1])
    assert state.compatible == (a[1].state() == b[1].state()), told


def function(graph: Graph) -> list[Any]:
    """What is computed, independently of `diff`: every operation with what it reads and how its weights start."""
    numbers = {0: 0} | {node.number: place for place, node in enumerate(graph.makers, 1)}
    owners = {node.path: node.number for node in graph.makers}
    known: list[Any] = [graph.input]
    for node in graph.makers:
        call = node.layer.join().lower(node.output) if node.joins else node.call  # type: ignore[union-attr]
        shares = numbers[owners[node.shares]] if node.shares in owners else None
        state = plain_value(dict(node.initializers)), node.trainable or not node.parameters
        known.append((call, tuple(numbers[n] for n in node.joins or node.reads), shares, state, node.output))
    known.append(numbers[graph.root.number])
    heads = [numbers[node.number] for node in graph.nodes if node.is_side_branch]
    return [*known, heads, [head.weight for head in graph.heads]]


@pytest.mark.parametrize("portion", range(PORTIONS))
def test_random_networks(portion: int) -> None:
    for seed in range(portion, 300, PORTIONS):
        a, b = Network(seed).model(), Network(seed + 1_000).model()
        if a is not None and b is not None:
            assert_complete(a, b, f"seed {seed}")


@pytest.mark.parametrize("portion", range(PORTIONS))
def test_edited_networks(portion: int) -> None:
    compared = 0
    for seed in range(portion, 800, PORTIONS):
        a = Network(seed).model()
        b = None if a is None else edited(a[0], Random(seed))
        if a is not None and b is not None:
            compared += 1
            assert_complete(a, b, f"seed {seed}")
            assert_complete(b, a, f"seed {seed}, backwards")
    assert compared > 20


def test_nothing_differs_from_itself() -> None:
    for seed in range(200):
        a = Network(seed).model()
        if a is not None:
            found = between(a, a)
            assert not found.all
            assert not found.repeated
            assert not found.paths


def test_the_specs_next_to_each_other() -> None:
    sides = [analyse(path).require() for path in SPECS if not analyse(path).is_partial]
    networks = [(spec.model, graph) for spec, graph in sides if spec.model is not None]
    assert len(networks) > 50
    for (a, b), name in zip(pairwise(networks), SPECS, strict=False):
        assert_complete(a, b, str(name))


def edited(model: Model, random: Random) -> Side | None:
    """The same with up to four edits; None where it no longer fits together."""
    layers = model.layers or ()
    for _ in range(random.randint(1, 4)):
        layers = _numbered(_edited(layers, random))
    changed = model.model_copy(update={"layers": layers})
    findings = Findings()
    graph = lower(changed, findings)
    return None if graph is None or findings.has_errors else (changed, graph)


def _edited(items: tuple[Item, ...], random: Random) -> tuple[Item, ...]:
    """One edit, at any depth: a layer goes, comes from elsewhere, changes places, is doubled, frozen, or wrapped."""
    if not items:
        return items
    at = random.randrange(len(items))
    regions = [name for name, value in items[at].layer if name in ("layers", "iterations", "paths") and value]
    if regions and random.random() < 0.6:
        return (*items[:at], _inside(items[at], regions[0], random), *items[at + 1 :])
    kind = random.choice(["remove", "copy", "swap", "double", "freeze", "wrap"])
    if kind == "remove":
        return items[:at] + items[at + 1 :]
    if kind == "freeze":
        return (*items[:at], replace(items[at], trainable=not items[at].trainable), *items[at + 1 :])
    if kind == "wrap":
        group = Repeat(iterations=((items[at],),))
        wrapped = Item("repeat_0", "repeat", group, items[at].span, {}, {})
        return (*items[:at], wrapped, *items[at + 1 :])
    other = random.randrange(len(items))
    if kind == "swap":
        swapped = list(items)
        swapped[at], swapped[other] = swapped[other], swapped[at]
        return tuple(swapped)
    return (*items[:other], items[at], *items[other:]) if kind == "copy" else (*items[:at], items[at], *items[at:])


def _inside(item: Item, region: str, random: Random) -> Item:
    value = getattr(item.layer, region)
    if region == "layers":
        return replace(item, layer=item.layer.model_copy(update={region: _edited(value, random)}))
    lists = list(value)
    at = random.randrange(len(lists))
    choice = random.random()
    if region == "iterations" and choice < 0.2:
        lists.insert(at, lists[at])
    elif region == "iterations" and choice < 0.4 and len(lists) > 1:
        del lists[at]
    else:
        lists[at] = _edited(lists[at], random)
    return replace(item, layer=item.layer.model_copy(update={region: tuple(lists)}))


def _numbered(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """With ids that are unique again, at every depth."""
    return tuple(_numbering(items))


def _numbering(items: tuple[Item, ...]) -> Iterator[Item]:
    counts: Counter[str] = Counter()
    for item in items:
        counts[item.kind] += 1
        inner = {
            name: _numbered(value) if name == "layers" else tuple(map(_numbered, value))
            for name, value in item.layer
            if name in ("layers", "iterations", "paths") and value
        }
        layer = item.layer.model_copy(update=inner) if inner else item.layer
        yield replace(item, id=f"{item.kind}_{counts[item.kind]}", layer=layer)
