"""Why a result can't be recorded."""


class ReproductionError(Exception):
    """A run or a file of results that can't be used: what is wrong, and what to do about it (`hint`)."""

    def __init__(self, message: str, *, hint: str | None = None):
        super().__init__(message)
        self.message, self.hint = message, hint
