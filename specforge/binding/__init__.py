"""Nodes -> frozen Pydantic objects, every mistake located.

    {id: conv_1, conv: {out_channels: 32, kernel_size: 3}}    ->    Item("conv_1", Conv(out_channels=32, kernel_size=3))

The class is looked up by its word, then that class alone validates: an error is about one thing, never about every
member of a union. Which fields hold words, sections or layers is read from the classes' annotations.
"""

from specforge.binding.annotations import ChoicePaths, choice_paths, held, signature
from specforge.binding.binder import BAD_CHOICE, MISSING_KEY, UNKNOWN_KEY, UNKNOWN_WORD, Binder, plain
from specforge.binding.unbound import check_arguments, check_names
from specforge.binding.validation import WRONG_VALUE

__all__ = [
    "BAD_CHOICE",
    "MISSING_KEY",
    "UNKNOWN_KEY",
    "UNKNOWN_WORD",
    "WRONG_VALUE",
    "Binder",
    "ChoicePaths",
    "check_arguments",
    "check_names",
    "choice_paths",
    "held",
    "plain",
    "signature",
]
