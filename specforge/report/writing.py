"""Bytes -> a file that is either the old one or the whole new one, never half of it."""

import os
import tempfile
from pathlib import Path


def replace_file(file: Path, content: bytes) -> Path:
    """Write beside the target, then rename over it."""
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
    return file
