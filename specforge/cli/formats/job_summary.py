"""Findings -> a Markdown table at the end of a job's summary on GitHub, within the mebibyte that GitHub takes.

| | where | finding | what to do |
| --- | --- | --- | --- |
| ❌ | [specs/lab2.yaml:6:7](…) | **SF304** unknown layer or block <code>covn</code> | did you mean <code>conv</code>? |
"""

import os
import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from specforge.cli import console
from specforge.cli.formats.places import Root
from specforge.cli.validation import FAILS_STRICTLY
from specforge.diagnostics import Diagnostic

MAX_BYTES = 1024 * 1024
_SIGNS = {"error": "❌", "warning": "⚠️"}
_MARKUP = re.compile(r"[\\`*_{}\[\]|~#@!$]")
_HEAD = "| | where | finding | what to do |\n| --- | --- | --- | --- |\n"
# for the line that says how many findings did not fit
_RESERVED = 200


def append_summary(file: Path, found: Sequence[Diagnostic], place: Root, files: int, *, strict: bool = False) -> bool:
    """Whether the table holds all of them. A summary that can't be written is told of and stops nothing."""
    errors = sum(one.severity == "error" for one in found)
    title = f"### specforge: {_counted(errors, 'error')}, {_counted(len(found) - errors, 'warning')}"
    why = f" ({FAILS_STRICTLY})" if strict and found and not errors else ""
    head = f"{title} in {_counted(files, 'file')}{why}\n\n{_HEAD if found else ''}"
    try:
        written = file.stat().st_size if file.is_file() else 0
        rows = list(_fitting(found, place, MAX_BYTES - written - len(head.encode()) - _RESERVED))
        missing = len(found) - len(rows)
        more = f"\n{missing} more findings are in the command's output: a summary holds 1 MiB.\n" if missing else ""
        with file.open("a", encoding="utf-8", newline="\n") as end:
            end.write(f"{head}{''.join(rows)}{more}\n")
    except OSError as error:
        console.note(f"can't write the summary {file}: {error.strerror}")
        return False
    return not missing


def _fitting(found: Sequence[Diagnostic], place: Root, room: int) -> Iterator[str]:
    for one in found:
        row = _row(one, place)
        room -= len(row.encode())
        if room < 0:
            return
        yield row


def _row(found: Diagnostic, place: Root) -> str:
    context = f" {_text(found.context().strip())}" if found.context() else ""
    finding = f"**{found.code}** {_text(found.message)}{context}"
    return f"| {_SIGNS[found.severity]} | {_where(found, place)} | {finding} | {_text(found.hint or '')} |\n"


def _where(found: Diagnostic, place: Root) -> str:
    path = place.path(found.span.file)
    span = found.span if path is None else found.span._replace(file=path)
    server, repository, commit = (os.environ.get(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "SHA"))
    if path is None or not (server and repository and commit):
        return _text(str(span))
    return f"[{_text(str(span))}]({server}/{repository}/blob/{commit}/{quote(path)}#L{span.line})"


def _text(text: str) -> str:
    """Text between `backquotes` as code; nothing in it is markup, not even in a table."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # an odd backquote is part of the text
        parts = [text]
    shown = (_plain(part) for part in parts)
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(shown))


def _plain(text: str) -> str:
    return _MARKUP.sub(lambda letter: f"&#{ord(letter[0])};", escape(re.sub(r"\s", " ", text), quote=False))


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"
