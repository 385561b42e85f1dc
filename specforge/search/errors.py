"""Why a search can't start or go on."""


class SearchError(Exception):
    """What is wrong, and what to do about it (`hint`)."""

    def __init__(self, message: str, *, hint: str | None = None):
        super().__init__(message)
        self.message, self.hint = message, hint
