"""How a run can stop before its end: a mistake or a failure of the outside world, or somebody's wish."""


class TrainingError(Exception):
    """A run that cannot start or go on: what is wrong, and what to do about it (`hint`)."""

    def __init__(self, message: str, *, hint: str | None = None):
        super().__init__(message)
        self.message, self.hint = message, hint


class Interrupted(Exception):
    """Ctrl-C or a termination request; the run was saved and can be resumed. `exit_code` is the shell's convention."""

    def __init__(self, signal: int):
        super().__init__(f"interrupted by signal {signal}")
        self.signal = signal

    @property
    def exit_code(self) -> int:
        return 128 + self.signal
