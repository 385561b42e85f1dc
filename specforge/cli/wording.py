"""Python types in the words of people who write YAML."""

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

_WORDS = {int: "whole number", float: "number", str: "text", bool: "true or false"}


def type_words(annotation: Any) -> str:
    """`int | tuple[int, ...]` is `whole number or list of whole numbers`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_words(arguments[0])
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(type_words(a) for a in arguments if a is not NoneType))
    if origin is Literal:
        return ", ".join(map(str, arguments))
    if origin is tuple:
        return f"list of {_plural(type_words(arguments[0]))}"
    if annotation in _WORDS:
        return _WORDS[annotation]
    return str(getattr(annotation, "__name__", annotation)).lower().replace("item", "layer")


def _plural(words: str) -> str:
    return words if words.startswith("list") else f"{words}s"
