"""The bytes of a foreign text file -> text, or a finding that says why there is none."""

import codecs
import re
from pathlib import Path

from specforge.diagnostics import Findings, Span
from specforge.importing.rules import NOT_THIS_FORMAT

MAX_BYTES = 16 * 1024 * 1024  # Keras writes a megabyte for a network of a thousand layers
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f]")


def read_limited(path: Path) -> bytes:
    """The file's bytes, one more than the limit at most, which `decoded` refuses. OSError for what can't be read."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def decoded(data: bytes, file: str, findings: Findings) -> str | None:
    """The text, in UTF-8 with or without a byte order mark; what is none, or is too large, is reported."""
    if len(data) > MAX_BYTES:
        what = f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB"
        hint = "this is not the text of a network: weights are files of their own"
    elif data.startswith(b"PK"):
        what = "the file is an archive, not text"
        hint = "Keras's `.keras` files hold the text of the network as `config.json`: unzip that"
    elif _is_binary(data):
        what, hint = "the file is binary, not text", "name the file that describes the network"
    else:
        data = data.removeprefix(codecs.BOM_UTF8)
        try:
            return data.decode()
        except UnicodeDecodeError:  # comments of older files are in other encodings, and what counts is ASCII
            return data.decode("latin-1")
    findings.add(NOT_THIS_FORMAT, Span(file, 1, 1, 1, 1), what, hint)
    return None


def _is_binary(data: bytes) -> bool:
    """Text has no control characters but those for lines, pages and tabs."""
    return bool(_CONTROL.search(data))
