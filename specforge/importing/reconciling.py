"""Modules of one class that differ in their shortcut alone -> lists that one pattern can describe.

    residual: [conv, batch_norm], shortcut [conv 1×1, batch_norm]     residual: […], shortcut: projection
    residual: [conv, batch_norm]                                  ->  residual: […], shortcut: projection
    conv, batch_norm  (of another shape than arrives)                 residual: […], shortcut: where_possible

`projection` and `where_possible` are what the language has for blocks that change the shape once a stage; both mean the
same as what stood there, for the shapes at hand.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

from specforge.catalog.discovery import definition
from specforge.importing.patterns import ANYTHING
from specforge.importing.tree import Node, Nodes, everything


def reconciled(family: Sequence[Node]) -> list[Nodes]:
    """The contents of some groups, with shortcuts in words where that makes them alike."""
    contents = [node.layers() for node in family]
    projected = [tuple(_projected(node) for node in content) for content in contents]
    if any(node.arguments.get("shortcut") == "projection" for content in projected for node in content):
        contents = [tuple(_named(node, "projection") for node in content) for content in projected]
    has_sum = [any(node.word == "residual" for node in content) for content in contents]
    whole = [content for content, sums in zip(contents, has_sum, strict=True) if sums]
    if all(has_sum) or not all(len(content) == 1 and _is_identity(content[0]) for content in whole) or not whole:
        return contents
    if any(not sums and node.input == node.output for node, sums in zip(family, has_sum, strict=True)):
        return contents  # it adds nothing though it could
    drops = any("drop_path" in content[0].arguments for content in whole)
    return [
        (_named(content[0], "where_possible"),) if sums else (_wrapped(node, drops),)
        for node, content, sums in zip(family, contents, has_sum, strict=True)
    ]


def _is_identity(node: Node) -> bool:
    return node.word == "residual" and "shortcut" not in node.regions and "shortcut" not in node.arguments


def _named(node: Node, shortcut: str) -> Node:
    """A residual that adds what arrives, with the word that means so where shapes agree."""
    if not _is_identity(node):
        return node
    return replace(node, arguments={"shortcut": shortcut, **node.arguments})


def _wrapped(node: Node, drops: bool) -> Node:
    """The layers of a group that changes the shape, as the body of a residual that adds nothing."""
    # whatever drop path says, there is no sum that it could act on
    arguments: dict[str, Any] = {"shortcut": "where_possible"} | ({"drop_path": ANYTHING} if drops else {})
    return Node("residual", arguments, {"layers": node.layers()}, {}, node.place, "", 0, node.input, node.output)


def _projected(node: Node) -> Node:
    """A residual whose shortcut is the usual projection, with the word for it."""
    shortcut = node.regions.get("shortcut", ())
    if node.word != "residual" or [each.word for each in shortcut] != ["conv", "batch_norm"]:
        return node
    conv, norm = shortcut
    strides = _strides(node.layers())
    wanted: dict[str, Any] = {"out_channels": node.output[0], "kernel_size": 1, "bias": False}
    wanted |= {"stride": strides} if strides != 1 else {}
    if strides is None or dict(conv.arguments) != wanted or norm.arguments or node.input == node.output:
        return node
    arguments = {"shortcut": "projection", **node.arguments}
    return replace(node, arguments=arguments, regions={"layers": node.layers()})


def _strides(body: Nodes) -> int | None:
    """By how much layers one after another thin out an image; None where that is not plain to see."""
    found = []
    for node in everything(body):
        kind = definition("layers", node.word)
        stride = node.arguments.get("stride", 1)
        if kind is None or not node.is_leaf or not isinstance(stride, int) or node.word.endswith("_pool"):
            return None
        found.append(stride)
    return prod(found)
