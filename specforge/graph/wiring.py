"""Spec -> Graph, second step: the modules that carry out what `from` and side branches say.

A composite whose layers read what its class does not hand them becomes a `Wired` module with a program, its layers in
execution order with the numbers of the values that each reads and makes:

    - {id: stem, conv: …}                        (("stem", (0,), 1),
    - {id: body, conv: …}                   ->    ("body", (1,), 2),
    - {from: [stem, previous], concat: }          ("concat_1", (1, 2), 3))

The smallest composite that holds both ends of a read is wired, and those between are opened: their layers become steps
of its program, they themselves only hold names. All other composites stay what they are. Values are numbered from 0,
the input, inside every program, so that equal blocks have equal programs.
"""

from collections.abc import Iterator

from specforge.catalog.definition import Call, Composite, Literals
from specforge.graph.node import GraphNode

CONTAINER = Call("torch.nn.Sequential")


def wire(root: GraphNode) -> GraphNode:
    """The tree with the calls of wired and opened composites in place."""
    marks = _Marks(root)
    marks.visit(root, [])
    return _rebuilt(root, marks, {})


class _Marks:
    """The paths of the composites that must be wired, and of those that must be opened."""

    def __init__(self, root: GraphNode) -> None:
        self.wired: set[str] = set()
        self.opened: set[str] = set()
        self.made: dict[str, frozenset[int]] = {}
        # by path and value: the child that makes the value inside, not as its result
        self.hiding: dict[tuple[str, int], GraphNode] = {}
        self._collect(root)

    def _collect(self, node: GraphNode) -> frozenset[int]:
        """The numbers of all values that are made inside a node."""
        below = [self._collect(child) for child in node.children]
        makes = not node.is_composite or node.joins
        self.made[node.path] = frozenset((node.number,) if makes else ()).union(*below)
        for child, made in zip(node.children, below, strict=True):
            if child.is_composite:
                self.hiding |= dict.fromkeys(((node.path, number) for number in made - {child.number}), child)
        return self.made[node.path]

    def visit(self, node: GraphNode, above: list[GraphNode]) -> None:
        inside = [*above, node]
        for child in node.children:
            if child.is_side_branch:
                self.connect(inside, inside[0])
            for number in child.reads if child.sources not in ((), ("previous",)) else ():
                self.read(inside, number)
            self.visit(child, inside)

    def read(self, above: list[GraphNode], number: int) -> None:
        """An item in the last of `above` reads a value by name."""
        home = next(level for level in reversed(above) if number in level.reads or number in self.made[level.path])
        self.connect(above, home)
        hiding = self.hiding.get((home.path, number))
        while hiding is not None:
            self.opened.add(hiding.path)
            hiding = self.hiding.get((hiding.path, number))

    def connect(self, above: list[GraphNode], home: GraphNode) -> None:
        """Wire `home` and open everything between it and the item."""
        self.wired.add(home.path)
        self.opened |= {level.path for level in above[above.index(home) + 1 :]}


def _rebuilt(node: GraphNode, marks: _Marks, done: dict[str, GraphNode]) -> GraphNode:
    """The node with its final call; `done` has those before it, by path, of which it may share one as a whole."""
    if not node.is_composite:
        return node
    children = tuple([_rebuilt(child, marks, done) for child in node.children])
    call = node.call
    if node.path in marks.opened:
        call = CONTAINER
    elif node.path in marks.wired:
        call = _wired(node, marks)
    rebuilt = node._replace(children=children, call=call)
    owner = None if node.shares is None else done.get(node.shares)
    if node.path in marks.opened or owner is None or not _run_alike(rebuilt, owner, marks):
        rebuilt = rebuilt._replace(shares=None)  # its layers share one by one
    done[node.path] = rebuilt
    return rebuilt


def _run_alike(node: GraphNode, owner: GraphNode, marks: _Marks) -> bool:
    """Whether a composite's module can stand for another's: both as a whole, with the same calls inside."""
    if not node.is_composite or len(node.children) != len(owner.children):
        return not node.is_composite
    same = node.call == owner.call and owner.path not in marks.opened
    return same and all(_run_alike(*pair, marks) for pair in zip(node.children, owner.children, strict=True))


def _wired(node: GraphNode, marks: _Marks) -> Call:
    names = {node.reads[0]: 0}
    program = []
    for does, reads, makes in _steps(node, node.path, marks):
        names.setdefault(makes, len(names))
        program.append((does, tuple(names[number] for number in reads), names[makes]))
    arguments: dict[str, Literals | Call] = {"program": tuple(program), "output": names[node.number]}
    branches = [] if node.path else [branch for branch in node.walk() if branch.is_side_branch]
    if branches:  # the whole network has them, as everything around them is opened
        arguments["heads"] = tuple((branch.path, names[branch.number], _loss_weight(branch)) for branch in branches)
        inside = frozenset[int]().union(*(marks.made[branch.path] for branch in branches))
        arguments["training_only"] = tuple(sorted(names[number] for number in inside & names.keys()))
    return Call("specforge.modules.Wired", arguments)


def _loss_weight(branch: GraphNode) -> float:
    assert isinstance(branch.layer, Composite)
    return branch.layer.loss_weight


def _steps(node: GraphNode, base: str, marks: _Marks) -> Iterator[tuple[str | Call, tuple[int, ...], int]]:
    """What is done in order: a module by its path below `base` or the operation that joins values."""
    for child in node.children:
        if child.path in marks.opened:
            yield from _steps(child, base, marks)
        elif child.number not in child.reads:  # an empty composite does nothing
            yield child.path[len(base) + 1 if base else 0 :], child.reads, child.number
    if node.joins:
        assert isinstance(node.layer, Composite)
        yield node.layer.join().lower(node.output), node.joins, node.number
