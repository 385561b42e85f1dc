"""Graph -> a graph in Graphviz's language, for `dot -Tsvg`.

digraph "lab2" {
  n4 [label="conv_unit_1\\n960 parameters"];
  input -> n4 [label="[3, 32, 32]"];
}
"""

from collections.abc import Iterator

from specforge.emit.outline import INPUT, OUTPUT, Box, Cluster, outline
from specforge.graph import Graph

STEP = "  "
_HEAD = (
    'graph [fontname="Helvetica", labeljust="l", nodesep=0.3, ranksep=0.35];',
    'node [fontname="Helvetica", fontsize=11, shape=box, style="rounded,filled", fillcolor="#f4f6fa"];',
    'edge [fontname="Helvetica", fontsize=9, color="#5b667a", arrowsize=0.7];',
)


def to_dot(graph: Graph, name: str, *, depth: int | None = None) -> str:
    """The text; `depth` is how many levels of composites are opened."""
    drawn = outline(graph, name, depth=depth)
    lines = [f"digraph {_text(drawn.name)} {{", *[f"{STEP}{line}" for line in _HEAD]]
    for part in drawn.inside:
        lines += _part(part, 1)
    for arrow in drawn.arrows:
        style = ", style=dashed" if arrow.training_only else ""
        lines.append(f"{STEP}{arrow.start} -> {arrow.end} [label={_text(arrow.shape)}{style}];")
    return "\n".join([*lines, "}"]) + "\n"


def _part(part: Cluster | Box, level: int) -> Iterator[str]:
    indent = STEP * level
    if isinstance(part, Box):
        shape = ""
        if part.is_join:
            shape = ", shape=circle, margin=0.02"
        elif part.key == INPUT or part.key.startswith(OUTPUT):
            shape = ', shape=oval, fillcolor="#ffffff"'
        yield f"{indent}{part.key} [label={_text(*part.lines)}{shape}];"
        return
    yield f"{indent}subgraph cluster_{part.key} {{"
    yield f'{indent}{STEP}label={_text(part.title)}; style=rounded; color="#b8c2d3";'
    for inside in part.inside:
        yield from _part(inside, level + 1)
    yield f"{indent}}}"


def _text(*lines: str) -> str:
    """Lines in quotes; a backslash would begin an escape, `\\N` even the node's name."""
    shown = (line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(shown) + '"'
