"""`include:` -> the blocks of other files among the spec's own.

    blocks/resnet.yaml    blocks: {basic: {…}, bottleneck: {…}}
    spec.yaml             include: [blocks/resnet.yaml]
                          blocks: {stem: {…}}
    merged                blocks: {basic: {…}, bottleneck: {…}, stem: {…}}

A library holds `blocks`, and may include others. Every file is read once, however many ways lead to it.
"""

from pathlib import Path

from specforge.diagnostics import Findings, Span, define, nearest
from specforge.expand.files import MAX_FILES, Load, locate
from specforge.expand.words import is_null
from specforge.source import Entry, Mapping, Node, Scalar, Sequence

BAD_INCLUDE = define(
    "SF213",
    "bad-include",
    """
`include:` lists files with `blocks:` for this spec to use, by paths relative to this file. They hold nothing else, but
may include others. A block's name may be defined once: to change an inherited block, write it under `blocks:` of the
spec that extends, or use `edit:`.""",
)

LIBRARY_KEYS = ("specforge", "name", "description", "include", "blocks")
Blocks = dict[str, Entry]


class Includes:
    """Reads the libraries of a spec and its parents, the oldest parent's first."""

    def __init__(self, load: Load, findings: Findings):
        self.load, self.findings = load, findings
        self.read: set[Path] = set()

    def into(self, spec: Mapping, file: Path, inherited: Mapping | None) -> Mapping:
        """The spec with the blocks of what it includes; `inherited` are the merged parents, with theirs."""
        node = spec.get("include")
        if node is None:
            return spec
        own, rest = spec.get("blocks"), spec.without("include")
        above = inherited.get("blocks") if inherited is not None and not (own is not None and is_null(own)) else None
        taken = dict(above.entries) if isinstance(above, Mapping) else {}
        found: Blocks = {}
        self._collect(node, [file], taken, found)
        if own is not None and not isinstance(own, Mapping) and not is_null(own):
            return rest
        defined = own.entries if isinstance(own, Mapping) else {}
        for name in found.keys() & defined.keys():
            self._report_twice(name, defined[name].key, found[name].key)
        if not found:
            return rest
        blocks = Mapping(own.span if isinstance(own, Mapping) else node.span, {**found, **defined})
        return rest.with_entry("blocks", Entry(spec.entries["include"].key, blocks))

    def _collect(self, node: Node, chain: list[Path], taken: Blocks, found: Blocks) -> None:
        """Add to `found` the blocks of every file in a list; `chain` leads here from the spec."""
        if is_null(node):
            return
        if not isinstance(node, Sequence):
            written = node.text if isinstance(node, Scalar) else "blocks/resnet.yaml"
            self._report(node.span, "`include` is a list of files", f"write `include: [{written}]`")
            return
        listed: set[Path] = set()
        for reference in node.items:
            path = self._path(reference, chain)
            if path is None:
                continue
            if path in listed:
                self._report(reference.span, "this file is listed above already", "remove it")
            elif path not in self.read:
                assert isinstance(reference, Scalar)
                self._library(path, reference, chain, taken, found)
            listed.add(path)

    def _path(self, reference: Node, chain: list[Path]) -> Path | None:
        if not isinstance(reference, Scalar) or not isinstance(reference.value, str):
            if not (isinstance(reference, Scalar) and reference.broken):
                self._report(reference.span, "`include` lists paths of files", "write `include: [blocks/resnet.yaml]`")
            return None
        path = locate(chain[-1].parent, reference, BAD_INCLUDE, self.load, self.findings)
        if path in chain:
            circle = " -> ".join(step.name for step in [*chain[chain.index(path) :], path])
            self._report(reference.span, f"`include` goes in a circle: {circle}", "remove one of them")
            return None
        if len(chain) > MAX_FILES:
            self._report(reference.span, f"more than {MAX_FILES} files include each other", "include them directly")
            return None
        return path

    def _library(self, path: Path, reference: Scalar, chain: list[Path], taken: Blocks, found: Blocks) -> None:
        self.read.add(path)
        library = self.load(path, reference, BAD_INCLUDE)
        if library is None:
            return
        if not isinstance(library, Mapping) or not {"blocks", "include"} & library.entries.keys():
            self._report(reference.span, f"`{reference.value}` defines no blocks", "include a file with `blocks:`")
            return
        self._check_keys(library)
        if "include" in library.entries:
            self._collect(library.entries["include"].value, [*chain, path], taken, found)
        blocks = library.get("blocks")
        if isinstance(blocks, Mapping):
            for name, entry in blocks.entries.items():
                if name in taken:
                    self._report_twice(name, entry.key, taken[name].key)
                else:
                    taken[name] = found[name] = entry
        elif blocks is not None and not is_null(blocks):
            self._report(blocks.span, "`blocks` is a mapping of names", "`blocks: {conv_unit: {layers: […]}}`")

    def _check_keys(self, library: Mapping) -> None:
        for key, entry in library.entries.items():
            if key in LIBRARY_KEYS:
                continue
            close = nearest(key, LIBRARY_KEYS)
            hint = f"did you mean `{close}`?" if close else "a spec is inherited whole, with `extends`"
            self._report(entry.key, f"an included file holds `blocks` only, found `{key}`", hint)
        version = library.get("specforge")
        if isinstance(version, Scalar) and version.value != 1 and not version.broken:
            self._report(version.span, f"`specforge` must be 1, found `{version.text}`", "write `specforge: 1`")

    def _report_twice(self, name: str, second: Span, first: Span) -> None:
        self._report(second, f"block `{name}` is already defined at {first}", "give one of them another name")

    def _report(self, span: Span, message: str, hint: str) -> None:
        self.findings.add(BAD_INCLUDE, span, message, hint)
