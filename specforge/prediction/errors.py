"""What keeps a trained model from being read or asked."""


class PredictionError(Exception):
    """A model that can't be read or asked: what was found, and what to do about it (`hint`)."""

    def __init__(self, message: str, *, hint: str | None = None, is_usage: bool = False):
        super().__init__(message)
        self.message, self.hint = message, hint
        # an option that does not fit what was named
        self.is_usage = is_usage
