"""What every layer is tried with: a file for each family, named as the family's file in the catalogue."""

from importlib import import_module
from pkgutil import iter_modules

from specforge.shapes import Shape

Cases = dict[str, dict[str, tuple[Shape, ...]]]

ANY: tuple[Shape, ...] = ((7,), (3, 5), (3, 8, 8), (2, 4, 5, 6))
SPATIAL: tuple[Shape, ...] = ((3, 9), (3, 9, 8), (3, 9, 8, 7))
IMAGE: tuple[Shape, ...] = ((3, 9, 8),)


def all_cases() -> Cases:
    """Word -> what may be written after it -> the inputs to try it on."""
    files = [import_module(f"{__name__}.{file.name}") for file in iter_modules(__path__)]
    return {word: cases for file in files for word, cases in file.CASES.items()}
