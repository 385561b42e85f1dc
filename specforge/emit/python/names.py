"""Which names of layers can be written as attributes."""

import unicodedata


def is_plain(name: str) -> bool:
    """Whether `self.name` reaches the layer of that name: Python changes some letters and hides `__name`."""
    return name.isidentifier() and unicodedata.normalize("NFKC", name) == name and not name.startswith("__")
