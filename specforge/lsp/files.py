"""The files that a spec names, and those that it could name."""

import os
from collections.abc import Iterator
from pathlib import Path

from specforge.expand.files import in_zoo, zoo_folder


def resolve(path: Path, reference: str) -> Path:
    """The file that a spec at `path` names: beside it, else in the zoo."""
    beside = path.parent / reference
    return zoo_folder().parent / reference if in_zoo(reference) and not is_file(beside) else beside


def is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long, a NUL
        return False


def spec_files(folder: Path, own: Path) -> Iterator[str]:
    """The YAML files in a folder but for one's own, and the folders in it, with a slash."""
    try:
        with os.scandir(folder) as found:
            for entry in found:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    yield f"{entry.name}/"
                elif entry.name.endswith((".yaml", ".yml")) and Path(entry.path) != own:
                    yield entry.name
    except (OSError, ValueError):
        return


def networks() -> list[str]:
    """The names of the zoo's networks."""
    return sorted(file.stem for file in zoo_folder().glob("*.yaml"))
