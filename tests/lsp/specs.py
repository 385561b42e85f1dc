"""Specs that the tests type, and documents made of a text with `|` for the cursor."""

from pathlib import Path

from specforge.analysis import analyse
from specforge.lsp.documents import Document, Known, looks_like_spec
from specforge.lsp.text import Position, Text
from specforge.source import Overlaid

LAB = """\
specforge: 1
name: lab
params: {dropout: 0.5, classes: 100}
blocks:
  conv_unit:
    params: {channels: required, kernel_size: 3}
    layers:
      - conv: {out_channels: $channels, kernel_size: $kernel_size, padding: same}
      - relu
model:
  input: [3, 32, 32]
  layers:
    - repeat:
        for: {width: [32, 64]}
        layers:
          - conv_unit: {channels: $width}
          - conv_unit: {channels: $width}
          - max_pool: 2
    - flatten
    - dropout: $dropout
    - {id: head, linear: $classes}
"""


def marked(text: str) -> tuple[str, Position]:
    """A text without its `|`, and where that stood."""
    before, found, after = text.partition("|")
    assert found
    return before + after, Position(before.count("\n"), len(before) - before.rfind("\n") - 1)


def document(text: str, folder: Path, analysed: str | None = None) -> Document:
    """An open spec with this text; `analysed` is the text that it had when it was last right."""
    path = folder / "lab.yaml"
    found = Document(path.as_uri(), path, 1, Text(text), looks_like_spec(text))
    if analysed is None:
        return found
    analysis = analyse(path, files=Overlaid({path: analysed}))
    known = Known(analysis, Text(analysed), tuple(analysis.findings), frozenset())
    assert analysis.graph is not None, list(analysis.findings)
    older = Document(path.as_uri(), path, 1, Text(analysed), True, known, known)
    return older if text == analysed else older.changed(Text(text), 2)
