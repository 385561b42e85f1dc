"""Reads files whose checksum was published: nothing of a file is interpreted before its MD5 agrees.

In: a path and its published MD5. Out: the file's bytes, or a `DataError` that names the file and both checksums; where
a data set has several files, every one that is not as published. `array_pickle` then decodes such bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from specforge.catalog.datasets.definition import DataError, DataFinding, together


def md5_of(content: bytes) -> str:
    """The checksum that data sets publish; it guards against damage, which is all that MD5 is good for."""
    import hashlib  # not above: proving a spec imports this file, and this one loads OpenSSL

    return hashlib.md5(content, usedforsecurity=False).hexdigest()


class _Damaged(DataError):
    """A file whose bytes are not those that were published."""


def read_published(path: Path, *, md5: str) -> bytes:
    """The bytes of a file, once their checksum is the published one."""
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
        raise _Damaged(f"`{path}` {reason}", findings=[DataFinding(str(path), reason)]) from error
    found = md5_of(content)
    if found != md5:
        hint = "fetch it again with `--download`, or replace the file"
        reason = f"is damaged: its MD5 is {found} ({len(content):,} bytes), the published one is {md5}"
        findings = [DataFinding(str(path), reason, hint=hint)]
        raise _Damaged(f"`{path}` {reason}", hint=hint, findings=findings)
    return content


@contextmanager
def all_named(files: Iterable[tuple[Path, str]]) -> Iterator[None]:
    """Where reading inside meets a damaged file, look at the others too, so that one error names all of them.

    `files` are those of the data set with their MD5; a generator is asked only then.
    """
    try:
        yield
    except _Damaged as first:
        raise together([*damaged(files)] or [first]) from first


def damaged(files: Iterable[tuple[Path, str]]) -> Iterator[DataError]:
    """An error for each file that is there and not as published."""
    for path, md5 in files:
        if path.exists():
            try:
                read_published(path, md5=md5)
            except _Damaged as error:
                yield error


def is_published(path: Path, *, md5: str) -> bool:
    """Whether the file is there, whole."""
    return path.is_file() and md5_of(path.read_bytes()) == md5


def require_files(
    source: str, folder: Path, missing: Iterable[str], *, holds: str, beside: Iterable[tuple[Path, str]] = ()
) -> None:
    """A `DataError` for files that are missing of a data set. `holds` is what the folder of data sets should hold.

    `beside` are all its files with their MD5: those of them that are there and damaged are named too.
    """
    names = list(missing)
    if not names:
        return
    what = "the folder is not there" if not folder.is_dir() else "missing: " + ", ".join(names)
    hint = (
        f"fetch it with `--download`, or give the folder that holds `{holds}` with `--data-dir` "
        "or in the environment variable SPECFORGE_DATA"
    )
    absent = DataError(
        f"{source} was looked for in `{folder}`: {what}",
        hint=hint,
        findings=[DataFinding(str(folder / name), "is missing", hint=hint) for name in names],
    )
    raise together([absent, *damaged(beside)])
