"""Bytes -> a file that is either the old one or the whole new one, never half of it.

Of files outside a run; those of a run are written with their checksums.
"""

import os
import tempfile
from pathlib import Path

from specforge.diagnostics import printable


def replace_file(file: Path, content: bytes) -> Path:
    """Write beside the target, then rename over it; an OSError names the target."""
    try:
        _replace(file, content)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(file)) from error
    return file


def _replace(file: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        # mkstemp makes files that only the owner may read; reports are passed around
        temporary.chmod(0o644)
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def shown(value: object) -> object:
    """A value that a page prints: texts without what can't be seen, or turns the direction of what is beside it.

    The template engine escapes it afterwards; what is markup already stays as it is.
    """
    return printable(value) if type(value) is str else value
