"""A graph as a table: one row for every layer that computes, with shapes, parameters and MACs.

path            kind   output        parameters       MACs
conv_1          conv   [32, 32, 32]         896    884,736
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from specforge.graph import Graph
from specforge.shapes import Shape, spelled
from specforge.spec import Spec

HEADERS = ("path", "kind", "output", "parameters", "MACs")


class Row(NamedTuple):
    """One layer. `parameters` counts trained values and running statistics; `macs` are for one image."""

    path: str
    kind: str
    output: Shape
    parameters: int
    macs: int
    file: str
    line: int


class Totals(NamedTuple):
    """Keras's convention: running statistics and frozen weights are not trainable."""

    trainable: int
    non_trainable: int
    total: int


def rows(graph: Graph) -> Iterator[Row]:
    """Layers in execution order."""
    for node in graph.leaves():
        count = node.count(trainable=True) + node.count(trainable=False)
        yield Row(node.path, node.kind, node.output, count, node.macs, node.span.file, node.span.line)


def totals(graph: Graph) -> Totals:
    return Totals(graph.trainable_parameters, graph.non_trainable_parameters, graph.total_parameters)


def to_dict(spec: Spec, graph: Graph) -> dict[str, Any]:
    """The JSON shape that `summary --format json` promises."""
    return {
        "name": spec.name,
        "input": list(graph.input),
        "output": list(graph.output),
        "parameters": totals(graph)._asdict(),
        "macs": graph.macs,
        "layers": [row._asdict() | {"output": list(row.output)} for row in rows(graph)],
    }


def cells(graph: Graph) -> list[tuple[str, ...]]:
    """The table's rows as text; numbers that are 0 are left blank."""
    return [(r.path, r.kind, spelled(r.output), _number(r.parameters), _number(r.macs)) for r in rows(graph)]


def closing_lines(graph: Graph) -> list[str]:
    """What stands below the table."""
    count = totals(graph)
    return [
        f"input {spelled(graph.input)} -> output {spelled(graph.output)}",
        f"parameters: {count.trainable:,} trainable + {count.non_trainable:,} non-trainable = {count.total:,}",
        f"MACs: {graph.macs:,} for one image",
    ]


def to_markdown(spec: Spec, graph: Graph) -> str:
    lines = [f"### {spec.name}", "", "| " + " | ".join(HEADERS) + " |", "| --- | --- | --- | ---: | ---: |"]
    lines += ["| " + " | ".join((f"`{path}`", *rest)) + " |" for path, *rest in cells(graph)]
    return "\n".join([*lines, "", *(f"- {line}" for line in closing_lines(graph)), ""])


def _number(value: int) -> str:
    return f"{value:,}" if value else ""
