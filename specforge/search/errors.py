"""Why a search can't start or go on."""

import os
from pathlib import Path

from specforge.training.errors import Interrupted


class SearchError(Exception):
    """What is wrong, and what to do about it (`hint`)."""

    def __init__(self, message: str, *, hint: str | None = None):
        super().__init__(message)
        self.message, self.hint = message, hint


class Complete(Interrupted):
    """Interrupted when all trials had ended: nothing is left to go on with. `ended` is how many."""

    def __init__(self, signal: int, *, run: Path, ended: int):
        super().__init__(signal, run=run)
        self.ended = ended


def absent_folder(file: Path) -> str | None:
    """The hint for a file that can't be made because its folder is not there."""
    folder = file.parent
    if os.path.lexists(folder):
        return None
    return f"the folder {folder} is not there: make it, or name another by `--storage`"
