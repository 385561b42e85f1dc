"""Checksums that tell whole files from damaged ones.

{"format": 1, "files": {"weights.safetensors": {"bytes": 8864, "sha256": "9f86…"}}, "sha256": "03ac…"}

The last sum is that of `files`, so that damage to the manifest itself is not taken for damage to what it lists. Those
of older versions do not have it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Self

from specforge.training import durable
from specforge.training.parsing import LARGEST, parsed

MANIFEST = "manifest.json"
_FORMAT = 1
CHANGED = "is damaged: its checksum is not the one that was written"
_NO_LIST = "is damaged: it is not a list of checksums"


class Damage(Exception):
    """A file of a run that is missing or is not what was written. The message names it, `problem` is what it says."""

    def __init__(self, message: str, *, problem: str = ""):
        super().__init__(message)
        self.problem = problem or message

    @classmethod
    def of(cls, path: Path, problem: str) -> Self:
        """`checkpoints/epoch-0007/progress.json`, `is missing`."""
        return cls(f"{path} {problem}", problem=problem)


@dataclass(frozen=True, slots=True)
class Sum:
    """What tells a content from others."""

    size: int  # in bytes
    sha256: str

    @classmethod
    def of(cls, content: bytes) -> Self:
        return cls(len(content), sha256(content).hexdigest())

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Of a file of any size; raises OSError."""
        with path.open("rb") as file:
            digest = file_digest(file, "sha256")
            return cls(file.tell(), digest.hexdigest())

    @classmethod
    def decode(cls, record: Any) -> Self:
        """Raises ValueError, KeyError or TypeError for what is no sum."""
        size, digest = record["bytes"], record["sha256"]
        if type(size) is not int or size < 0 or not isinstance(digest, str):
            raise ValueError("no checksum")
        return cls(size, digest)

    def encode(self) -> dict[str, Any]:
        return {"bytes": self.size, "sha256": self.sha256}

    def misses(self, found: "Sum") -> str | None:
        """What is wrong with a content that should have this sum and has the one that was found, None if nothing is."""
        if self == found:
            return None
        if not found.size:
            return "is damaged: it is empty"
        if found.size < self.size:
            return f"is damaged: only {found.size:,} of its {self.size:,} bytes are there"
        return CHANGED


def manifest(contents: Mapping[str, bytes]) -> bytes:
    """What vouches for files of these contents."""
    return sealed({name: Sum.of(content).encode() for name, content in contents.items()})


def sealed(files: Mapping[str, Any]) -> bytes:
    """A manifest of these entries, with its own checksum."""
    return durable.encode({"format": _FORMAT, "files": files, "sha256": _seal(files)})


def unsealed(path: Path, *, old: bool = False) -> dict[str, Any]:
    """The entries of a manifest; raises `Damage` for a file that is none, or is not what was written.

    An `old` one may be without its own checksum.
    """
    record = _json(read(path, most=LARGEST), path)
    files = record.get("files") if isinstance(record, dict) else None
    if not isinstance(record, dict) or not isinstance(files, dict) or not all(map(_is_name, files)):
        raise Damage.of(path, _NO_LIST)
    is_old = old and record.keys() <= {"format", "files"}
    is_sealed = record.keys() == {"format", "files", "sha256"} and record["sha256"] == _seal(files)
    if record.get("format", _FORMAT) != _FORMAT or not (is_old or is_sealed):
        raise Damage.of(path, CHANGED)
    return files


def read_verified(folder: Path, name: str) -> bytes:
    """A file's content, if it is what the folder's manifest says; else `Damage`."""
    path = folder / name
    expected = sums(folder).get(name)
    if expected is None:
        raise Damage.of(folder / MANIFEST, f"is damaged: it does not list {name}")
    content = read(path)
    if problem := expected.misses(Sum.of(content)):
        raise Damage.of(path, problem)
    return content


def listed(folder: Path) -> frozenset[str]:
    """The files that a folder's manifest vouches for."""
    return frozenset(sums(folder))


def sums(folder: Path) -> dict[str, Sum]:
    """What a folder's manifest says of its files; raises `Damage`."""
    path = folder / MANIFEST
    try:
        return {name: Sum.decode(entry) for name, entry in unsealed(path, old=True).items()}
    except (ValueError, KeyError, TypeError):
        raise Damage.of(path, _NO_LIST) from None


def read(path: Path, *, most: int | None = None) -> bytes:
    """All of a file, of at `most` so many bytes; raises `Damage` where there is none, or what might never end."""
    try:
        if path.exists() and not path.is_file():
            raise Damage.of(path, "is damaged: it is not a file")
        if most is not None and path.stat().st_size > most:
            raise Damage.of(path, f"is damaged: it is larger than {most:,} bytes")
        return path.read_bytes()
    except FileNotFoundError:
        raise Damage.of(path, "is missing") from None
    except OSError as error:
        raise Damage.of(path, f"cannot be read: {error.strerror}") from None


def _json(content: bytes, path: Path) -> Any:
    if not content:
        raise Damage.of(path, "is damaged: it is empty")
    try:
        return parsed(content)
    except ValueError:
        raise Damage.of(path, _NO_LIST) from None


def _seal(files: Mapping[str, Any]) -> str:
    return sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _is_name(name: str) -> bool:
    """Of a file in the same folder: nothing here leads anywhere else."""
    return name not in ("", ".", "..") and "/" not in name and "\\" not in name and "\0" not in name
