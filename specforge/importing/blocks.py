"""Groups, which are foreign modules, -> blocks and their uses, stages of a repeat, or just their layers.

    group Bottleneck: [residual: …, relu]            bottleneck: {out_channels: 64}
    group Bottleneck: [residual: …, relu]     ->     bottleneck: {out_channels: 128, stride: 2}

Modules of one class that are alike become a block, whose params are what differs. What a module merely lists, and small
modules that are too different, are written out.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from specforge.catalog.discovery import definition
from specforge.importing.naming import WIDTHS, Variable, named
from specforge.importing.network import CONTAINERS
from specforge.importing.patterns import ANYTHING, Blocks, skeleton, unified
from specforge.importing.reconciling import reconciled
from specforge.importing.repeats import is_stage, stage
from specforge.importing.tree import GROUP, Node, Nodes, everything

MOST_FLAGS = 2  # parts of a block that some of its uses leave out
SMALL = 4  # layers that are as easily read as a name for them


def with_blocks(nodes: Nodes, blocks: Blocks) -> Nodes:
    """The layers without groups; the blocks that were made of them are added to `blocks`."""
    nodes = _without_parts(nodes)
    while True:
        inner = [node for node in everything(nodes) if node.word == GROUP and not _holds_group(node)]
        if not inner:
            return nodes
        waiting = {node.kind for node in everything(nodes) if node.word == GROUP and _holds_group(node)}
        kinds = {node.kind: None for node in inner}
        ready = [kind for kind in kinds if kind in CONTAINERS or kind not in waiting] or list(kinds)
        chosen: dict[int, Nodes] = {}
        for kind in ready:
            members = [node for node in inner if node.kind == kind]
            chosen |= _contained(members, blocks) if kind in CONTAINERS else _decided(kind, members, blocks)
        nodes = _replaced(nodes, chosen)


def _without_parts(nodes: Nodes) -> Nodes:
    """Without groups of plain layers that are the only one of their class in each module of one other class."""
    around: dict[str, list[tuple[str, str]]] = {}

    def walk(items: Nodes, outer: tuple[str, str]) -> None:
        for node in items:
            if node.word == GROUP and node.kind not in CONTAINERS:
                around.setdefault(node.kind, []).append(outer)
            inner = (node.kind, node.place) if node.word == GROUP and node.kind not in CONTAINERS else outer
            for region in node.regions.values():
                walk(region, inner)

    walk(nodes, ("", ""))
    parts = {
        kind
        for kind, found in around.items()
        if len({outer for outer, _ in found}) == 1 and found[0][0] and len(set(found)) == len(found)
    }

    def spliced(items: Nodes) -> Nodes:
        result: list[Node] = []
        for node in items:
            inner = node.mapped(spliced)
            is_part = node.word == GROUP and node.kind in parts and _is_plain(node)
            result.extend(inner.layers() if is_part else (inner,))
        return tuple(result)

    return spliced(nodes)


def _is_plain(group: Node) -> bool:
    """Whether nothing but layers one after another lies in a group, under whatever modules."""
    return all(node.is_leaf or node.word == GROUP for node in everything(group.layers()))


def _holds_group(node: Node) -> bool:
    return any(each.word == GROUP for items in node.regions.values() for each in everything(items))


def _replaced(nodes: Nodes, chosen: dict[int, Nodes]) -> Nodes:
    result: list[Node] = []
    for node in nodes:
        if id(node) in chosen:
            result.extend(chosen[id(node)])
        else:
            result.append(node.mapped(lambda items: _replaced(items, chosen)) if _holds_group(node) else node)
    return tuple(result)


def _contained(members: Sequence[Node], blocks: Blocks) -> dict[int, Nodes]:
    """Modules that only list others: a stage where all are alike, else what they list."""
    return {
        id(node): (stage(node.layers(), blocks, node),)
        if is_stage(node.layers(), blocks) and not node.keys
        else _written_out(node)
        for node in members
    }


def _decided(kind: str, members: Sequence[Node], blocks: Blocks) -> dict[int, Nodes]:
    """What becomes of the modules of one class."""
    contents = [node.layers() for node in members]
    unwired = not any(node.keys for node in members)
    if (
        unwired
        and all(is_stage(content, blocks) for content in contents)
        and any(len(content) > 1 for content in contents)
    ):
        return _contained(members, blocks)
    written_out = {id(node): _written_out(node) for node in members}
    inside = [node for content in contents for node in everything(content)]
    if any(node.keys or node.word == "repeat" for node in inside) or not all(contents):
        return written_out
    small = all(len(content) <= SMALL and all(node.is_leaf for node in content) for content in contents)
    families = _families(members, blocks)
    flagged = any(node.keys for _, pattern in families for node in everything(pattern))
    if small and (len(families) > 1 or flagged or len(members) < 3 or len(contents[0]) < 2):
        return written_out
    result = dict(written_out)
    for family, pattern in families:
        if _deserves_block(family):
            name = _block_name(kind, blocks, strided=len(families) > 1 and _shrinks(family))
            result |= _made_block(name, family, pattern, blocks)
    return result


def _written_out(group: Node) -> Nodes:
    """The layers of a group, of which the first reads what the group reads, and the last has its name."""
    layers = list(group.layers())
    for at, key in ((0, "from"), (-1, "id")):
        if key in group.keys:
            layers[at] = replace(layers[at], keys={key: group.keys[key], **layers[at].keys})
    return tuple(layers)


def _deserves_block(family: Sequence[Node]) -> bool:
    """Several of them, or one that is a structure of its own."""
    inside = list(everything(family[0].layers()))
    if len(family) > 1:
        return len(inside) > 1
    composite = any(node.word in ("branches", "residual") for node in inside)
    return composite and len(inside) >= 7 and not any(node.word == "auxiliary" for node in inside)


def _families(members: Sequence[Node], blocks: Blocks) -> list[tuple[list[Node], Nodes]]:
    """The modules of a class sorted into those that one pattern describes, the pattern with them."""
    alike: dict[Any, list[Node]] = {}
    for member in members:
        alike.setdefault(tuple(map(skeleton, member.layers())), []).append(member)
    families: list[tuple[list[Node], Nodes]] = []
    for group in alike.values():
        if not _joined(group, families, blocks):
            for member in group:  # the same words, and an argument that only some have
                joined = _joined([member], families, blocks)
                assert joined, "a module is like itself"
    return families


def _joined(group: list[Node], families: list[tuple[list[Node], Nodes]], blocks: Blocks) -> bool:
    """Put modules into the first family that they are like, or make one of them; False where they are not alike."""
    for number, (family, _) in enumerate(families):
        pattern = _pattern([*family, *group], blocks)
        if pattern is not None:
            families[number] = ([*family, *group], pattern)
            return True
    pattern = _pattern(group, blocks)
    if pattern is not None:
        families.append((group, pattern))
    return pattern is not None


def _pattern(family: Sequence[Node], blocks: Blocks) -> Nodes | None:
    pattern = unified(reconciled(family), blocks, optional=True)
    if pattern is None:
        return None
    optional = [node for node in everything(pattern) if "when" in node.keys]
    flags = {node.keys["when"].values for node in optional}
    lacking = sum(1 for node in optional for each in node.walk() if each.is_leaf)
    leaves = sum(1 for node in everything(pattern) if node.is_leaf)
    return pattern if len(flags) <= MOST_FLAGS and 2 * lacking <= leaves else None


def _made_block(name: str, family: Sequence[Node], pattern: Nodes, blocks: Blocks) -> dict[int, Nodes]:
    """Define a block, and give its use for each member."""
    arriving = [node.input[0] if node.input else 1 for node in family]
    layers, variables = named(pattern, arriving)
    params = {variable.name: _default(variable, blocks) for variable in variables.values()}
    params = dict(sorted(params.items(), key=lambda pair: pair[1] != "required"))
    blocks.params[name], blocks.layers[name] = params, layers
    uses: dict[int, Nodes] = {}
    for number, node in enumerate(family):
        given = {
            param: ANYTHING if variables[param].is_free(number) and default != "required" else value
            for param, default in params.items()
            for value in (variables[param].values[number],)
        }
        arguments = {param: value for param, value in given.items() if not _is_default(value, params[param])}
        uses[id(node)] = (Node(name, arguments, {}, node.keys, node.place, node.kind, 0, node.input, node.output),)
    return uses


def _is_default(value: Any, default: Any) -> bool:
    return bool(value == default and type(value) is type(default))


def _default(variable: Variable, blocks: Blocks) -> Any:
    """A param's default: the layer's own, or what most uses have; `required` for widths."""
    slot = variable.slot
    if slot.argument in WIDTHS:
        return "required"
    if slot.argument == "when":
        return True
    usual = blocks.default(slot.word, slot.argument)
    kinds = {type(value) for value in variable.values}
    fitting = any(_is_default(value, usual) for value in variable.values) or slot.argument == "drop_path"
    if usual is not ANYTHING and fitting and kinds <= {type(usual), list}:
        return usual
    most = max(variable.values, key=variable.values.count)
    return most if slot.argument in ("kernel_size", "activation") else "required"


def _shrinks(family: Sequence[Node]) -> bool:
    """Whether the modules make images smaller."""
    return all(node.output[1:] < node.input[1:] for node in family)


def _block_name(kind: str, blocks: Blocks, *, strided: bool) -> str:
    """A class's name as a block's: `_DenseLayer` is `dense_layer`, `BasicConv2d` is `basic_conv`."""
    bare = re.sub(r"[123]d$", "", kind.strip("_"))
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", bare).lower()
    name += "_strided" * strided
    if definition("layers", name) is not None:
        name = f"{name}_block"
    while name in blocks.params:
        name = f"{name}_2" if not re.search(r"_\d+$", name) else re.sub(r"\d+$", lambda m: str(int(m[0]) + 1), name)
    return name
