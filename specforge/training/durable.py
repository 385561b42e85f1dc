"""Files that are whole or absent, whatever happens while they are written: a kill, a full disk, a power cut.

In: a path and bytes. Out: the file, on the disk and under its name only when every byte is there. The order is always
write, fsync, rename, fsync of the folder. What the operating system refuses is a `TrainingError` that names the path.
"""

import json
import os
from contextlib import suppress
from errno import EACCES, EBADF, EDQUOT, EINVAL, ENOSPC, ENOTSUP
from pathlib import Path

from specforge.training.errors import TrainingError

# how systems say that a folder can't be synced: on some network and user-space file systems, or without a right to read
_NO_SYNC = (EACCES, EBADF, EINVAL, ENOTSUP)


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


def remove_leftovers(folder: Path) -> None:
    """Files that a killed process was writing. Only for who alone writes into the folder."""
    for path in folder.glob(".*.partial"):
        with suppress(OSError):
            path.unlink()


def make_folder(path: Path) -> None:
    """Make a folder and those above it, and wait until the disk has their names."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder."""
    if os.name != "posix":  # Windows cannot open a folder and keeps names itself
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


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
