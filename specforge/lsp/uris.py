"""Addresses of documents <-> paths.

file:///home/ada/lab.yaml    <->    /home/ada/lab.yaml
untitled:Untitled-1           ->    ./Untitled-1, a file that the disk does not have
"""

import os
import re
from pathlib import Path

from pygls.uris import from_fs_path, to_fs_path


def to_path(uri: str) -> Path:
    """The path of a document; one that is no file lies in the working folder."""
    path = to_fs_path(uri)
    if path is not None:
        return normal(Path(path))
    return Path.cwd() / (re.sub(r"[^\w.-]+", "_", uri.rpartition("/")[2]) or "untitled")


def to_uri(path: Path) -> str:
    return from_fs_path(str(path)) or path.as_uri()


def real(path: Path) -> Path:
    """What a path leads to through links: two paths of one file have it in common."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # links in a circle, a NUL
        return path


def normal(path: Path) -> Path:
    """Without `..`, links left as they are: an editor names a file as the user opened it."""
    return Path(os.path.normpath(path))
