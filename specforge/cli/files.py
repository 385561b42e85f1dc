"""Text -> a file that holds all of it, or is as it was before."""

import os
import shutil
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write or replace a file at once, with the permissions it had. A link stays one: its target is replaced."""
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with temporary.open("xb") as file:
            file.write(text.encode())
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
