"""Reads files whose checksum was published: nothing of a file is interpreted before its MD5 agrees.

In: a path and its published MD5. Out: the file's bytes, or a `DataError` that names the file and both checksums.
`array_pickle` then decodes such bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from specforge.catalog.datasets.definition import DataError


def md5_of(content: bytes) -> str:
    """The checksum that data sets publish; it guards against damage, which is all that MD5 is good for."""
    import hashlib  # not above: proving a spec imports this file, and this one loads OpenSSL

    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def read_published(path: Path, *, md5: str) -> bytes:
    """The bytes of a file, once their checksum is the published one."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"`{path}` cannot be read: {error.strerror}") from error
    found = md5_of(content)
    if found != md5:
        raise DataError(
            f"`{path}` is damaged: its MD5 is {found} ({len(content):,} bytes), the published one is {md5}",
            hint="fetch it again with `--download`, or replace the file",
        )
    return content


def is_published(path: Path, *, md5: str) -> bool:
    """Whether the file is there, whole."""
    return path.is_file() and md5_of(path.read_bytes()) == md5


def require_files(source: str, folder: Path, missing: Iterable[str], *, holds: str) -> None:
    """A `DataError` for files that are missing of a data set. `holds` is what the folder of data sets should hold."""
    names = list(missing)
    if not names:
        return
    what = "the folder is not there" if not folder.is_dir() else "missing: " + ", ".join(names)
    raise DataError(
        f"{source} was looked for in `{folder}`: {what}",
        hint=f"fetch it with `--download`, or give the folder that holds `{holds}` with `--data-dir` "
        "or in the environment variable SPECFORGE_DATA",
    )
