"""A file or its bytes -> text, or a finding that says why there is none."""

import codecs
from typing import TYPE_CHECKING

from specforge.diagnostics import Findings, Span, define

if TYPE_CHECKING:
    from pathlib import Path

    from specforge.source.files import Files

MAX_BYTES = 4 * 1024 * 1024

UNREADABLE = define(
    "SF101",
    "unreadable-file",
    """
The file can't be read as text: it doesn't exist, is a folder, holds bytes that are not UTF-8, or is larger than 4 MiB.
Specs are small UTF-8 text files; weights and images belong elsewhere.""",
)

_NO_TEXT = "save it as UTF-8; if it is no text file, it is no spec"


def read(path: "Path", findings: Findings, *, files: "Files", name: str | None = None) -> str | None:
    """The text of a spec file, or a finding that says why there is none."""
    name = name or str(path)
    start = Span(name, 1, 1, 1, 1)
    try:
        data = files.read(path)
    except IsADirectoryError:
        findings.add(UNREADABLE, start, f"`{name}` is a folder", "name a file in it")
        return None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        findings.add(UNREADABLE, start, f"can't read `{name}`: {reason.lower()}", "check the path and its permissions")
        return None
    return decode(data, name, findings)


def decode(data: bytes, name: str, findings: Findings) -> str | None:
    """UTF-8 bytes, with or without a byte order mark, to text."""
    start = Span(name, 1, 1, 1, 1)
    if len(data) > MAX_BYTES:
        size = f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB"
        findings.add(UNREADABLE, start, size, "a spec holds no data: use `repeat` and `blocks`")
        return None
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        findings.add(UNREADABLE, start, "the file is UTF-16 text", "save it as UTF-8")
        return None
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        message = f"byte 0x{data[error.start]:02x} is not UTF-8 text"
        findings.add(UNREADABLE, _at_end_of(before, name), message, _NO_TEXT)
        return None
    if "\0" in text:
        span = _at_end_of(text[: text.index("\0")], name)
        findings.add(UNREADABLE, span, "a NUL byte: the file is binary, not text", _NO_TEXT)
        return None
    return text


def _at_end_of(before: str, name: str) -> Span:
    """The character after this text."""
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    return Span(name, line, column, line, column + 1)
