"""A file, a folder or a glob -> the spec files that are meant."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

SETTINGS_FILE = "specforge.yaml"
_ENDINGS = (".yaml", ".yml")
_VERSION = re.compile(rb"^specforge[ \t]*:", re.MULTILINE)
# beside `spec.yaml` of a run directory, which nobody wrote by hand
_OF_A_RUN = "environment.json"


def is_settings_file(path: str | Path) -> bool:
    return Path(path).name == SETTINGS_FILE


def specs_at(path: str, *, root: Path | None = None) -> list[str]:
    """A file itself, the YAML files below a folder, or what a glob finds, in order; empty where there is nothing.

    Below a folder, and by a glob, no settings file is found, and no folder entered whose name starts with a dot. A path
    is relative to `root`, without it to the working folder. Raises `OSError` for a folder that can't be read.
    """
    place = Path(path) if root is None else root / path
    if place.is_file():
        return [str(place) if root is not None else path]
    if place.is_dir():
        return sorted(map(str, _below(place, _refuse)))
    from glob import glob

    found = glob(path, root_dir=root, recursive=True)  # noqa: PTH207  paths stay as they are written
    files = [str(root / match) if root is not None else match for match in found]
    return sorted(file for file in files if Path(file).is_file() and not is_settings_file(file))


def why_nothing(path: str, *, root: Path | None = None) -> str:
    """What to say of a path where `specs_at` finds nothing."""
    if (Path(path) if root is None else root / path).is_dir():
        return "no .yaml files below this folder"
    return "no file matches this pattern" if re.search(r"[*?\[]", path) else "no such file or folder"


def told_apart(folder: Path) -> list[str]:
    """The YAML files below a folder that say that they are specs, those of runs left out."""
    return [name for name in sorted(map(str, _below(folder))) if _is_spec(Path(name))]


def _below(folder: Path, refuse: Callable[[OSError], object] | None = None) -> Iterator[Path]:
    for above, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if name.endswith(_ENDINGS) and name != SETTINGS_FILE:
                yield Path(above) / name


def _refuse(error: OSError) -> NoReturn:
    """What was asked for is not left out silently."""
    raise error


def _is_spec(path: Path) -> bool:
    if path.with_name(_OF_A_RUN).is_file():
        return False
    try:
        with path.open("rb") as file:
            return _VERSION.search(file.read(65_536)) is not None
    except OSError:
        return False
