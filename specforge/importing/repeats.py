"""Runs of layers that are alike -> `repeat`.

    bottleneck: {out_channels: 64}                  repeat:
    bottleneck: {out_channels: 64}                    for: {out_channels: [64, 128], stride: [1, 2], times: [2, 3]}
    bottleneck: {out_channels: 128, stride: 2}  ->    layers:
    bottleneck: {out_channels: 128}                     - repeat:
    bottleneck: {out_channels: 128}                         times: $times
                                                            layers:
                                                              - bottleneck:
                                                                  out_channels: $out_channels
                                                                  stride: $(stride if index == 0 else 1)

A foreign container of modules that are alike is a stage: a repeat whose arguments are `Series`, one value for each
iteration. Neighbouring stages become one repeat if one law (`laws.py`) gives the series of each. Of all ways to fold a
list, the one that saves most text comes first.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from specforge.importing.laws import Series, Steps, steps_of, with_laws
from specforge.importing.naming import named
from specforge.importing.patterns import ANYTHING, Blocks, skeleton, unified
from specforge.importing.tree import Node, Nodes, everything

LONGEST = 16  # layers in what is repeated
LONGEST_LIST = 1000  # where more are listed, only exact repetitions are looked for: all ways take the square of it
LEAST_GAIN = 60  # letters that a table must save; twice as many where it has two rows


def is_stage(nodes: Nodes, blocks: Blocks) -> bool:
    """Whether all layers of a list are alike, and more than a single plain layer each."""
    if not nodes or any(node.keys for node in everything(nodes)):
        return False
    if not all(_is_deep(node, blocks) for node in nodes):
        return False
    return unified([(each,) for each in nodes], blocks) is not None


def _is_deep(node: Node, blocks: Blocks) -> bool:
    """Whether it is a composite, or a block that holds one: not a few plain layers."""
    if node.word == "repeat":
        return False
    return not node.is_leaf or any(_is_deep(each, blocks) for each in blocks.layers.get(node.word, ()))


def stage(nodes: Nodes, blocks: Blocks, around: Node) -> Node:
    """Layers that are alike as one repeat."""
    pattern = unified([(each,) for each in nodes], blocks)
    assert pattern is not None
    return Node("repeat", {"times": len(nodes)}, {"layers": _in_series(pattern)}, {}, around.place, around.kind, 0,
                nodes[0].input, nodes[-1].output)  # fmt: skip


def _in_series(pattern: Nodes) -> Nodes:
    """A pattern with the values of each slot as a series."""
    return tuple(
        replace(
            node.mapped(_in_series),
            arguments={
                name: slot.known[0] if slot.known and slot.is_constant and len(slot.known) == len(slot.values)
                else Series(slot.values)
                for name, slot in node.arguments.items()
            },
        )
        for node in pattern
    )  # fmt: skip


def folded(nodes: Nodes, blocks: Blocks) -> Nodes:
    """A list of layers with repeats for runs of layers that are alike."""
    steps = steps_of(nodes)
    if len(nodes) > LONGEST_LIST:
        return _settled(_runs(nodes), blocks, steps)
    early = _tables(_with_short_stages(_runs(nodes)), blocks, steps)
    late = _tables(nodes, blocks, steps)
    best = min((late, early), key=_cost)
    return tuple(_settled(best, blocks, steps))


def _cost(nodes: Nodes) -> int:
    """About how many letters a list takes."""
    return sum(_letters(node) for node in nodes)


def _letters(node: Node) -> int:
    total = len(node.word) + 8
    for name, value in [*node.arguments.items(), *node.keys.items()]:
        total += (
            len(name)
            + 4
            + (sum(len(str(each)) + 2 for each in value.values) if isinstance(value, Series) else len(str(value)))
        )
    return total + sum(10 + _cost(items) for items in node.regions.values())


def _with_short_stages(nodes: Nodes) -> Nodes:
    """Composites that are like a repeated one as a repeat of a single iteration, so that both can be one table's."""
    repeated = [skeleton(node.layers()[0]) for node in nodes if node.word == "repeat" and len(node.layers()) == 1]
    return tuple(
        Node("repeat", {"times": 1}, {"layers": (node,)}, {}, node.place, "", 0, node.input, node.output)
        if not node.is_leaf and not node.keys and skeleton(node) in repeated
        else node
        for node in nodes
    )


def _runs(nodes: Nodes) -> Nodes:
    """Exact repetitions of a few plain layers, the shortest first."""
    for length in range(1, 5):
        start = 0
        while start + 2 * length <= len(nodes):
            window = [_bare(node) for node in nodes[start : start + length]]
            count = 1
            while [_bare(n) for n in nodes[start + count * length : start + (count + 1) * length]] == window:
                count += 1
            plain = all(node.word != "repeat" and not node.keys for node in nodes[start : start + length])
            if count > 1 and plain:
                one = nodes[start : start + length]
                last = nodes[start + count * length - 1]
                repeat = Node(
                    "repeat", {"times": count}, {"layers": one}, {}, one[0].place, "", 0, one[0].input, last.output
                )
                nodes = (*nodes[:start], repeat, *nodes[start + count * length :])
            start += 1
    return nodes


def _bare(node: Node) -> Any:
    """What a node says, without where it comes from."""
    inside = tuple((name, tuple(_bare(item) for item in items)) for name, items in node.regions.items())
    return node.word, repr(node.arguments), repr(node.keys), inside


def _tables(nodes: Nodes, blocks: Blocks, steps: Steps | None) -> Nodes:
    """The run that gains most as one repeat, and again, until nothing gains."""
    while True:
        found = _best(nodes, blocks, steps)
        if found is None:
            return nodes
        start, stop, repeat = found
        nodes = (*nodes[:start], repeat, *nodes[stop:])


def _best(nodes: Nodes, blocks: Blocks, steps: Steps | None) -> tuple[int, int, Node] | None:
    skeletons = [skeleton(node) if not _is_wired(node) else object() for node in nodes]
    best: tuple[int, int, Node] | None = None
    most = 0.0
    for length in range(1, min(LONGEST, len(nodes) // 2) + 1):
        for start in range(len(nodes) - 2 * length + 1):
            window = skeletons[start : start + length]
            if start >= length and skeletons[start - length : start] == window:
                continue  # a part of a run that was looked at
            count = 1
            while skeletons[start + count * length : start + (count + 1) * length] == window:
                count += 1
            for stop in range(start + count * length, start + length, -length):
                repeat = _table([nodes[at : at + length] for at in range(start, stop, length)], blocks, steps)
                gain = 0.0 if repeat is None else _cost(nodes[start:stop]) - _table_cost(repeat)
                gain += 0.5 * (not nodes[start].word.endswith("_pool"))  # a stage ends with its pooling
                if repeat is not None and gain > most and _pays(repeat, gain):
                    best, most = (start, stop, repeat), gain
                if repeat is not None:
                    break
    return best


def _pays(repeat: Node, gain: float) -> bool:
    """Whether a repeat saves enough to be easier to read than what it stands for."""
    lists = list(repeat.arguments.get("for", {}).values())
    if any(node.word == "repeat" for node in repeat.layers()):
        return True  # stages, of which a network has few
    return not lists or gain > LEAST_GAIN * (2 if len(lists[0]) == 2 else 1)


def _table_cost(repeat: Node) -> int:
    rows = repeat.arguments.get("for", {})
    return _letters(replace(repeat, arguments={})) + sum(len(name) + len(str(values)) for name, values in rows.items())


def _is_wired(node: Node) -> bool:
    return any(key in each.keys for each in node.walk() for key in ("id", "from", "shared"))


def _table(windows: Sequence[Nodes], blocks: Blocks, steps: Steps | None) -> Node | None:
    """Windows that are alike as one repeat: `times` where they are equal, else `for`."""
    pattern = unified(windows, blocks)
    lawful = None if pattern is None else with_laws(pattern, steps)
    if lawful is None:
        return None
    layers, variables = named(lawful)
    if variables and any("for" in node.arguments for node in everything(windows[0])):
        return None  # names of the repeat inside could hide these
    first, last = windows[0][0], windows[-1][-1]
    arguments: dict[str, Any] = {"times": len(windows)}
    if variables:
        arguments = {"for": {name: list(variable.values) for name, variable in variables.items()}}
    return Node("repeat", arguments, {"layers": layers}, {}, first.place, "", 0, first.input, last.output)


def _settled(nodes: Nodes, blocks: Blocks, steps: Steps | None) -> Nodes:
    """What is still a stage of its own as a repeat with laws or lists; one of a single iteration as its layers."""
    result: list[Node] = []
    for node in nodes:
        if node.word != "repeat" or not _has_series(node):
            inner = node.mapped(lambda items: _settled(items, blocks, steps)) if node.word == "repeat" else node
            alone = inner.word == "repeat" and inner.arguments.get("times") == 1
            result.extend(inner.layers() if alone else (inner,))
            continue
        pattern = unified([node.layers()], blocks)
        assert pattern is not None
        lawful = with_laws(pattern, steps)
        if lawful is not None:
            layers, variables = named(lawful)
            assert not variables
            once = node.arguments["times"] == 1
            result.extend(layers if once else (replace(node, regions={"layers": layers}),))
        else:
            result.extend(_tables(_iterations(node), blocks, steps))
    return tuple(result)


def _has_series(node: Node) -> bool:
    return any(isinstance(value, Series) for each in node.walk() for value in each.arguments.values())


def _iterations(node: Node) -> Nodes:
    """The layers of a stage, iteration by iteration."""

    def at(items: Nodes, number: int) -> Nodes:
        result = []
        for item in items:
            values = {
                name: value.values[number] if isinstance(value, Series) else value
                for name, value in item.arguments.items()
            }
            kept = {name: value for name, value in values.items() if value is not ANYTHING}
            result.append(replace(item.mapped(lambda inner: at(inner, number)), arguments=kept))
        return tuple(result)

    return tuple(item for number in range(node.arguments["times"]) for item in at(node.layers(), number))
