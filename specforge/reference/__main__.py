"""`python -m specforge.reference FOLDER`: writes the reference pages there, and removes pages of what is gone."""

import sys
from pathlib import Path

from specforge.reference.pages import pages


def write(folder: Path) -> None:
    """Every page into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    found = pages()
    for stale in folder.glob("*.md"):
        if stale.name not in found:
            stale.unlink()
    for name, text in found.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference"))
