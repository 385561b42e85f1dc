"""What the emitted file says in words: its header, the docstrings of classes, shapes and types."""

from collections.abc import Iterable, Sequence
from typing import Any

from specforge.catalog.definition import Merge
from specforge.diagnostics import printable
from specforge.emit.python.classes import Class
from specforge.emit.python.terms import ABSENT, Name, Variable
from specforge.graph import Graph, GraphNode
from specforge.resolved import spec_hash
from specforge.shapes import Shape, elements
from specforge.spec import Spec

_AXES = {1: ("C",), 2: ("C", "L"), 3: ("C", "H", "W"), 4: ("C", "D", "H", "W")}


def header(spec: Spec, graph: Graph, name: str, fills: bool, from_images: Sequence[str]) -> list[str]:
    """The paragraphs of the file's docstring."""
    said = " ".join((spec.description or "").split())
    title = printable(f"{spec.name}: {said}" if said else f"{spec.name}.")
    named = any(isinstance(axis, str) for axis in graph.axes)
    sizes = (
        " of any size from " + batch(graph.smallest) + " on; shapes below are for " + batch(graph.input)
        if named
        else ""
    )
    table = [
        f"    input       {batch(graph.axes)}{sizes}",
        f"    output      {batch(graph.output)}",
        f"    parameters  {graph.trainable_parameters:,} trainable, {graph.non_trainable_parameters:,} not trainable",
        f"    MACs        {graph.macs:,} for one image",
        f"    spec        {spec_hash(spec)}",
    ]
    paragraphs = [title, "\n".join(table)]
    if graph.heads:
        each = ", ".join(f"`{head.path}` (weight {head.weight:g})" for head in graph.heads)
        paragraphs.append(
            f"In training it gives its output and a dict of side branches, each with a loss of its own: {each}. In "
            "evaluation it gives its output alone."
        )
    paragraphs.append("Made by specforge. The weights of a run load as they are, for they have the same names:")
    paragraphs.append(
        f"    from safetensors.torch import load_file\n\n    model = {name}()\n"
        '    model.load_state_dict(load_file("runs/…/checkpoints/epoch-…/weights.safetensors"))'
    )
    if fills:
        paragraphs.append("New weights are torch's own; `initialize(model)` draws those that the spec asks for.")
    published = [f"`{node.path}`" for node in graph.nodes if node.kind == "pretrained"]
    if published:
        paragraphs.append(f"The published weights of {', '.join(published)} are not in this file: load those of a run.")
    if from_images:
        listed = ", ".join(f"`{path}`" for path in from_images)
        paragraphs.append(f"Not carried over: {listed} would start as the training images say.")
    return paragraphs


def class_text(found: Class, graph: Graph) -> list[str]:
    """The paragraphs of a class's docstring."""
    nodes = [instance.node for instance in found.instances]
    counts = sorted({parameters(node) for node in nodes})
    flow = " -> ".join(_shapes(found.parameters, nodes))
    amount = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    uses = f"; {len(nodes)} uses" if len(nodes) > 1 else ""
    text = [f"{flow}; {amount} parameters{uses}."]
    if found.is_root and graph.heads:
        text.append("In training, also what each side branch gives, by its path.")
    return text


def shapes_of(found: Class) -> dict[str, str]:
    """What leaves the layers of a class that is used once, where it is not as what arrived."""
    if len(found.instances) > 1:
        return {}
    node, shapes = found.instances[0].node, dict[str, str]()
    before = node.input
    for child in node.children:
        if child.output != before:
            shapes[child.name] = batch(child.output)
        before = before if child.is_side_branch else child.output
    return shapes


def parameters(node: GraphNode) -> int:
    """Values that an optimizer may change."""
    return sum(elements(p.shape) for leaf in node.leaves() for p in leaf.parameters if p.role == "parameter")


def batch(shape: Iterable[int | str]) -> str:
    return f"(N, {', '.join(map(str, shape))})"


def is_joining(node: GraphNode) -> bool:
    """Whether it is an operation of values, which needs no module."""
    return isinstance(node.layer, Merge)


def _shapes(variables: list[Variable], nodes: list[GraphNode]) -> tuple[str, str]:
    """What arrives at and leaves several uses of a class, sizes that differ by name or letter."""
    known: dict[str, tuple[int, ...]] = {variable.name: variable.column for variable in variables}
    before = _shape([node.input for node in nodes], known, "")
    return before, _shape([node.output for node in nodes], known, "'")


def _shape(shapes: list[Shape], known: dict[str, tuple[int, ...]], mark: str) -> str:
    """The sizes of one side, those of the side before being `known`."""
    if len({len(shape) for shape in shapes}) > 1:
        return f"(N, …){mark}"
    columns = list(zip(*shapes, strict=True))
    letters = _AXES[len(columns)] if len(columns) in _AXES else tuple(f"D{n}" for n in range(1, len(columns) + 1))
    said = []
    for letter, column in zip(letters, columns, strict=True):
        if len(set(column)) == 1:
            said.append(str(column[0]))
        elif known.get(letter) == column:
            said.append(letter)
        else:
            name = next((n for n, other in known.items() if other == column and n.isidentifier() and len(n) > 1), None)
            said.append(name or _part(letter, column, known) or letter + mark)
            known.setdefault(said[-1], column)
    return batch(said)


def _part(letter: str, column: tuple[int, ...], known: dict[str, tuple[int, ...]]) -> str | None:
    """`H/2` for sizes that are half of others everywhere."""
    for factor in (2, 4):
        if all(factor * part == whole for part, whole in zip(column, known.get(letter, ()), strict=False)):
            return f"{letter}/{factor}" if letter in known else None
    return None


def type_of(column: Iterable[Any]) -> str:
    """The type of all values: `int`, `float | None`, `tuple[tuple[int, int], ...]`."""
    values = list(column)
    tables = [value for value in values if isinstance(value, tuple)]
    found = {_plain_type(value) for value in values if not isinstance(value, tuple)}
    if "float" in found:
        found.discard("int")
    if tables:
        found.add(_tuple_type(tables))
    return " | ".join(sorted(found, key=lambda name: (name == "None", name)))


def _tuple_type(tables: list[tuple[Any, ...]]) -> str:
    entries = [entry for table in tables for entry in table]
    lengths = {len(table) for table in tables}
    if entries and len(lengths) == 1 and not any(isinstance(entry, tuple) for entry in entries):
        columns = [type_of(column) for column in zip(*tables, strict=True)]
        return f"tuple[{', '.join(columns)}]"
    return f"tuple[{type_of(entries) if entries else 'int'}, ...]"


def _plain_type(value: Any) -> str:
    if value is None or value is ABSENT:
        return "None"
    return "type[nn.Module]" if isinstance(value, Name) else type(value).__name__
