"""A graph as a table: one row for every layer that computes, with shapes, cost, sight and memory.

path    kind    output        parameters     MACs  receptive field   memory
conv_1  conv    [32, 32, 32]         896  884,736              3×3   12 KiB
relu_1  relu    [32, 32, 32]                                   3×3  128 KiB

Below it stand the totals, and an estimate of what training takes at a batch size.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from specforge.catalog.discovery import word_for
from specforge.graph import Graph, weights_of
from specforge.graph.connections import Connection, connections
from specforge.graph.memory import TrainingMemory, kept_memory, training_memory
from specforge.graph.plan import optimizers
from specforge.graph.receptive_field import receptive_fields
from specforge.shapes import Shape, elements, spelled
from specforge.spec import Spec

HEADERS = ("path", "kind", "output", "parameters", "MACs", "receptive field", "memory")
NUMBERS = frozenset({3, 4, 5, 6})  # columns that are aligned right
WIRING = "wiring"  # a last column, where there is something to say
PHASES = {
    "forward": "in the forward pass",
    "loss": "in the loss",
    "backward": "in the backward pass",
    "step": "in the optimizer's step",
}


class Row(NamedTuple):
    """One layer. `parameters` counts trained values and running statistics; `macs` are for one image.

    `receptive_field` are the pixels along each spatial axis that one position sees, `kept_bytes` what autograd keeps
    of one image for it. `reads` are the paths of what its `from` names, `shares` is that of the layer whose weights it
    uses, `side_branch` that of the branch which it lies in.
    """

    path: str
    kind: str
    output: Shape
    parameters: int
    macs: int
    file: str
    line: int
    receptive_field: Shape
    kept_bytes: int
    reads: tuple[str, ...]
    shares: str | None
    side_branch: str | None


class Totals(NamedTuple):
    """Keras's convention: running statistics and frozen weights are not trainable."""

    trainable: int
    non_trainable: int
    total: int


def rows(graph: Graph) -> Iterator[Row]:
    """Layers in execution order."""
    fields, kept, wiring = receptive_fields(graph), kept_memory(graph), connections(graph)
    for node in graph.leaves():
        yield Row(
            node.path,
            node.kind,
            node.output,
            node.parameter_count(trainable=True) + node.parameter_count(trainable=False),
            node.macs,
            node.span.file,
            node.span.line,
            fields[node.number],
            kept.by_path[node.path],
            *wiring.get(node.path, Connection()),
        )


def totals(graph: Graph) -> Totals:
    return Totals(graph.trainable_parameters, graph.non_trainable_parameters, graph.total_parameters)


def training(spec: Spec, graph: Graph, batch_size: int | None = None) -> TrainingMemory | None:
    """The estimate for a batch size, the recipe's own by default; None where there is neither."""
    recipe = spec.train
    if batch_size is None and recipe is not None:
        batch_size = max(stage.batch_size for stage in recipe.all_stages)
    if batch_size is None:
        return None
    moved = {} if recipe is None else optimizers(recipe, weights_of(graph))
    return training_memory(graph, batch_size, moved, averaged=recipe is not None and recipe.ema is not None)


def to_dict(spec: Spec, graph: Graph, batch_size: int | None = None) -> dict[str, Any]:
    """The JSON shape that `summary --format json` promises; tuples become lists."""
    needed = training(spec, graph, batch_size)
    return {
        "name": spec.name,
        "input": graph.input,
        "output": graph.output,
        "parameters": totals(graph)._asdict(),
        "macs": graph.macs,
        "layers": [row._asdict() for row in rows(graph)],
        "heads": [head._asdict() for head in graph.heads],
        "kept_bytes": kept_memory(graph).total,
        "training_bytes": needed and needed._asdict(),
    }


def cells(graph: Graph) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The table's headers and its rows as text; numbers that are 0 are left blank."""
    lines: list[tuple[str, ...]] = []
    for row in rows(graph):
        line = (row.path, row.kind, spelled(row.output), _number(row.parameters), _number(row.macs))
        lines.append((*line, _field(row.receptive_field, graph), _bytes(row.kept_bytes), _wiring(row)))
    if any(line[-1] for line in lines):
        return (*HEADERS, WIRING), lines
    return HEADERS, [line[:-1] for line in lines]


def closing_lines(spec: Spec, graph: Graph, batch_size: int | None = None) -> list[str]:
    """What stands below the table."""
    count, needed = totals(graph), training(spec, graph, batch_size)
    heads = [f"in training also `{h.path}` {spelled(h.output)}, its loss times {h.weight:g}" for h in graph.heads]
    return [
        f"input {spelled(graph.input)} -> output {spelled(graph.output)}",
        *([f"any input {spelled(graph.axes)} from {spelled(graph.smallest)} on"] if graph.axes != graph.input else []),
        *heads,
        f"parameters: {count.trainable:,} trainable + {count.non_trainable:,} non-trainable = {count.total:,}",
        f"MACs: {graph.macs:,} for one image",
        f"memory: {_bytes(kept_memory(graph).total) or 'nothing'} kept of one image until the backward pass",
        *(_breakdown(spec, needed) if needed else ()),
    ]


def to_markdown(spec: Spec, graph: Graph, batch_size: int | None = None) -> str:
    headers, lines = cells(graph)
    rules = ["---:" if column in NUMBERS else "---" for column in range(len(headers))]
    table = [headers, tuple(rules), *((f"`{path}`", *rest) for path, *rest in lines)]
    below = [f"- {line}" for line in closing_lines(spec, graph, batch_size)]
    return "\n".join([f"### {spec.name}", "", *("| " + " | ".join(line) + " |" for line in table), "", *below, ""])


def _breakdown(spec: Spec, needed: TrainingMemory) -> list[str]:
    """The estimate for training in two lines."""
    place = PHASES[needed.phase] + (f" of `{needed.path}`" if needed.path else "")
    parts = [("weights", needed.weights), ("statistics", needed.buffers), ("gradients", needed.gradients)]
    if spec.train is not None:
        words = dict.fromkeys(word_for(stage.optimizer) for stage in spec.train.all_stages)
        groups = any(stage.groups for stage in spec.train.all_stages)
        parts.append((" and ".join(words) if not groups else "optimizers", needed.optimizer))
    parts.append(("activations", needed.kept))
    sizes = ", ".join(f"{name} {_bytes(size)}" for name, size in parts if size)
    missing = "; the spec has no `train`, so no optimizer counts" if spec.train is None else ""
    return [
        f"training at batch size {needed.batch_size:,}, estimated: {_bytes(needed.peak)} at the peak, {place}",
        f"of which {sizes}{missing}",
    ]


def _wiring(row: Row) -> str:
    parts = [f"reads {', '.join(row.reads)}"] if row.reads else []
    parts += [f"shares {row.shares}"] if row.shares else []
    parts += [f"only in training ({row.side_branch})"] if row.side_branch else []
    return "; ".join(parts)


def _field(pixels: Shape, graph: Graph) -> str:
    """`7×7`; `all` for more than one pixel where that is the whole image."""
    if elements(pixels) > 1 and pixels == graph.input[1:]:
        return "all"
    return "×".join(map(str, pixels))


def _number(value: int) -> str:
    return f"{value:,}" if value else ""


def _bytes(value: int) -> str:
    """`1.5 MiB`; nothing for 0."""
    size, units = float(value), ["bytes", "KiB", "MiB", "GiB"]
    while size >= 1023.95 and len(units) > 1:
        size /= 1024
        del units[0]
    digits = 0 if units[0] == "bytes" else 1
    return f"{size:,.{digits}f} {units[0]}" if value else ""
