"""Hints of the kind "did you mean `conv`?" -> changes that an editor offers to make."""

from collections.abc import Iterator

from lsprotocol import types

from specforge.lsp.documents import Document
from specforge.lsp.reporting import message_of, replacement


def fixes(document: Document, wanted: types.Range) -> Iterator[types.CodeAction]:
    """What can be corrected in a range, while the text is still the one that was analysed."""
    known = document.known
    if known is None or known.text is not document.text:
        return
    for finding in known.findings:
        found = replacement(finding, document.text) if finding.span.file == known.name else None
        if found is None:
            continue
        span, meant = found
        first, last = document.text.range(span)
        at = types.Range(types.Position(*first), types.Position(*last))
        if _overlap(at, wanted):
            edit = types.WorkspaceEdit(changes={document.uri: [types.TextEdit(at, meant)]})
            yield types.CodeAction(
                f"Change to `{meant}`",
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[types.Diagnostic(at, message_of(finding), code=finding.code, source="specforge")],
                is_preferred=True,
                edit=edit,
            )


def _overlap(one: types.Range, other: types.Range) -> bool:
    starts, ends = (one.start.line, one.start.character), (one.end.line, one.end.character)
    return starts <= (other.end.line, other.end.character) and (other.start.line, other.start.character) <= ends
