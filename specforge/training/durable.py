"""Files that are whole or absent, whatever happens while they are written.

In: a path and bytes. Out: the file, on the disk and under its name only when every byte is there. What the operating
system refuses is a `TrainingError` that names the path.
"""

import json
import os
from contextlib import suppress
from errno import EDQUOT, ENOSPC
from pathlib import Path

from specforge.training.errors import TrainingError


def write(path: Path, content: bytes) -> None:
    """Replace a file at once: readers find the old content or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.partial")
    try:
        put(temporary, content)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise cannot_write(path, error) from error


def put(path: Path, content: bytes) -> None:
    """Write a file and wait until the disk has it."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder."""
    if os.name != "posix":  # Windows cannot open a folder and keeps names itself
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def encode(content: object, *, indent: int | None = 2) -> bytes:
    """Canonical JSON, one newline at the end; floats come back bit for bit."""
    return (json.dumps(content, indent=indent, ensure_ascii=False, allow_nan=False) + "\n").encode()


def cannot_write(path: Path, error: OSError) -> TrainingError:
    reason = error.strerror or str(error)
    full = error.errno in (ENOSPC, EDQUOT)
    return TrainingError(
        f"cannot write {path}: {reason}",
        hint="free some space, then go on with `--resume`" if full else "choose another folder with `--out`",
    )
