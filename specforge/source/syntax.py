"""The YAML parser's complaint -> what is wrong in the words of people, at the text that caused it."""

import re
from typing import NamedTuple

import yaml

from specforge.diagnostics import Findings, Span, define

SYNTAX = define(
    "SF102",
    "yaml-syntax",
    """
The text is not YAML. The usual causes are a tab in the indentation, a missing space after `:`, an item that is indented
less than its siblings, and an unclosed bracket or quote. In `{…}` and `[…]`, an expression that holds `,`, `[` or `]`
must be quoted: `{channels: "$(widths[0])"}`.""",
)

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # where the parser starts a new line
_FORBIDDEN = re.compile("[^\t\r\n -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_NO_SPACE = re.compile(r"\s*(?:- +)?[A-Za-z_]\w*(:)[^\s:/]")


class _Place(NamedTuple):
    """A character of the text, 1-based."""

    line: int
    column: int


class _Problem(NamedTuple):
    at: _Place
    message: str
    hint: str | None


def report_forbidden(text: str, name: str, findings: Findings) -> bool:
    """Whether the text holds a character that YAML does not allow, which is then reported."""
    found = _FORBIDDEN.search(text)
    if found is None:
        return False
    lines = _BREAK.split(text[: found.start()])
    span = Span(name, len(lines), len(lines[-1]) + 1, len(lines), len(lines[-1]) + 2)
    message = f"the character U+{ord(found.group()):04X} can't stand in YAML"
    findings.add(SYNTAX, span, message, "remove it: it is invisible, or not text")
    return True


def report_syntax(error: yaml.MarkedYAMLError, text: str, name: str, findings: Findings) -> None:
    """Report the parser's problem at its cause."""
    problem = _explain(error, _BREAK.split(text))
    line, column = problem.at
    findings.add(SYNTAX, Span(name, line, column, line, column + 1), problem.message, problem.hint)


def _explain(error: yaml.MarkedYAMLError, lines: list[str]) -> _Problem:
    complaint = error.problem or error.context or ""
    mark = error.problem_mark or error.context_mark
    at = _Place(mark.line + 1, mark.column + 1) if mark else _Place(1, 1)
    opened = _Place(error.context_mark.line + 1, error.context_mark.column + 1) if error.context_mark else at
    character = _line(lines, at)[at.column - 1 : at.column]
    if "cannot start any token" in complaint:
        if character == "\t":
            if _line(lines, at)[: at.column - 1].strip():
                return _Problem(at, "a tab stands where YAML takes spaces only", "write a space in its place")
            return _Problem(at, "a tab indents this line", "YAML indents with spaces: write 2 for each level")
        return _Problem(at, f"a value can't start with `{character}`", "quote it")
    if "expected ',' or" in complaint:
        return _unclosed(at, opened, lines)
    if "mapping values are not allowed" in complaint:
        return _second_colon(at, lines)
    if "could not find expected ':'" in complaint:
        return _no_colon(opened, lines)
    if "did not find expected key" in complaint:
        return _misplaced(at, character, lines)
    if "unknown escape" in complaint:
        escape = _line(lines, at)[at.column - 1 : at.column + 1]
        hint = "write `\\\\` for a backslash, or use single quotes"
        return _Problem(at, f"`{escape}` is no escape of double-quoted text", hint)
    if "unexpected ':'" in complaint:
        return _Problem(at, "a space is missing after `:`", "write `key: value`; without a value, `key: ` or `key: {}`")
    if "expected node content" in complaint and not character:
        return _Problem(_end(lines), "the text ends where a value must follow", "write the value, and close brackets")
    if "expected '-' indicator" in complaint:
        message = "an item of the list does not start with `- `"
        return _Problem(at, message, "start it with `- `, or indent it as part of the item above")
    for fragment, message, hint in _OTHERS:
        if fragment in complaint:
            return _Problem(opened, message.format(character), hint)
    return _Problem(at, f"not YAML: {complaint}", "quote text that holds special characters")


_OTHERS = (
    ("incompatible YAML document", "a spec is read as YAML 1.2, not as this version", "remove the line with `%YAML`"),
    ("unknown directive", "a line that starts with `%` is a directive of YAML", "remove it, or quote the value"),
    ("unexpected end of stream", "a quote is not closed", "close it"),
    ("<document start>", "text follows that belongs to nothing", "check the indentation of this line"),
    ("expected node content", "a value can't start with `{}`", "quote it, or remove it"),
    ("expected alphabetic or numeric", "`*` and `&` start an alias or anchor", "quote text that starts with them"),
    ("undefined tag handle", "a value can't start with `!`: a spec has no tags", "quote it"),
    ("Unicode character escape", "the escape names no character", "write `\\\\` for a backslash, or use single quotes"),
    ("hexdecimal number", "the escape lacks digits", "write `\\\\` for a backslash, or use single quotes"),
)


def _end(lines: list[str]) -> _Place:
    """Behind the last text."""
    last = max((number for number, line in enumerate(lines, start=1) if line.strip()), default=1)
    return _Place(last, len(lines[last - 1].rstrip()) + 1)


def _line(lines: list[str], at: _Place) -> str:
    return lines[at.line - 1] if at.line <= len(lines) else ""


def _unclosed(at: _Place, opened: _Place, lines: list[str]) -> _Problem:
    """A flow collection that does not go on as it should."""
    bracket = _line(lines, opened)[opened.column - 1 : opened.column]
    if "$(" in _line(lines, at)[: at.column]:
        message = "an expression with `,`, `[` or `]` must be quoted inside `{…}` and `[…]`"
        return _Problem(at, message, 'write "$(…)" with quotes around it')
    if at.line > opened.line:
        return _Problem(opened, f"this `{bracket}` is not closed", f"close it with `{'}' if bracket == '{' else ']'}`")
    return _Problem(at, f"a comma is missing in `{bracket}…`", "separate values by commas")


def _second_colon(at: _Place, lines: list[str]) -> _Problem:
    """A `:` where no key can be: after a value, or below one that was to be a mapping."""
    above = at.line - 1
    while above > 1 and not lines[above - 1].strip():
        above -= 1
    joined = _NO_SPACE.match(lines[above - 1]) if above else None
    if joined and joined.group(1):
        return _Problem(_Place(above, joined.start(1) + 1), "a space is missing after `:`", "write `key: value`")
    if ": " in lines[at.line - 1][: at.column - 1]:
        return _Problem(at, "a second `: ` on this line", "quote text that holds `: `")
    message = "this key is indented deeper than the value above it allows"
    return _Problem(at, message, "align it with the key above, or remove that key's value")


def _no_colon(opened: _Place, lines: list[str]) -> _Problem:
    line = _line(lines, opened)
    if "\u00a0" in line:
        at = _Place(opened.line, line.index("\u00a0") + 1)
        return _Problem(at, "a no-break space (U+00A0) is not a space for YAML", "replace it by a space")
    return _Problem(opened, "a key without `: value`", "write `key: value`, with a space after `:`")


def _misplaced(at: _Place, character: str, lines: list[str]) -> _Problem:
    """Something that is not the next key of the mapping."""
    line = _line(lines, at)
    if character in ("]", "}"):
        return _Problem(at, f"this `{character}` closes nothing", "remove it, or open the bracket")
    if character == ":":
        return _Problem(at, "a key is missing before `:`", "write `word: value`")
    if line[: at.column - 1].strip():
        return _Problem(at, "text follows a value that is complete", "quote the whole text, or start a new line")
    what = "items of the list" if line[at.column - 1 :].startswith("- ") else "keys of the mapping"
    return _Problem(at, "the indentation does not fit the lines above", f"align the {what}")
