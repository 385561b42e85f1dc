"""Where the text of spec files comes from: the disk, or what an editor or a revision holds instead of it.

analyse("lab.yaml", files=Overlaid({Path("/home/ada/lab.yaml"): "specforge: 1 …"}))    # as typed, not yet saved
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from specforge.diagnostics import nearest
from specforge.source.reading import MAX_BYTES

_ALIKE = 0.75  # names of files are chosen freely: of less likeness, another one is meant


class Files:
    """The disk. Subclasses hold some files themselves; paths are absolute, or relative to the working folder."""

    def read(self, path: Path) -> bytes:
        """The file's bytes, one more than `MAX_BYTES` at most; raises `OSError` or, for a NUL in it, `ValueError`."""
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)

    def is_file(self, path: Path) -> bool:
        return path.is_file()

    def is_folder(self, path: Path) -> bool:
        return path.is_dir()

    def specs_in(self, folder: Path) -> list[str]:
        """The names of spec files in a folder, for telling what else could be meant."""
        return [file.name for file in folder.glob("*.yaml")] if folder.is_dir() else []

    def shown(self, path: Path) -> str:
        """A path as people write it: relative to the working folder where it lies below."""
        try:
            return str(path.relative_to(Path.cwd()))
        except ValueError:
            return str(path)


DISK = Files()


def nearest_file(name: str, names: Iterable[str]) -> str | None:
    """The file that was probably meant: `bsae.yaml` -> `base.yaml`. Endings are alike, so only the rest is compared."""
    from difflib import SequenceMatcher

    stem, by_stem = Path(name).stem.lower(), {Path(each).stem.lower(): each for each in sorted(names, reverse=True)}
    close = nearest(stem, by_stem)
    if close is None or (sorted(close) != sorted(stem) and SequenceMatcher(None, stem, close).ratio() < _ALIKE):
        return None
    return by_stem[close]


class Overlaid(Files):
    """The disk, with some texts in place of what it holds, by absolute paths."""

    def __init__(self, texts: Mapping[Path, str]):
        self.texts = {Path(os.path.normpath(path)): text for path, text in texts.items()}

    def read(self, path: Path) -> bytes:
        text = self.texts.get(_absolute(path))
        return super().read(path) if text is None else text.encode(errors="surrogatepass")

    def is_file(self, path: Path) -> bool:
        return _absolute(path) in self.texts or super().is_file(path)


def _absolute(path: Path) -> Path:
    return Path(os.path.normpath(path.absolute()))
