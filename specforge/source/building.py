"""The parser's events -> nodes, with an explicit stack and every limit enforced on the way."""

from collections.abc import Iterator
from dataclasses import dataclass
from sys import intern
from typing import Any, NoReturn

import yaml

from specforge.diagnostics import MAX_ERRORS, Findings, Rule, Span, TooManyErrors, define
from specforge.source.nodes import Entry, Mapping, Node, Scalar, Sequence
from specforge.source.scalars import MAX_DIGITS, NoNumber, resolve_plain
from specforge.source.syntax import SYNTAX, report_forbidden, report_syntax

MAX_DEPTH = 100
MAX_NODES = 300_000
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
nesting, {MAX_NODES:,} values after aliases are followed, {MAX_ALIASES:,} aliases, numbers from 10^-37 up to 10^18, and
{MAX_DIGITS} characters in a number. Use `repeat` and `blocks` instead of writing layers out. Of {MAX_ERRORS:,} mistakes
and more, the first are listed.""",
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

# A named tuple from all of its fields, in half of the time: its own `__new__` is Python that calls this one.
_made = tuple.__new__
_NOWHERE = Span("", 0, 0, 0, 0)
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(text: str, name: str, findings: Findings) -> Node | None:
    """The document's node tree; None, with a finding, when there is none."""
    if report_forbidden(text, name, findings):
        return None
    loader = _LOADER(text)
    try:
        return _Builder(name, findings).build(iter(loader.get_event, None))
    except _Stop:
        return None
    except TooManyErrors:
        report_too_many(name, findings)
        return None
    except yaml.MarkedYAMLError as error:
        report_syntax(error, text, name, findings)
        return None
    finally:
        loader.dispose()


def report_too_many(name: str, findings: Findings) -> None:
    """Say that there may be more mistakes than those that were found."""
    hint = "correct these first: many of them are likely one mistake"
    findings.add(LIMIT, Span(name, 1, 1, 1, 2), f"{MAX_ERRORS:,} mistakes: the rest is not looked for", hint)


class _Stop(Exception):
    """Ends reading after a finding that leaves nothing to go on with."""


@dataclass(slots=True)
class _Frame:
    """A collection under construction: `items`, or `entries` of a mapping, whose `key` is None until one is read.

    `height` counts the levels in it so far, `last` is its last value.
    """

    event: Any
    nodes_before: int
    items: list[Node]
    entries: dict[str, Entry] | None = None
    key: str | None = ""
    key_span: Span = _NOWHERE
    height: int = 1
    last: Node | None = None


@dataclass(frozen=True, slots=True)
class _Anchor:
    """What an alias repeats, with the number of its values and of its levels."""

    node: Node
    nodes: int
    height: int


class _Builder:
    """Builds nodes from events with an explicit stack, so that depth costs no recursion.

    Most of a large spec's time goes into `scalar`: it calls little, and leaves what is rare to `unusual`.
    """

    def __init__(self, name: str, findings: Findings):
        self.name, self.findings = name, findings
        self.document = _Frame(None, 0, [])
        self.stack = [self.document]
        self.anchors: dict[str, _Anchor | None] = {}
        self.aliases = self.nodes = self.documents = 0
        self.tagged = False

    def build(self, events: Iterator[Any]) -> Node:
        handlers = {
            yaml.ScalarEvent: self.scalar,
            yaml.SequenceStartEvent: self.start,
            yaml.MappingStartEvent: self.start,
            yaml.SequenceEndEvent: self.end,
            yaml.MappingEndEvent: self.end,
            yaml.AliasEvent: self.alias,
            yaml.DocumentStartEvent: self.begin_document,
            yaml.DocumentEndEvent: _nothing,
            yaml.StreamStartEvent: _nothing,
            yaml.StreamEndEvent: _nothing,
        }
        for event in events:
            handlers[type(event)](event)
        root = self.document.items[0] if self.document.items else None
        empty = isinstance(root, Scalar) and root.text == "" and root.plain
        if self.tagged and empty:
            raise _Stop
        if root is None or empty:
            self.stop(EMPTY, Span(self.name, 1, 1, 1, 1), "the file says nothing", "a spec starts with `specforge: 1`")
        return root

    def stop(self, rule: Rule, span: Span, message: str, hint: str | None = None) -> NoReturn:
        self.findings.add(rule, span, message, hint)
        raise _Stop

    def span(self, event: Any) -> Span:
        first, last = event.start_mark, event.end_mark
        return Span(self.name, first.line + 1, first.column + 1, last.line + 1, last.column + 1)

    def begin_document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            self.stop(MANY_DOCUMENTS, self.span(event), "a second document starts here", "one file holds one spec")
        if event.version not in (None, (1, 2)):
            version = ".".join(map(str, event.version))
            message = f"`%YAML {version}` asks for another YAML: a spec is read as YAML 1.2"
            self.findings.add(SYNTAX, self.span(event), message, "remove the line: `no`, `010` and the like differ")
        if event.tags:
            message = "`%TAG` prepares tags, which are not allowed: a spec is data only"
            self.findings.add(TAG, self.span(event), message, "remove the line")

    def count(self, event: Any, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            hint = "use `repeat` and `blocks`, and fewer aliases"
            self.stop(LIMIT, self.span(event), f"more than {MAX_NODES:,} values", hint)

    def check_depth(self, event: Any, height: int) -> None:
        if len(self.stack) - 1 + height > MAX_DEPTH:
            hint = "split it into `blocks`"
            self.stop(LIMIT, self.span(event), f"nested more than {MAX_DEPTH} levels deep", hint)

    def report_tag(self, event: Any) -> None:
        self.tagged = True
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        hint = "remove it; quote the value if it must stay text"
        self.findings.add(TAG, self.span(event), f"the tag `{tag}` is not allowed: a spec is data only", hint)

    def scalar(self, event: Any) -> None:
        self.nodes += 1
        text, frame = event.value, self.stack[-1]
        if self.nodes > MAX_NODES or not text or event.tag is not None or event.anchor is not None:
            self.unusual(event, frame)
            return
        first, last, plain = event.start_mark, event.end_mark, not event.style
        span = _made(Span, (self.name, first.line + 1, first.column + 1, last.line + 1, last.column + 1, None))
        if frame.key is None:
            self.begin_entry(frame, text, span, plain)
        else:
            self.add(self.valued(span, text) if plain else Scalar(span, text, text, False), frame)

    def unusual(self, event: Any, frame: _Frame) -> None:
        """A scalar that is one too many, empty, tagged or anchored."""
        self.count(event, 0)
        if event.tag is not None:
            self.report_tag(event)
        span, text, plain = self.span(event), event.value, not event.style
        if plain and not text:  # an absent value: point behind its key
            if frame.key and span.line > frame.key_span.end_line:  # that of `? key` is marked at the next token
                span = span._replace(line=frame.key_span.end_line, column=frame.key_span.end_column)
            span = span._replace(end_line=span.line, end_column=span.column + 1)
        node = self.valued(span, text) if plain and event.implicit[0] else Scalar(span, text, text, plain)
        if event.anchor is not None:
            self.anchors[event.anchor] = _Anchor(node, 1, 0)
        self.add(node, frame)

    def valued(self, span: Span, text: str) -> Scalar:
        """A scalar without quotes."""
        try:
            return _made(Scalar, (span, resolve_plain(text), text, True, False))
        except NoNumber as wrong:
            self.findings.add(LIMIT, span, wrong.message, wrong.hint)
            return Scalar(span, None, text, broken=True)

    def start(self, event: Any) -> None:
        self.count(event, 1)
        if event.tag is not None:
            self.report_tag(event)
        self.check_depth(event, 1)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        if type(event) is yaml.MappingStartEvent:
            self.stack.append(_Frame(event, self.nodes, [], {}, None))
        else:
            self.stack.append(_Frame(event, self.nodes, []))

    def end(self, event: Any) -> None:
        frame = self.stack.pop()
        span = self.enclosing(frame, event)
        node = Sequence(span, tuple(frame.items)) if frame.entries is None else Mapping(span, frame.entries)
        if frame.event.anchor is not None:
            self.anchors[frame.event.anchor] = _Anchor(node, self.nodes - frame.nodes_before + 1, frame.height)
        self.add_collection(node, frame.height)

    def enclosing(self, frame: _Frame, end: Any) -> Span:
        """From the start to the end, in block style that of the last value: the end mark lies at the next token."""
        first, last = frame.event.start_mark, end.end_mark
        line, column = first.line + 1, first.column + 1
        if frame.last is not None and not frame.event.flow_style:
            inside = frame.last.span
            if inside.line >= line:
                return _made(Span, (self.name, line, column, inside.end_line, inside.end_column, None))
        return _made(Span, (self.name, line, column, last.line + 1, last.column + 1, None))

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
        self.check_depth(event, anchor.height)
        self.count(event, anchor.nodes)
        self.add_collection(anchor.node, anchor.height)

    def add_collection(self, node: Node, height: int) -> None:
        """Add a node with so many levels; a scalar has none."""
        frame = self.stack[-1]
        frame.height = max(frame.height, height + 1)
        self.add(node, frame)

    def add(self, node: Node, frame: _Frame) -> None:
        if frame.entries is None:
            frame.items.append(node)
            frame.last = node
        elif frame.key is not None:
            if frame.key in frame.entries:
                self.report_duplicate(frame.key, frame.key_span, frame.entries[frame.key].key)
            else:
                frame.entries[frame.key] = _made(Entry, (frame.key_span, node))
                frame.last = node
            frame.key = None
        elif isinstance(node, Scalar):
            self.begin_entry(frame, node.text, node.span, node.plain)
        else:
            self.stop(BAD_KEY, node.span, "a key must be a word, found a list or mapping", "write `word: value`")

    def begin_entry(self, frame: _Frame, key: str, span: Span, plain: bool) -> None:
        if plain and key == "<<":
            self.stop(BAD_KEY, span, "merge keys (`<<`) are not part of YAML 1.2", "use `extends` or `blocks`")
        if not key:
            self.stop(BAD_KEY, span, "a key is missing before `:`", "write `word: value`")
        frame.key, frame.key_span = intern(key), span  # the same few words over and over

    def report_duplicate(self, key: str, span: Span, first: Span) -> None:
        hint = "remove one of them; layers in a list each start with `- `"
        self.findings.add(DUPLICATE_KEY, span, f"`{key}` was already given on line {first.line}", hint)


def _nothing(event: Any) -> None:
    """Events that only say where a document or the stream begins or ends."""
