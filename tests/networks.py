"""Networks for the tests: a list of layers as text, analysed as a spec of its own."""

from pathlib import Path
from textwrap import dedent, indent

from specforge.analysis import Analysis, analyse
from specforge.graph import Graph
from specforge.shapes import Shape, spelled


def analysed(folder: Path, layers: str, *, input: Shape, blocks: str = "", model: str = "") -> Analysis:
    """The analysis of a spec whose `layers:` is the text; `blocks` and other keys of `model` are added as given."""
    parts = ["specforge: 1", "name: example"]
    if blocks:
        parts += ["blocks:", indent(dedent(blocks).strip(), "  ")]
    parts += ["model:", f"  input: {spelled(input)}"]
    if model:
        parts.append(indent(dedent(model).strip(), "  "))
    parts += ["  layers:", indent(dedent(layers).strip(), "    ")]
    file = folder / "example.yaml"
    file.write_text("\n".join(parts) + "\n", encoding="utf-8")
    return analyse(file)


def graph_of(folder: Path, layers: str, *, input: Shape, blocks: str = "", model: str = "") -> Graph:
    """The graph of such a spec, which must be right."""
    return analysed(folder, layers, input=input, blocks=blocks, model=model).require()[1]
