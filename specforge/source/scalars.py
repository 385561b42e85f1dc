"""Unquoted text -> its value by YAML 1.2's core schema.

1e-3 -> 0.001    010 -> 10    0o17 -> 15    no -> "no"    1_000 -> "1_000"    ~ -> None
"""

import re
from functools import lru_cache

from specforge.source.nodes import Value

MAX_NUMBER = 10**18
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


@lru_cache(maxsize=10_000)  # a large spec writes few different values
def resolve_plain(text: str) -> Value:
    """The value of an unquoted scalar; raises OverflowError for whole numbers beyond 10^18 and absurdly long ones."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if len(text) > MAX_DIGITS and (_INTEGER.match(text) or _FLOAT.match(text) or _RADIX.match(text)):
        raise OverflowError
    if _INTEGER.match(text) or _RADIX.match(text):
        number = int(text) if _INTEGER.match(text) else int(text, 0)
        if abs(number) > MAX_NUMBER:
            raise OverflowError
        return number
    if _FLOAT.match(text):
        return float(text)
    return text
