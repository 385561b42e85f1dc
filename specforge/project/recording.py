"""The disk, with a list of what was looked for on it: the files that the meaning of a spec depends on."""

from pathlib import Path

from specforge.source import Files

# when a file was written, its size, and which file it is; None where there is none
Stamp = tuple[int, int, int] | None


class Recorded(Files):
    """Remembers every file that was read or asked for, by its absolute path, as it was just before."""

    def __init__(self) -> None:
        self.asked: dict[Path, Stamp] = {}

    def read(self, path: Path) -> bytes:
        self._ask(path)
        return super().read(path)

    def is_file(self, path: Path) -> bool:
        self._ask(path)
        return super().is_file(path)

    def _ask(self, path: Path) -> None:
        whole = path.absolute()
        if whole not in self.asked:
            self.asked[whole] = stamp(whole)


def stamp(path: Path) -> Stamp:
    """Another one as soon as the file is another, however it was saved."""
    try:
        about = path.stat()
    except (OSError, ValueError):
        return None
    return about.st_mtime_ns, about.st_size, about.st_ino
