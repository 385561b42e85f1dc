"""Graph -> what each class of the emitted file holds and does, one `Instance` for each use.

Composites whose layers simply follow one another are written where they stand, as `nn.Sequential`; blocks, residuals,
branches, and all that is wired are classes. A layer that uses weights which another class registers is called by the
smallest class that holds both; the composites between it and the layer are `opened`: they only hold layers.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from typing import Literal as Either

from specforge.catalog.definition import Call, Composite, Merge
from specforge.diagnostics import Span
from specforge.emit.python.terms import Group, Held, Literal, Loop, Make, Term
from specforge.graph import Graph, GraphNode

Kind = Either["chain", "sum", "fork", "wired"]
Label = tuple[str, ...]
_COUNTED = re.compile(r"(.+)_\d+")
_FAMILIES = {"activation": "activation", "piecewise": "activation", "pooling": "pool", "regularization": "dropout"}
_HINTS = {("nn.Dropout", "p"): "dropout", ("StochasticDepth", "p"): "drop_path"}
_PER_AXIS = ("kernel_size", "stride", "padding", "dilation")
_VARIABLE = re.compile(r"\$\(?([A-Za-z_]\w*)\)?", re.ASCII)
_MAIN = re.compile(rf"\s*:\s*{_VARIABLE.pattern}\s*(?:[,\]}}#].*)?$", re.ASCII)
_SLIDING = re.compile(r"nn\.(Conv|MaxPool|AvgPool)")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a class does: run a layer below it, or join values. `values` are numbered as in the graph."""

    does: str | Call
    reads: tuple[int, ...]
    makes: int
    node: GraphNode


@dataclass(eq=False)
class Instance(Term):
    """A use of a class: what it holds, and what it does with it. `build` is its constructor's call, once known.

    `chain` layers follow one another, `sum` adds a shortcut, `fork` joins paths; `wired` has steps.
    """

    label: Label
    kind: Kind
    node: GraphNode
    children: tuple[tuple[str, Term], ...]
    steps: tuple[Step, ...] = ()
    output: int = 0
    build: Make | None = None


class Bodies:
    """The terms of a graph's composites, outermost first. `texts` are the files that it was written in."""

    def __init__(self, graph: Graph, texts: Mapping[str, str]):
        self.graph, self.texts = graph, {file: text.splitlines() for file, text in texts.items()}
        self.nodes = {node.path: node for node in graph.nodes}
        self.opened, self.written = self._opened()
        self.instances: list[Instance] = []
        self.sums = frozenset[Label]()
        self._instance(graph.root, ())
        self.sums = self._plain_sums()
        self.instances = []
        self.root = self._instance(graph.root, ())

    def _opened(self) -> tuple[set[str], set[str]]:
        """The composites that only hold layers, and those that say what is done with layers further below."""
        opened, written = set[str](), set[str]()
        for node in self.graph.nodes:
            if node.call.target == "specforge.modules.Wired":
                written.add(node.path)
                opened |= self._between(node)
        while True:
            before = len(opened), len(written)
            for path, owner in self._sharing(self.graph.root, opened):
                above, below = _ancestors(path), set(_ancestors(owner))
                home = next(level for level in reversed(above) if level in below)
                written.add(home)
                opened |= {level for level in above if len(level) > len(home)}
            if (len(opened), len(written)) == before:
                return opened, written | opened

    def _between(self, wired: GraphNode) -> set[str]:
        """What a program reaches into."""
        program: Any = wired.call.arguments["program"]
        base = f"{wired.path}." if wired.path else ""
        steps = [base + does for does, _, _ in program if isinstance(does, str)]
        return {level for step in steps for level in _ancestors(step) if len(level) > len(wired.path)}

    def _sharing(self, node: GraphNode, opened: set[str]) -> Iterator[tuple[str, str]]:
        """The paths of what uses others' weights, each with that of their owner."""
        for child in node.children:
            owner = self._owner(child, opened)
            if owner is not None:
                yield child.path, owner
            else:
                yield from self._sharing(child, opened)

    def _owner(self, node: GraphNode, opened: set[str]) -> str | None:
        """Whose weights a layer uses as a whole, which it can't where those who have them are run one by one."""
        if node.shares is None:
            return None
        if any(path == node.shares or path.startswith(f"{node.shares}.") for path in opened):
            return None
        return node.shares

    def _instance(self, node: GraphNode, label: Label) -> Instance:
        kind = self._kind(node)
        children = tuple(self._children(node, label, of_class=kind != "fork"))
        steps = tuple(self._steps(node, node.path)) if kind == "wired" else ()
        instance = Instance(label, kind, node, children, steps, node.number)
        self.instances.append(instance)
        return instance

    def _plain_sums(self) -> frozenset[Label]:
        """The labels of residuals that only ever add their own input: the class around them can do that."""
        plain, others = set[Label](), set[Label]()
        for instance in self.instances:
            is_plain = instance.kind == "sum" and all(name != "shortcut" for name, _ in instance.children)
            (plain if is_plain else others).add(instance.label)
        return frozenset(plain - others)

    def _kind(self, node: GraphNode) -> Kind:
        is_direct = all(
            child.path not in self.opened
            and self._owner(child, self.opened) is None
            and not isinstance(child.layer, Merge)
            for child in node.children
        )
        if node.call.target == "specforge.modules.Wired" or node.path in self.written or not is_direct:
            return "wired"
        kinds: dict[str, Kind] = {"specforge.modules.Residual": "sum", "specforge.modules.Branches": "fork"}
        return kinds.get(node.call.target, "chain")

    def _children(self, node: GraphNode, label: Label, *, of_class: bool = False) -> Iterator[tuple[str, Term]]:
        """The layers that a composite registers; a class can do the work of some of them."""
        for child in node.children:
            if self._owner(child, self.opened) is None and not isinstance(child.layer, Merge):
                yield child.name, self._term(child, node, label, of_class)

    def _term(self, node: GraphNode, parent: GraphNode, label: Label, of_class: bool) -> Term:
        if not node.is_composite:
            return self._leaf(node)
        if node.path in self.opened:
            return self._held(node, label)
        block, kind = self._block(node), self._kind(node)
        inside = (block,) if block else (*label, self._role(node, parent))
        if of_class and (kind == "fork" or (kind == "sum" and inside in self.sums)):
            join = node.call.arguments.get("join")
            return Held(self._held(node, inside), join if isinstance(join, Call) else None)
        is_stage = node.layer is None and parent.kind == "repeat" and any(map(self._is_long, parent.children))
        if kind != "chain" or node.kind == "residual" or ((is_stage or block) and node.children):
            if not block and label and label[-1].endswith(inside[-1]):  # no `InvertedResidualResidual`
                inside = (*label, "body")
            return self._instance(node, inside)
        return self._held(node, label)

    @staticmethod
    def _is_long(node: GraphNode) -> bool:
        """Whether an iteration is more than one layer."""
        return len(node.children) > 1 or any(child.kind == "repeat" for child in node.children)

    def _held(self, node: GraphNode, label: Label) -> Term:
        children = tuple(self._children(node, label))
        if node.kind == "repeat" and children and [name for name, _ in children] == [*map(str, range(len(children)))]:
            return Loop(tuple(term for _, term in children))
        return Group(children)

    def _block(self, node: GraphNode) -> str | None:
        """The name of the block that a node is a use of; a resolved spec has it in the path alone."""
        if node.kind != "sequential" or node.layer is None:
            return None
        inside = {child.span.used_by for child in node.children if child.span.used_by != node.span.used_by}
        for use in inside:
            if use is not None and use.span[:3] == node.span[:3]:
                return use.name
        counted = _COUNTED.fullmatch(node.name)
        word = counted[1] if counted else node.name
        return None if word == "sequential" else word

    def _role(self, node: GraphNode, parent: GraphNode) -> str:
        """What a class is inside the one that holds it: `residual`, `stage`, `head`."""
        if node.layer is None and parent.kind == "repeat":
            return "stage" if _COUNTED.fullmatch(parent.name) else parent.name.removesuffix("s")
        if node.layer is None and node.name.isdigit():
            return f"path_{int(node.name) + 1}"
        counted = _COUNTED.fullmatch(node.name)
        alike = sum(child.kind == node.kind for child in parent.children)
        return node.kind if counted and counted[1] == node.kind and alike == 1 else node.name

    def _leaf(self, node: GraphNode) -> Make:
        assert node.layer is not None
        fields = type(node.layer).model_fields
        defaults = {name: field.default for name, field in fields.items() if not field.is_required()}
        made = self._call(node.call, node)
        is_plain = not node.layer.parameters(node.input)
        role = _FAMILIES.get(type(node.layer).__module__.rpartition(".")[2], "layer")
        return Make(made.target, made.arguments, defaults, is_plain, role=role)

    def _call(self, call: Call, node: GraphNode | None) -> Make:
        target = call.target.replace("torch.nn.", "nn.").replace("specforge.modules.", "")
        arguments: list[tuple[str, Term]] = []
        for name, value in call.arguments.items():
            if isinstance(value, Call):
                arguments.append((name, self._call(value, None)))
            else:
                hint = self._hint(node, name) or _HINTS.get((target, name))
                arguments.append((name, Literal(_scalar(target, name, value), hint)))
        return Make(target, tuple(arguments), is_plain=True, role="activation")

    def _hint(self, node: GraphNode | None, argument: str) -> str | None:
        """The variable that the spec gives an argument by: `channels` for `out_channels: $channels`."""
        if node is None:
            return None
        span = node.argument_spans.get(argument)
        if span is None and node.layer is not None and node.layer.main == argument:
            written = self._line(node.span)[node.span.end_column - 1 :]
            found = _MAIN.match(written)
        elif span is not None and span.line == span.end_line:
            found = _VARIABLE.fullmatch(self._line(span)[span.column - 1 : span.end_column - 1])
        else:
            return None
        return None if found is None else found[1]

    def _line(self, span: Span) -> str:
        """The line of text where a span begins, or nothing where it is not known."""
        lines = self.texts.get(span.file, [])
        return lines[span.line - 1] if span.line <= len(lines) else ""

    def _steps(self, node: GraphNode, base: str) -> Iterator[Step]:
        for child in node.children:
            owner = self._owner(child, self.opened)
            if child.path in self.opened:
                yield from self._steps(child, base)
            elif isinstance(child.layer, Merge):
                yield Step(child.call, child.reads, child.number, child)
            elif child.number not in child.reads:  # an empty composite does nothing
                path = child.path if owner is None else owner
                yield Step(path[len(base) + 1 if base else 0 :], child.reads, child.number, child)
        if node.joins:
            assert isinstance(node.layer, Composite)
            yield Step(node.layer.join().lower(node.output), node.joins, node.number, node)

    @cached_property
    def registered(self) -> dict[str, list[str]]:
        """The names of the layers that a composite registers, by its path."""
        return {
            node.path: [
                child.name
                for child in node.children
                if self._owner(child, self.opened) is None and not isinstance(child.layer, Merge)
            ]
            for node in self.graph.nodes
            if node.is_composite
        }


def _ancestors(path: str) -> list[str]:
    """The composites around a path, outermost first: `a.b.c -> "", a, a.b`."""
    parts = path.split(".")
    return [".".join(parts[:number]) for number in range(len(parts))]


def _scalar(target: str, name: str, value: Any) -> Any:
    """One number for all axes where they are the same, as people write it."""
    if isinstance(value, tuple):
        if name in _PER_AXIS and _SLIDING.match(target) and len(set(value)) == 1:
            return value[0]
        if name == "normalized_shape" and len(value) == 1:
            return value[0]
    return value
