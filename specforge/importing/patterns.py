"""Lists of layers that are alike -> their pattern: the same layers, with a `Slot` for every argument.

    conv: {out_channels: 8, kernel_size: 3}             conv: {out_channels: Slot(8, 16), kernel_size: Slot(3, 3)}
    conv: {out_channels: 16, kernel_size: 3, bias: …} -> …

Filling a pattern's slots with their nth values gives the nth list again: `instance` does so, and the tests compare.
With `optional`, layers that some lists lack are in the pattern too, with `when`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any, Final

from specforge.catalog.definition import Layer
from specforge.catalog.discovery import definition
from specforge.importing.tree import Node, Nodes, everything

ACTIVATIONS: Final = frozenset((
    *("relu", "relu6", "leaky_relu", "elu", "celu", "selu", "gelu", "silu", "mish", "softplus"),
    *("sigmoid", "tanh", "hardsigmoid", "hardswish"),
))  # fmt: skip
CHOSEN: Final = "$"  # the word of a layer that differs from list to list; its argument `layer` holds it


class _Anything:
    """The value of an argument that one of the lists does not have, since it lacks the layer."""

    def __repr__(self) -> str:
        return "ANYTHING"


ANYTHING: Final = _Anything()


@dataclass(frozen=True, slots=True)
class Slot:
    """An argument of a pattern: its value in each list, and where it stands."""

    values: tuple[Any, ...]
    argument: str
    word: str
    place: str = ""

    @property
    def known(self) -> list[Any]:
        return [value for value in self.values if value is not ANYTHING]

    @property
    def is_constant(self) -> bool:
        return all(value == self.known[0] and type(value) is type(self.known[0]) for value in self.known)


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks that were made until now: name -> its params (name -> default, `required` without one) and layers."""

    params: dict[str, dict[str, Any]]
    layers: dict[str, Nodes]

    def default(self, word: str, argument: str) -> Any:
        """What an argument is unless given; `ANYTHING` where it must be given, or depends on others."""
        if word in self.params:
            found = self.params[word].get(argument, "required")
            return ANYTHING if found == "required" else found
        kind = definition("layers", word)
        field = None if kind is None else kind.model_fields.get(argument)
        if field is None or field.is_required() or field.default is None:
            return ANYTHING
        return list(field.default) if isinstance(field.default, tuple) else field.default


def order_of(word: str, blocks: Blocks) -> list[str]:
    """The arguments of a word, in the order in which they are written."""
    if word in blocks.params:
        return list(blocks.params[word])
    if word in ("repeat", "residual"):
        return ["times", "for", "shortcut", "drop_path"]
    kind = definition("layers", word)
    assert kind is None or issubclass(kind, Layer)
    return [] if kind is None else list(kind.model_fields)


def skeleton(node: Node) -> Any:
    """What two nodes have in common when they are alike: words and structure."""
    return node.word, tuple((name, tuple(map(skeleton, items))) for name, items in node.regions.items())


def unified(rows: Sequence[Nodes], blocks: Blocks, *, optional: bool = False) -> Nodes | None:
    """The pattern of several lists, None where they are not alike."""
    aligned = _aligned(rows) if optional else rows
    if aligned is None or any(len(row) != len(aligned[0]) for row in aligned):
        return None
    found: list[Node] = []
    for column in zip(*aligned, strict=True):
        node = _unified_node(column, blocks, optional=optional)
        if node is None:
            return None
        found.append(node)
    return _with_optional_runs(tuple(found)) if optional else tuple(found)


ABSENT: Final = Node("absent")


def _aligned(rows: Sequence[Nodes]) -> list[Nodes] | None:
    """The lists with `ABSENT` where they lack a layer of the longest."""
    longest = max(rows, key=lambda row: (len(list(everything(row))), len(row)))
    result = []
    for row in rows:
        matcher = SequenceMatcher(
            None, [_kind(node) for node in longest], [_kind(node) for node in row], autojunk=False
        )
        filled: list[Node] = [ABSENT] * len(longest)
        for start, other, length in matcher.get_matching_blocks():
            filled[start : start + length] = row[other : other + length]
        if sum(node is not ABSENT for node in filled) < len(row):
            return None
        result.append(tuple(filled))
    return result


def _kind(node: Node) -> str:
    return "an activation" if node.word in ACTIVATIONS else node.word


def _unified_node(column: Sequence[Node], blocks: Blocks, *, optional: bool) -> Node | None:
    there = [node for node in column if node is not ABSENT]
    first = there[0]
    if any(node.keys or node.regions.keys() != first.regions.keys() for node in there):
        return None
    if len({node.word for node in there}) > 1:
        return _chosen(column, first) if optional and all(node.word in ACTIVATIONS for node in there) else None
    slots = _slots(column, first, blocks)
    if slots is not None and "for" in slots and not slots["for"].is_constant:
        return None
    regions = {}
    for name in first.regions:
        region = unified([node.regions[name] for node in there], blocks, optional=optional)
        if region is None:
            return None
        regions[name] = tuple(_spread(node, column) for node in region)
    return None if slots is None else replace(first, arguments=slots, regions=regions, keys=_presence(column))


def _spread(node: Node, column: Sequence[Node]) -> Node:
    """A pattern of the lists that have the layer around it, as one of all lists."""
    if ABSENT not in column:
        return node

    def spread(slot: Any) -> Any:
        values = iter(slot.values)
        return replace(slot, values=tuple(ANYTHING if each is ABSENT else next(values) for each in column))

    keys = {name: spread(slot) for name, slot in node.keys.items()}
    arguments = {name: spread(slot) for name, slot in node.arguments.items()}
    changed = node.mapped(lambda items: tuple(_spread(item, column) for item in items))
    return replace(changed, arguments=arguments, keys=keys)


def _presence(column: Sequence[Node]) -> dict[str, Any]:
    if ABSENT not in column:
        return {}
    first = next(node for node in column if node is not ABSENT)
    return {"when": Slot(tuple(node is not ABSENT for node in column), "when", first.word, first.place)}


def _chosen(column: Sequence[Node], first: Node) -> Node:
    """An activation that differs: the layer is the argument."""
    values = tuple(
        ANYTHING if node is ABSENT else {node.word: dict(node.arguments)} if node.arguments else node.word
        for node in column
    )
    slot = Slot(values, "activation", CHOSEN, first.place)
    return replace(first, word=CHOSEN, arguments={"layer": slot}, keys=_presence(column))


def _slots(column: Sequence[Node], first: Node, blocks: Blocks) -> dict[str, Slot] | None:
    given = [name for node in column for name in node.arguments]
    names = [name for name in order_of(first.word, blocks) if name in given]
    slots = {}
    for name in names:
        values = []
        for node in column:
            value = node.arguments.get(name, blocks.default(first.word, name)) if node is not ABSENT else ANYTHING
            if value is ANYTHING and node is not ABSENT and name not in node.arguments:
                return None
            values.append(value)
        slots[name] = Slot(tuple(values), name, first.word, first.place)
    return slots


def _with_optional_runs(nodes: Nodes) -> Nodes:
    """Neighbours that the same lists lack, under one `when`."""
    result: list[Node] = []
    run: list[Node] = []

    def close() -> None:
        if len(run) > 1:
            inner = tuple(replace(node, keys={}) for node in run)
            result.append(Node("sequential", {}, {"layers": inner}, dict(run[0].keys), run[0].place))
        else:
            result.extend(run)
        run.clear()

    for node in nodes:
        if run and (not node.keys or node.keys["when"].values != run[0].keys["when"].values):
            close()
        (run if node.keys else result).append(node)
    close()
    return tuple(result)


def instance(pattern: Nodes, number: int) -> Nodes:
    """The list that a pattern stands for, of those it was made from."""
    result: list[Node] = []
    for node in pattern:
        keys = dict(node.keys)
        if "when" in keys and keys.pop("when").values[number] is not True:
            continue
        arguments = {name: slot.values[number] for name, slot in node.arguments.items()}
        inner = replace(node.mapped(lambda items: instance(items, number)), arguments=arguments, keys=keys)
        result.extend(_unwrapped(inner))
    return tuple(result)


def _unwrapped(node: Node) -> Nodes:
    if node.word == CHOSEN:
        layer = node.arguments["layer"]
        word, arguments = (layer, {}) if isinstance(layer, str) else next(iter(layer.items()))
        return (replace(node, word=word, arguments=arguments),)
    return (node,)


def slots_of(pattern: Nodes) -> list[Slot]:
    """All slots of a pattern, in the order of the text."""
    found = []
    for node in pattern:
        found += [slot for slot in [*node.keys.values(), *node.arguments.values()] if isinstance(slot, Slot)]
        for items in node.regions.values():
            found += slots_of(items)
    return found


def filled(pattern: Nodes, values: Mapping[int, Any]) -> Nodes:
    """The pattern with a value for each slot, by the slot's `id`; `ANYTHING` leaves the argument out."""
    result = []
    for node in pattern:
        arguments = {name: values.get(id(slot), slot) for name, slot in node.arguments.items()}
        keys = {name: values.get(id(slot), slot) for name, slot in node.keys.items()}
        inner = node.mapped(lambda items: filled(items, values))
        result.append(replace(inner, keys=keys, arguments={k: v for k, v in arguments.items() if v is not ANYTHING}))
    return tuple(result)
