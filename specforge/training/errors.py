"""How a run can stop before its end: a mistake or a failure of the outside world, or somebody's wish."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from specforge.diff.difference import Difference


class TrainingError(Exception):
    """A run that cannot start or go on: what is wrong, and what to do about it (`hint`)."""

    def __init__(self, message: str, *, hint: str | None = None):
        super().__init__(message)
        self.message, self.hint = message, hint


class SpecChanged(TrainingError):
    """A run that would go on with another spec than it has; `difference` says how it differs, where that is known."""

    def __init__(self, message: str, *, hint: str, difference: "Difference | None" = None):
        super().__init__(message, hint=hint)
        self.difference = difference


class Interrupted(Exception):
    """Ctrl-C or a termination request; the run was saved and can be resumed. `exit_code` is the shell's convention.

    `run` is its folder.
    """

    def __init__(self, signal: int, *, run: "Path | None" = None):
        super().__init__(f"interrupted by signal {signal}")
        self.signal, self.run = signal, run

    @property
    def exit_code(self) -> int:
        return 128 + self.signal
