"""Steps that read values by number -> items that read the one above them, or say `from` where that is not so.

conv -> 1, relu (1) -> 2, add (2, 1)   ->   {id: conv_a, conv: …}, relu, {from: [previous, conv_a], add: }
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from specforge.expand.ids import MODULE_ATTRIBUTES, RESERVED
from specforge.importing.network import MERGES, Network
from specforge.importing.tree import Node, Nodes

if TYPE_CHECKING:
    from specforge.importing.structuring import Step


def wired(steps: "Sequence[Step]", network: Network) -> Nodes:
    """The nodes of all steps, with `id` and `from` where a value is read elsewhere than right below."""
    froms = _reads(steps)
    targets = {value for reads in froms.values() for value in reads if isinstance(value, int) and value}
    targets |= {network.output} - {_last_made(steps)}
    names = _names([step for step in steps if step.makes in targets])
    nodes = []
    for number, step in enumerate(steps):
        keys = dict(step.node.keys)
        if step.makes in names and step.node.is_leaf:
            keys = {"id": names[step.makes], **keys}
        if number in froms:
            read = [_address(value, names) for value in froms[number]]
            keys["from"] = read if len(read) > 1 else read[0]
        nodes.append(replace(step.node, keys=keys))
        if step.makes in names and not step.node.is_leaf:  # a composite stays like its neighbours
            shape = step.node.output
            nodes.append(Node("identity", keys={"id": names[step.makes]}, input=shape, output=shape))
    if steps and network.output != _last_made(steps):
        nodes.append(Node("identity", keys={"from": _address(network.output, names)}))
    return tuple(nodes)


def _last_made(steps: "Sequence[Step]") -> int:
    return next((step.makes for step in reversed(steps) if step.makes is not None), 0)


def _reads(steps: "Sequence[Step]") -> dict[int, list[int | str]]:
    """Of every step that does not just read what the one above it makes: the values, or `previous`."""
    running = 0
    found: dict[int, list[int | str]] = {}
    for number, step in enumerate(steps):
        is_merge = step.node.word in MERGES
        if is_merge or step.reads != (running,):
            found[number] = ["previous" if value == running and number else value for value in step.reads]
        running = running if step.makes is None else step.makes
    return found


def _address(value: int | str, names: dict[int | None, str]) -> str:
    if isinstance(value, str):
        return value
    return names[value] if value else "input"


def _names(steps: "Sequence[Step]") -> dict[int | None, str]:
    """An id for each of some steps: the end of its foreign path, and its word where that says nothing."""
    taken: Counter[str] = Counter()
    found: dict[int | None, str] = {}
    for step in steps:
        bare = re.sub(r"\W+", "_", step.node.place.rpartition(".")[2]).strip("_")
        name = bare if re.match(r"[A-Za-z]", bare) else f"{step.node.word}_{bare}".rstrip("_")
        name = name if step.node.is_leaf else f"after_{step.node.word}"
        if name in MODULE_ATTRIBUTES | RESERVED:
            name = f"{step.node.word}_{name}"
        taken[name] += 1
        found[step.makes] = name if taken[name] == 1 else f"{name}_{taken[name]}"
    return found
