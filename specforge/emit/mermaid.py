"""Graph -> a Mermaid flowchart, which GitHub and many editors draw inside Markdown.

flowchart TB
  input(["input<br/>[3, 32, 32]"])
  subgraph n1["repeat_1"]
    n4["conv_unit_1<br/>960 parameters"]
  end
  input -->|"[3, 32, 32]"| n4
"""

from collections.abc import Iterator

from specforge.emit.outline import INPUT, OUTPUT, Box, Cluster, outline
from specforge.graph import Graph

STEP = "  "


def to_mermaid(graph: Graph, name: str, *, depth: int | None = None) -> str:
    """The text of the flowchart; `depth` is how many levels of composites are opened."""
    drawn = outline(graph, name, depth=depth)
    lines = ["---", f"title: {_quoted_title(drawn.name)}", "---", "flowchart TB"]
    for part in drawn.inside:
        lines += _part(part, 1)
    for arrow in drawn.arrows:
        line = "-.->" if arrow.training_only else "-->"
        lines.append(f"{STEP}{arrow.start} {line}|{_text(arrow.shape)}| {arrow.end}")
    return "\n".join(lines) + "\n"


def _part(part: Cluster | Box, level: int) -> Iterator[str]:
    indent = STEP * level
    if isinstance(part, Box):
        text = _text(*part.lines)
        opening, closing = "[", "]"
        if part.is_join:
            opening, closing = "((", "))"
        elif part.key == INPUT or part.key.startswith(OUTPUT):
            opening, closing = "([", "])"
        yield f"{indent}{part.key}{opening}{text}{closing}"
        return
    yield f"{indent}subgraph {part.key}[{_text(part.title)}]"
    for inside in part.inside:
        yield from _part(inside, level + 1)
    yield f"{indent}end"


def _text(*lines: str) -> str:
    """Lines in quotes, with everything that Mermaid or HTML would take for more than text written as its number."""
    return '"' + "<br/>".join("".join(map(_letter, line)) for line in lines) + '"'


def _letter(letter: str) -> str:
    is_plain = letter.isalnum() or letter in " _.,:+×()[]-/=…"
    return letter if is_plain else f"#{ord(letter)};"


def _quoted_title(name: str) -> str:
    """A YAML text in double quotes."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
