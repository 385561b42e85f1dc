"""`python -m specforge.reproduction FOLDER`: writes the page of a folder of specs there."""

import sys
from pathlib import Path

from specforge.diagnostics import SpecError
from specforge.reproduction.errors import ReproductionError
from specforge.reproduction.page import PAGE, page


def write(folder: Path) -> None:
    """`README.md` into the folder."""
    (folder / PAGE).write_text(page(folder), encoding="utf-8")


if __name__ == "__main__":
    try:
        write(Path(sys.argv[1] if len(sys.argv) > 1 else "specs"))
    except (SpecError, ReproductionError) as error:
        sys.exit(str(error))
