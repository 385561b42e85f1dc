"""The parser's events -> nodes, with an explicit stack and every limit enforced on the way."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import yaml

from specforge.diagnostics import Findings, Rule, Span, define
from specforge.source.nodes import Entry, Mapping, Node, Scalar, Sequence
from specforge.source.scalars import MAX_DIGITS, resolve_plain
from specforge.source.syntax import report_forbidden, report_syntax

MAX_DEPTH = 64
MAX_NODES = 1_000_000
MAX_ALIASES = 1_000

EMPTY = define("SF103", "empty-file", "The file holds no YAML document. A spec starts with `specforge: 1`.")
DUPLICATE_KEY = define(
    "SF104",
    "duplicate-key",
    """
A mapping has the same key twice. YAML forbids it, and most readers silently keep the last one. In a list of layers each
layer is its own item: start it with `- `.""",
)
TAG = define(
    "SF105",
    "tag",
    """
Tags such as `!!python/object` or `!new` name code or types. A spec is data: nothing in it is ever executed or imported,
so no tag is allowed. Remove it; quote a value that must stay text.""",
)
LIMIT = define(
    "SF106",
    "limit-exceeded",
    f"""
The document, or what its blocks and repeats expand to, is larger than any network needs: at most {MAX_DEPTH} levels of
nesting, {MAX_NODES:,} values after aliases are followed, {MAX_ALIASES:,} aliases, whole numbers up to 10^18, and
{MAX_DIGITS} characters in a number. Use `repeat` and `blocks` instead of writing layers out.""",
)
BAD_KEY = define(
    "SF107",
    "bad-key",
    """
A key must be a plain word. Merge keys (`<<`), lists and mappings as keys are not part of the language: use `extends`,
`params` or `blocks`.""",
)
ALIAS = define(
    "SF108", "bad-alias", "An alias (`*name`) must follow its anchor (`&name`) and may not lie inside what it repeats."
)
MANY_DOCUMENTS = define(
    "SF109", "several-documents", "A file holds one spec. Split the documents that `---` separates into files."
)

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(text: str, name: str, findings: Findings) -> Node | None:
    """The document's node tree; None, with a finding, when there is none."""
    if report_forbidden(text, name, findings):
        return None
    try:
        return _Builder(name, findings).build(yaml.parse(text, Loader=_LOADER))
    except _Stop:
        return None
    except yaml.MarkedYAMLError as error:
        report_syntax(error, text, name, findings)
        return None


class _Stop(Exception):
    """Ends reading after a finding that leaves nothing to go on with."""


@dataclass(slots=True)
class _Frame:
    """A collection under construction; `height` is how many levels lie in it so far."""

    event: Any
    items: list[Node]
    entries: dict[str, Entry] | None
    nodes_before: int
    key: tuple[str, Span] | None = None
    height: int = 1


@dataclass(frozen=True, slots=True)
class _Anchor:
    """What an alias repeats, with the number of its values and of its levels."""

    node: Node
    nodes: int
    height: int


class _Builder:
    """Builds nodes from events with an explicit stack, so that depth costs no recursion."""

    def __init__(self, name: str, findings: Findings):
        self.name, self.findings = name, findings
        self.stack: list[_Frame] = []
        self.anchors: dict[str, _Anchor | None] = {}
        self.aliases = 0
        self.nodes = 0
        self.root: Node | None = None
        self.documents = 0
        self.tagged = False

    def build(self, events: Iterator[Any]) -> Node:
        handlers = {
            yaml.ScalarEvent: self.scalar,
            yaml.SequenceStartEvent: self.start,
            yaml.MappingStartEvent: self.start,
            yaml.SequenceEndEvent: self.end,
            yaml.MappingEndEvent: self.end,
            yaml.AliasEvent: self.alias,
            yaml.DocumentStartEvent: self.document,
        }
        for event in events:
            handler = handlers.get(type(event))
            if handler is not None:
                handler(event)
        empty = isinstance(self.root, Scalar) and self.root.text == "" and self.root.plain
        if self.tagged and empty:
            raise _Stop
        if self.root is None or empty:
            self.stop(EMPTY, Span(self.name, 1, 1, 1, 1), "the file is empty", "a spec starts with `specforge: 1`")
        return self.root

    def stop(self, rule: Rule, span: Span, message: str, hint: str | None = None) -> NoReturn:
        self.findings.add(rule, span, message, hint)
        raise _Stop

    def span(self, event: Any, end: Any = None) -> Span:
        first, last = event.start_mark, (end or event).end_mark
        return Span(self.name, first.line + 1, first.column + 1, last.line + 1, last.column + 1)

    def document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            self.stop(MANY_DOCUMENTS, self.span(event), "a second document starts here", "one file holds one spec")

    def count(self, span: Span, nodes: int = 1) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            self.stop(LIMIT, span, f"more than {MAX_NODES:,} values", "use `repeat` and `blocks`, and fewer aliases")

    def check_depth(self, span: Span, height: int) -> None:
        if len(self.stack) + height > MAX_DEPTH:
            self.stop(LIMIT, span, f"nested more than {MAX_DEPTH} levels deep", "split it into `blocks`")

    def check_tag(self, event: Any) -> None:
        if event.tag is not None:
            self.tagged = True
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            hint = "remove it; quote the value if it must stay text"
            self.findings.add(TAG, self.span(event), f"the tag `{tag}` is not allowed: a spec is data only", hint)

    def scalar(self, event: Any) -> None:
        span = self.span(event)
        self.count(span)
        self.check_tag(event)
        plain = event.style is None or event.style == ""
        text = event.value
        if text == "" and plain:  # an absent value: point behind its key
            span = replace(span, end_line=span.line, end_column=span.column + 1)
        node = self.resolved(span, text, plain, implicit=event.implicit[0])
        if event.anchor:
            self.anchors[event.anchor] = _Anchor(node, 1, 0)
        self.add(node, 0)

    def resolved(self, span: Span, text: str, plain: bool, *, implicit: bool) -> Scalar:
        try:
            value = resolve_plain(text) if plain and implicit else text
        except OverflowError:
            hint = "whole numbers go up to 10^18; quote it if it is text"
            self.findings.add(LIMIT, span, f"a number of {len(text):,} characters is too large", hint)
            return Scalar(span, None, text, plain, broken=True)
        return Scalar(span, value, text, plain)

    def start(self, event: Any) -> None:
        span = self.span(event)
        self.count(span)
        self.check_tag(event)
        self.check_depth(span, 1)
        if event.anchor:
            self.anchors[event.anchor] = None
        entries: dict[str, Entry] | None = {} if isinstance(event, yaml.MappingStartEvent) else None
        self.stack.append(_Frame(event, [], entries, self.nodes))

    def end(self, event: Any) -> None:
        frame = self.stack.pop()
        span = self.trim(self.span(frame.event, event), frame)
        node = Sequence(span, tuple(frame.items)) if frame.entries is None else Mapping(span, frame.entries)
        if frame.event.anchor:
            self.anchors[frame.event.anchor] = _Anchor(node, self.nodes - frame.nodes_before + 1, frame.height)
        self.add(node, frame.height)

    def trim(self, span: Span, frame: _Frame) -> Span:
        """A block collection's end mark lies at the next token: end it where its last value ends."""
        last: Node | None = None
        if frame.entries:
            last = next(reversed(frame.entries.values())).value
        elif frame.items:
            last = frame.items[-1]
        if last is None or frame.event.flow_style or last.span.line < span.line:
            return span
        return replace(span, end_line=last.span.end_line, end_column=last.span.end_column)

    def alias(self, event: Any) -> None:
        span = self.span(event)
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            self.stop(LIMIT, span, f"more than {MAX_ALIASES:,} aliases", "use `repeat`, `blocks` and `params`")
        if event.anchor not in self.anchors:
            self.stop(ALIAS, span, f"no anchor `&{event.anchor}` before this alias", "use `params` or `blocks`")
        anchor = self.anchors[event.anchor]
        if anchor is None:
            self.stop(ALIAS, span, f"`*{event.anchor}` lies inside what it repeats", "use `repeat`")
        self.check_depth(span, anchor.height)
        self.count(span, anchor.nodes)
        self.add(anchor.node, anchor.height)

    def add(self, node: Node, height: int) -> None:
        if not self.stack:
            self.root = node
            return
        frame = self.stack[-1]
        frame.height = max(frame.height, height + 1)
        if frame.entries is None:
            frame.items.append(node)
        elif frame.key is None:
            frame.key = self.key(node)
        else:
            self.entry(frame.entries, *frame.key, node)
            frame.key = None

    def key(self, node: Node) -> tuple[str, Span]:
        if not isinstance(node, Scalar):
            self.stop(BAD_KEY, node.span, "a key must be a word, found a list or mapping", "write `word: value`")
        if node.plain and node.text == "<<":
            self.stop(BAD_KEY, node.span, "merge keys (`<<`) are not part of YAML 1.2", "use `extends` or `blocks`")
        if node.text == "":
            self.stop(BAD_KEY, node.span, "a key is missing before `:`", "write `word: value`")
        return node.text, node.span

    def entry(self, entries: dict[str, Entry], key: str, span: Span, node: Node) -> None:
        if key in entries:
            first = entries[key].key
            hint = "remove one of them; layers in a list each start with `- `"
            self.findings.add(DUPLICATE_KEY, span, f"`{key}` was already given on line {first.line}", hint)
        else:
            entries[key] = Entry(span, node)
