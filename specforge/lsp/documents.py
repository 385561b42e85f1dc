"""Open files -> what is known of each: its text, the tree that it seems to be, and what the last analysis said.

A text that is edited soon differs from the one that was analysed. What the analysis said of a line holds while the line
stands unchanged, wherever it has moved (`Shift`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from specforge.analysis import Analysis
from specforge.diagnostics import Diagnostic
from specforge.expand.include import LIBRARY_KEYS
from specforge.graph import Graph, GraphNode
from specforge.lsp.loose import read_loosely
from specforge.lsp.parts import Part
from specforge.lsp.shift import Shift
from specforge.lsp.text import Text
from specforge.lsp.uris import real

# keys at the start of a line; `extends` of a YAML file is how a spec may begin that inherits its version
_SAYS_SPEC = re.compile(
    r"""^(?:["']?specforge["']?[ \t]*:|\{[ \t]*["']?specforge["']?[ \t]*:|\#[ \t]*yaml-language-server:.*specforge)""",
    re.MULTILINE,
)
MAX_READ = 500_000  # characters; completions and hovers of a longer text would keep the editor waiting
_HEAD = 65_536  # characters in which a file says what it is


def looks_like_spec(content: str) -> bool:
    """Whether a text says that it is a spec: by its version at the start of a line, or by the schema that it names."""
    return _SAYS_SPEC.search(content, 0, _HEAD) is not None


def is_library(root: Part) -> bool:
    """Whether a text holds nothing but blocks, at least one of them with layers: a file to be included."""
    mapping = root.value
    if mapping is None or any(entry.text not in LIBRARY_KEYS for entry in mapping.entries()):
        return False
    blocks = mapping.get("blocks")
    return any(
        entry.value is not None and entry.value.child("layers") is not None
        for entry in (blocks.entries() if blocks is not None else ())
    )


@dataclass(frozen=True)
class Known:
    """What an analysis found of a file: the text that it read, and all that came of it."""

    analysis: Analysis
    text: Text
    findings: tuple[Diagnostic, ...]
    files: frozenset[Path]

    @property
    def name(self) -> str:
        return self.analysis.name

    @property
    def graph(self) -> Graph | None:
        return self.analysis.graph

    @cached_property
    def nodes_by_place(self) -> dict[tuple[str, int, int], list[GraphNode]]:
        """The layers of the network by where their word is written; several where a block or repeat holds it."""
        found: dict[tuple[str, int, int], list[GraphNode]] = {}
        for node in self.graph.nodes if self.graph is not None else ():
            if node.layer is None:
                continue
            here = found.setdefault(node.span[:3], [])
            if not here or not node.path.startswith(f"{here[-1].path}."):  # it made that up, where it stands
                here.append(node)
        return found


@dataclass(eq=False)
class Document:
    """An open file with one text; `changed` gives the next.

    `known` is of its latest analysis, `good` of the latest one that gave a network or blocks.
    """

    uri: str
    path: Path
    version: int | None
    text: Text
    is_spec: bool = False
    known: Known | None = None
    good: Known | None = None
    _shift: Shift | None = None

    @cached_property
    def real(self) -> Path:
        return real(self.path)

    @cached_property
    def tree(self) -> Part:
        return read_loosely(self.text.lines if len(self.text.content) <= MAX_READ else [""])

    def forget(self) -> None:
        """Take the tree apart when nobody needs it any more.

        Its parts name each other: left to Python's collector, those of a large spec stop the editor for half a second.
        """
        tree: Part | None = self.__dict__.pop("tree", None)
        for part in list(tree.walk()) if tree is not None else ():
            part.parent = None

    @property
    def shift(self) -> Shift | None:
        """Between the text as it is and the one that `good` is of."""
        if self.good is not None and self._shift is None:
            self._shift = Shift(self.good.text.lines, self.text.lines)
        return self._shift

    def changed(self, text: Text, version: int | None) -> "Document":
        is_spec = self.is_spec or looks_like_spec(text.content)
        return Document(self.uri, self.path, version, text, is_spec, self.known, self.good)

    def learn(self, known: Known) -> None:
        """Take in an analysis of this text."""
        analysis = known.analysis
        is_first = self.good is None and analysis.expanded is not None
        is_base = analysis.is_partial and not analysis.findings.has_errors
        self.known = known
        if known.graph is not None or is_first or is_base:
            self.good, self._shift = known, None

    @property
    def mapping(self) -> Part | None:
        """The outermost mapping, as far as it can be read."""
        value = self.tree.value
        return value if value is not None and value.kind == "mapping" else None

    def blocks(self) -> dict[str, Part | None]:
        """The names of the blocks that it may use, with their definitions where those are in this text."""
        names: dict[str, Part | None] = {}
        if self.good is not None and self.good.analysis.expanded is not None:
            names = dict.fromkeys(self.good.analysis.expanded.blocks)
        own = None if self.mapping is None else self.mapping.get("blocks")
        if own is not None and own.kind == "mapping":
            names |= {entry.text: entry for entry in own.entries() if entry.colon}
        return names

    def references(self) -> Iterator[tuple[str, Part]]:
        """The paths that `extends` and `include` name, with where they stand."""
        if self.mapping is None:
            return
        extends, include = self.mapping.get("extends"), self.mapping.get("include")
        if extends is not None and extends.kind == "text":
            yield extends.text, extends
        for item in include.children if include is not None and include.kind == "list" else ():
            if item.value is not None and item.value.kind == "text":
                yield item.value.text, item.value
