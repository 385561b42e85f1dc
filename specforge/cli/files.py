"""Text or bytes -> a file that holds all of it, or is as it was before."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import typer

from specforge.cli import console


def demand_free(path: Path, *, force: bool) -> None:
    """Before the work is done: refuse to replace a file, unless that is wanted, and leave."""
    if path.is_dir():
        console.error(f"{path} is a folder", "give the name of a file")
        raise typer.Exit(1)
    if not force and os.path.lexists(path):
        console.error(f"{path} is already there", "give another name, or replace it with `--force`")
        raise typer.Exit(1)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write or replace a file at once, with the permissions it had. A link stays one: its target is replaced."""
    if path.exists() and not (path.is_file() or path.is_dir()):  # a device or a pipe, which must stay one
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with temporary.open("xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
