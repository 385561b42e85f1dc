"""Unquoted text -> its value by YAML 1.2's core schema.

1e-3 -> 0.001    010 -> 10    0o17 -> 15    no -> "no"    1_000 -> "1_000"    ~ -> None
"""

import re
from functools import lru_cache

from specforge.source.nodes import Value

MAX_NUMBER = 10**18
MIN_NUMBER = 1e-37  # what is nearer to 0, float32 arithmetic takes for 0
MAX_DIGITS = 400

_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_RADIX = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_WORDS: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}


_LARGEST = "numbers go up to 10^18; quote it if it is text"


class NoNumber(ValueError):
    """A text that is a number beyond all bounds: what is wrong with it, and what to do about it (`hint`)."""

    def __init__(self, message: str, hint: str):
        super().__init__(message)
        self.message, self.hint = message, hint


@lru_cache(maxsize=10_000)  # a large spec writes few different values
def resolve_plain(text: str) -> Value:
    """The value of an unquoted scalar; raises `NoNumber` for numbers that are too large, too small or absurdly long."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if len(text) > MAX_DIGITS and (_INTEGER.match(text) or _FLOAT.match(text) or _RADIX.match(text)):
        raise NoNumber(f"a number of {len(text):,} characters is too long", _LARGEST)
    if _INTEGER.match(text) or _RADIX.match(text):
        number = int(text) if _INTEGER.match(text) else int(text, 0)
        if abs(number) > MAX_NUMBER:
            raise NoNumber(f"{_shown(text)} is too large", _LARGEST)
        return number
    return _real(text) if _FLOAT.match(text) else text


def _real(text: str) -> float:
    number = abs(float(text))
    if number > MAX_NUMBER:
        raise NoNumber(f"{_shown(text)} is too large", _LARGEST)
    if number < MIN_NUMBER and re.search("[1-9]", re.split("[eE]", text)[0]):
        raise NoNumber(f"{_shown(text)} is too small", "the smallest number above 0 is 10^-37; write 0")
    return float(text)


def _shown(text: str) -> str:
    return f"`{text}`" if len(text) <= 30 else f"a number of {len(text):,} characters"
