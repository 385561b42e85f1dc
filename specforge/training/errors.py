"""How a run can stop before its end: a mistake or a failure of the outside world, or somebody's wish."""

import os
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


class Gone(TrainingError):
    """Another process of the run has ended: it was killed, or its machine is gone. `why` is what torch says of it."""

    def __init__(self, why: str):
        super().__init__(f"another process of this run has ended: {why}", hint="the run goes on by `--resume`")


_SPEAKERS: set[int] = set()


def speak() -> None:
    """Of several processes, this one is to say what is wrong."""
    _SPEAKERS.add(os.getpid())


def told_by_this_one() -> bool:
    """Whether this process, of several, is to say what is wrong."""
    return os.getpid() in _SPEAKERS


class Hushed(Exception):
    """Another process of the run says what is wrong; this one only ends, with `exit_code`."""

    def __init__(self, exit_code: int):
        super().__init__("another process of this run has failed")
        self.exit_code = exit_code
