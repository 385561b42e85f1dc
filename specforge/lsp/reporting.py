"""What an analysis found -> diagnostics for every file that they are about.

A finding stands where its text does. One in another file, a parent or a block's, is also shown in the file that was
analysed, at the place that brings it in, with the way to its cause as related information.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lsprotocol import types

from specforge.diagnostics import Diagnostic, Span, Use
from specforge.lsp.documents import Document, Known
from specforge.lsp.files import resolve
from specforge.lsp.parts import Part
from specforge.lsp.text import Text
from specforge.lsp.uris import real, to_uri

MAX_SHOWN = 200  # of one file: who has more mistakes reads these first
_SEVERITIES = {"error": types.DiagnosticSeverity.Error, "warning": types.DiagnosticSeverity.Warning}
_WORD = re.compile(r"`([^`]+)`")
_MEANT = re.compile(r"(?:did you mean|specforge calls it) `([^`]+)`")


@dataclass(slots=True)
class Report:
    """Turns the findings of one document into diagnostics, by the file that they stand in."""

    document: Document
    known: Known
    _texts: dict[str, Text] = field(default_factory=dict)
    _files: dict[Path, set[Path]] = field(default_factory=dict)

    def by_file(self) -> dict[Path, list[types.Diagnostic]]:
        """The diagnostics of each file, by its real path."""
        found: dict[Path, list[types.Diagnostic]] = {self.document.real: []}
        for finding in self.known.findings:
            path = self._path(finding.span.file)
            if path == self.document.real:
                self._add(found, path, self._shown(finding, finding.span, []))
                continue
            self._add(found, self.document.real, self._shown(finding, self._anchor(finding), [finding.span]))
            if finding.span.file in self.known.analysis.texts:
                self._add(found, path, self._shown(finding, finding.span, [self._anchor(finding)]))
        return found

    def _add(self, found: dict[Path, list[types.Diagnostic]], path: Path, shown: types.Diagnostic) -> None:
        several = found.setdefault(path, [])
        if len(several) < MAX_SHOWN:
            several.append(shown)

    def _path(self, name: str) -> Path:
        return self.document.real if name == self.known.name else real(Path.cwd() / name)

    def _shown(self, finding: Diagnostic, span: Span, related: list[Span]) -> types.Diagnostic:
        severity = types.DiagnosticSeverity.Information if finding.accepted else _SEVERITIES[finding.severity]
        tags = [types.DiagnosticTag.Unnecessary] if finding.rule.name.startswith("unused-") else None
        return types.Diagnostic(
            range=self._range(span),
            message=message_of(finding),
            severity=severity,
            code=finding.code,
            source="specforge",
            tags=tags,
            related_information=self._related(finding, related) or None,
        )

    def _range(self, span: Span) -> types.Range:
        first, last = self._text(span.file).range(span)
        return types.Range(types.Position(*first), types.Position(*last))

    def _text(self, name: str) -> Text:
        if name == self.known.name:
            return self.known.text
        if name not in self._texts:
            content = self.known.analysis.texts.get(name, "")
            self._texts[name] = Text(content, self.document.text.encoding)
        return self._texts[name]

    def _related(self, finding: Diagnostic, spans: list[Span]) -> list[types.DiagnosticRelatedInformation]:
        here = [(span, finding.message if span == finding.span else "brought in here") for span in spans]
        here += [(use.span, f"used by block `{use.name}`") for use in _uses(finding.span)]
        return [
            types.DiagnosticRelatedInformation(types.Location(self._uri(span), self._range(span)), text)
            for span, text in here
        ]

    def _uri(self, span: Span) -> str:
        return self.document.uri if span.file == self.known.name else to_uri(self._path(span.file))

    def _anchor(self, finding: Diagnostic) -> Span:
        """The place in the document that brings the finding's text in: a block's use, or a path."""
        for use in reversed(list(_uses(finding.span))):
            if use.span.file == self.known.name:
                return use.span
        target = self._path(finding.span.file)
        for reference, part in self.document.references():
            path = real(resolve(self.document.path, reference))
            if path == target or target in self._brought_by(path):
                return _span_of(part, self.known.name)
        return Span(self.known.name, 1, 1, 1, 1)

    def _brought_by(self, path: Path) -> set[Path]:
        """The files that a file names, and those that these name."""
        found: set[Path] = set()
        open_ = [path]
        while open_:
            below = self._named(open_.pop()) - found
            found |= below
            open_ += below
        return found

    def _named(self, path: Path) -> set[Path]:
        if path not in self._files:
            texts = {self._path(name): text for name, text in self.known.analysis.texts.items()}
            read = Document("", path, None, Text(texts.get(path, "")))
            self._files[path] = {real(resolve(path, reference)) for reference, _ in read.references()}
        return self._files[path]


def _span_of(part: Part, name: str) -> Span:
    return Span(name, *part.start, *part.end)


def _uses(span: Span) -> Iterator[Use]:
    use = span.used_by
    while use is not None:
        yield use
        use = use.span.used_by


def message_of(finding: Diagnostic) -> str:
    """What was found, what to do about it, and why it is right where it was accepted."""
    times = f" ({finding.uses} times)" if finding.uses > 1 else ""
    hint = f"\nhint: {finding.hint}" if finding.hint else ""
    reason = f"\naccepted: {finding.accepted}" if finding.accepted else ""
    return f"{finding.message}{times}{hint}{reason}"


def replacement(finding: Diagnostic, text: Text) -> tuple[Span, str] | None:
    """What a hint says was meant, and which part of the text it is to replace; None where that is not certain."""
    meant = _MEANT.search(finding.hint or "")
    span = finding.span
    if meant is None or span.line != span.end_line or span.line > len(text.lines):
        return None
    line = text.lines[span.line - 1]
    places = [
        found
        for word in dict.fromkeys(_WORD.findall(finding.message))
        for found in re.finditer(rf"(?<![\w.]){re.escape(word)}(?![\w.])", line)
        if span.column - 1 <= found.start() and found.end() <= span.end_column - 1
    ]
    if len(places) != 1 or places[0].group() == meant.group(1):
        return None
    column, end = places[0].start() + 1, places[0].end() + 1
    return Span(span.file, span.line, column, span.line, end), meant.group(1)
