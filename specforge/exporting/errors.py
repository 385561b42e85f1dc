"""What keeps a network from being exported."""


class ExportError(Exception):
    """A network, or a wish, that can't be exported: what was found, and what to do about it (`hint`)."""

    def __init__(self, message: str, *, hint: str | None = None, is_usage: bool = False):
        super().__init__(message)
        self.message, self.hint = message, hint
        # an option that does not fit what was named
        self.is_usage = is_usage
