"""Diagnostics for people and machines: the text with the guilty line, one line each, or JSON."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TextIO

from specforge.cli.console import write
from specforge.diagnostics import Diagnostic, Span

_COLORS = {"error": "bold red", "warning": "bold yellow"}


def write_text(
    found: Diagnostic, texts: Mapping[str, str], *, reaches: Sequence[str] = (), to: TextIO | None = None
) -> None:
    """The finding with its source line, a caret under what is meant, the files that it reaches, and the hint."""
    color = _COLORS[found.severity]
    write((str(found.span), "bold"), ": ", (f"{found.severity}[{found.code}]", color), f" {found.message}", to=to)
    for line in _excerpt(found, texts):
        write((line, "blue" if "|" in line and "^" not in line else color), to=to)
    if found.context():
        write("  ", ("where: ", "bold"), found.context().removeprefix(" (").removesuffix(")"), to=to)
    if reaches:
        more = f" and {len(reaches) - 3} more" if len(reaches) > 3 else ""
        write("  ", ("also reaches: ", "bold"), f"{', '.join(reaches[:3])}{more}", to=to)
    if found.hint:
        write("  ", ("hint: ", "bold cyan"), found.hint, to=to)


def as_text(found: Diagnostic, texts: Mapping[str, str]) -> str:
    """The same without colours, whatever is written to."""
    lines = [f"{found.span}: {found.severity}[{found.code}] {found.message}", *_excerpt(found, texts)]
    if found.context():
        lines.append(f"  where: {found.context().removeprefix(' (').removesuffix(')')}")
    return "\n".join([*lines, f"  hint: {found.hint}"] if found.hint else lines)


def write_accepted(findings: Iterable[Diagnostic], spec: str) -> None:
    """What a spec or its project accepts: one line for each code, the first finding in full, and the reason."""
    by_code: dict[tuple[str, str, Span | None], list[Diagnostic]] = {}
    for found in findings:
        if found.accepted:
            by_code.setdefault((found.code, found.accepted, found.accepted_by), []).append(found)
    for (code, reason, place), same in by_code.items():
        more = f" (and {len(same) - 1} more like it)" if len(same) > 1 else ""
        write((str(same[0].span), "bold"), ": ", (f"accepted[{code}]", "dim"), f" {same[0].message}{more}")
        write("  ", (f"accepted by {place or spec}: ", "bold"), reason.strip())


def _excerpt(found: Diagnostic, texts: Mapping[str, str]) -> Iterator[str]:
    """The source line, cut around the column when it is very long, and the carets below."""
    span = found.span
    lines = texts.get(span.file, "").splitlines()
    if not 1 <= span.line <= len(lines) or not lines[span.line - 1].strip():
        return
    text = lines[span.line - 1]
    if text[span.column - 1 : span.column] == "\t":  # a tab that is at fault has to be seen
        text = f"{text[: span.column - 1]}→{text[span.column :]}"
    line = "".join(c if c.isprintable() else " " for c in text)
    start = max(0, span.column - 80)
    shown = line[start : start + 160]
    end = span.end_column if span.end_line == span.line else len(line) + 1
    carets = max(1, min(end, len(line) + 1) - span.column)
    number = str(span.line)
    yield f"  {number} | {shown}"
    yield f"  {' ' * len(number)} | {' ' * (span.column - 1 - start)}{'^' * min(carets, 160)}"


def concise(found: Diagnostic) -> str:
    """`file:line:column: error[CODE] message; hint`."""
    hint = f"; {found.hint}" if found.hint else ""
    return f"{found.span}: {found.severity}[{found.code}] {found.message}{found.context()}{hint}"


def to_json(findings: Iterable[Diagnostic]) -> str:
    """The list of findings in the shape that `validate --format json` promises."""
    import json

    return json.dumps([_as_dict(found) for found in findings], indent=2, ensure_ascii=False)


def _as_dict(found: Diagnostic) -> dict[str, object]:
    return {
        "file": found.span.file,
        "line": found.span.line,
        "column": found.span.column,
        "end_line": found.span.end_line,
        "end_column": found.span.end_column,
        "code": found.code,
        "severity": found.severity,
        "message": found.message + found.context(),
        "hint": found.hint,
    }
