"""A flat network -> a tree: sums become `residual`, concats `branches`, what belongs to one foreign module a `group`.

    1 conv (0)                      residual:
    2 batch_norm (1)        ->        layers: [conv, batch_norm]
    3 add (2, 0)

A merge becomes a composite when its inputs, followed back through values that nothing else reads, all begin at the same
value; that computes the same by construction. Any other merge stays what it is, an item that says `from`.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from specforge.importing.network import MERGES, Network
from specforge.importing.tree import Node, Nodes, common_place, grouped, leaf
from specforge.importing.units import with_units
from specforge.importing.wiring import wired

SHORTCUT_LAYERS = 3  # a path of more layers is one of several equals, not a shortcut
DEEPEST = 6  # composites in each other
LONG_WAY = 24  # layers that a value passes by before it is read again: such a connection is written as `from`


@dataclass(frozen=True, slots=True)
class Step:
    """A node, the values that it reads, and the one that it makes; a side branch makes none."""

    node: Node
    reads: tuple[int, ...]
    makes: int | None


def structured(network: Network) -> Nodes:
    """The network as the layers of a spec, with groups for its modules."""
    steps = _composed(network)
    members = Counter(
        place for number in _members(step.node for step in steps) for place in _above(network.made_by(number).place)
    )
    nodes = wired(steps, network)
    return _grouped(nodes, "", network, members) if network.modules else with_units(nodes)


def _composed(network: Network) -> list[Step]:
    uses = network.uses()
    steps: dict[int, Step] = {}  # by the number of what they make, in order
    for number, operation in enumerate(network.operations, 1):
        steps[number] = Step(leaf(operation, number, network.shape_of(operation.inputs[0])), operation.inputs, number)
        if operation.word in MERGES:
            _compose(steps, number, uses, network)
        if number in network.side_outputs:
            steps = _set_aside(steps, number, uses, network.side_outputs[number])
    return list(steps.values())


def _chain(steps: dict[int, Step], value: int, uses: Counter[int]) -> tuple[list[Step], int]:
    """The steps that lead to a value and to nothing else, and the value that they begin with."""
    chain: list[Step] = []
    while uses[value] == 1 and value in steps and len(steps[value].reads) == 1:
        chain.append(steps[value])
        value = steps[value].reads[0]
    return chain[::-1], value


def _compose(steps: dict[int, Step], number: int, uses: Counter[int], network: Network) -> None:
    """Put the last step, a merge, and the paths to it in one composite, if it is the only one who reads them."""
    merge = steps[number]
    if len(set(merge.reads)) < 2:
        return
    found = [_chain(steps, value, uses) for value in merge.reads]
    paths, (start, *others) = [path for path, _ in found], [start for _, start in found]
    if any(other != start for other in others):
        return
    node = _composite(merge.node, paths, network, start)
    if node is None:
        return
    inside = [step for path in paths for step in path]
    for step in inside:
        del steps[_key(step)]
    for step in [*inside, merge]:
        uses.subtract(step.reads)
    uses[start] += 1
    steps[number] = Step(node, (start,), number)


def _key(step: Step) -> int:
    assert step.makes is not None, "only side branches make nothing, and nothing reads them"
    return step.makes


def _composite(merge: Node, paths: list[list[Step]], network: Network, start: int) -> Node | None:
    regions = [tuple(step.node for step in path) for path in paths]
    place = common_place([merge.place, *(node.place for path in regions for node in path)])
    whole = replace(merge, arguments={}, keys={}, place=place, operation=0, input=network.shape_of(start))
    if not all(regions) and sum(1 for path in regions for node in path for _ in node.walk()) > LONG_WAY:
        return None
    if max(_depth(node) for path in regions for node in path) >= DEEPEST:
        return None
    shapes = {path[-1].output if path else network.shape_of(start) for path in regions}
    if merge.word == "add" and len(regions) == 2 and len(shapes) == 1:
        body, shortcut = sorted(regions, key=lambda path: -sum(1 for node in path for _ in node.walk()))
        if len(shortcut) <= SHORTCUT_LAYERS and len(shortcut) < len(body):
            return _residual(body, shortcut, replace(whole, word="residual"))
    if merge.word == "matmul" or merge.arguments:
        return None
    arguments = {} if merge.word == "concat" else {"merge": merge.word}
    named = {str(number): path for number, path in enumerate(regions)}
    return replace(whole, word="branches", arguments=arguments, regions=named)


def _depth(node: Node) -> int:
    """How many composites lie in each other here."""
    return max((1 + _depth(item) for items in node.regions.values() for item in items), default=int(not node.is_leaf))


def _residual(body: Nodes, shortcut: Nodes, node: Node) -> Node:
    """A residual layer; a body that ends with stochastic depth says so as `drop_path`."""
    arguments = {}
    if len(body) > 1 and body[-1].word == "stochastic_depth" and set(body[-1].arguments) == {"p"}:
        arguments["drop_path"] = body[-1].arguments["p"]
        body = body[:-1]
    regions = {"layers": body, "shortcut": shortcut} if shortcut else {"layers": body}
    return replace(node, arguments=arguments, regions=regions)


def _set_aside(steps: dict[int, Step], number: int, uses: Counter[int], weight: float) -> dict[int, Step]:
    """The steps with an output for training alone, and what leads to it, in an `auxiliary` behind what that reads."""
    chain, start = _chain(steps, number, uses)
    if not chain:
        return steps
    nodes = tuple(step.node for step in chain)
    side = Node(
        "auxiliary",
        {} if weight == 1 else {"weight": weight},
        {"layers": nodes},
        place=common_place([node.place for node in nodes]),
        input=nodes[0].input,
        output=nodes[0].input,
    )
    gone = {step.makes for step in chain}
    kept = [(key, step) for key, step in steps.items() if key not in gone]
    at = next((index + 1 for index, (key, _) in enumerate(kept) if key == start), 0)
    return dict([*kept[:at], (-number, Step(side, (start,), None)), *kept[at:]])


def _members(nodes: Iterable[Node]) -> list[int]:
    """The operations of some nodes, without merges, which a foreign module may leave to the one around it."""
    return [node.operation for top in nodes for node in top.walk() if node.operation and node.word not in MERGES]


def _above(place: str) -> list[str]:
    """A path and all that it lies in."""
    parts = place.split(".")
    return [".".join(parts[: length + 1]) for length in range(len(parts))]


def _grouped(nodes: Nodes, around: str, network: Network, members: Counter[str]) -> Nodes:
    """Runs of nodes of one foreign module inside `around` as groups, and the same in every region."""
    result: list[Node] = []
    run: list[Node] = []
    running = ""

    def close() -> None:
        result.extend(_group(tuple(run), running, network, members) if run else ())
        run.clear()

    for node in nodes:
        module = _module_inside(node.place, around, network)
        if module != running or not module:
            close()
        running = module
        if module:
            run.append(node)
        else:
            result.append(_inside(node, network, members))
    close()
    return tuple(result)


def _inside(node: Node, network: Network, members: Counter[str]) -> Node:
    return node.mapped(lambda items: _grouped(items, node.place, network, members))


def _module_inside(place: str, around: str, network: Network) -> str:
    """The module right inside `around` that holds a place; empty where there is none, or it is a layer itself."""
    if place == around or not place.startswith(f"{around}." if around else ""):
        return ""
    rest = place[len(around) + 1 if around else 0 :]
    module = (f"{around}." if around else "") + rest.split(".")[0]
    return module if module in network.modules else ""


def _group(run: Nodes, module: str, network: Network, members: Counter[str]) -> Nodes:
    """The nodes of a module as one group, if they are all of it and nothing else reads a part of it."""
    inner = _grouped(run, module, network, members)
    whole = len(_members(run)) == members[module]
    group = grouped(inner, network.modules[module], module) if whole else None
    return inner if group is None else (group,)
