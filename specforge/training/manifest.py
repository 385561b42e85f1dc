"""Checksums that tell a whole checkpoint from a damaged one.

{"files": {"weights.safetensors": {"bytes": 8864, "sha256": "9f86…"}}, "format": 1}
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from specforge.training import durable

MANIFEST = "manifest.json"


class Damage(Exception):
    """A file of a checkpoint that is missing or is not what was written. The message names it."""


def manifest(contents: Mapping[str, bytes]) -> bytes:
    """What vouches for files of these contents."""
    files = {name: {"bytes": len(content), "sha256": _sum(content)} for name, content in contents.items()}
    return durable.encode({"format": 1, "files": files})


def read_verified(folder: Path, name: str) -> bytes:
    """A file's content, if it is what the folder's manifest says; else `Damage`."""
    path = folder / name
    content, expected = _read(path), _sums(folder).get(name)
    if expected is None:
        raise Damage(f"{folder / MANIFEST} is damaged: it does not list {name}")
    if _sum(content) != expected:
        raise Damage(f"{path} is damaged: its checksum is not the one that was written")
    return content


def listed(folder: Path) -> frozenset[str]:
    """The files that a folder's manifest vouches for."""
    return frozenset(_sums(folder))


def _sums(folder: Path) -> dict[str, str]:
    try:
        files = json.loads(_read(folder / MANIFEST))["files"]
        return {name: entry["sha256"] for name, entry in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Damage(f"{folder / MANIFEST} is damaged: it is not a manifest") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Damage(f"{path} cannot be read: {error.strerror}") from None


def _sum(content: bytes) -> str:
    return sha256(content).hexdigest()
