"""Finds catalogue entries by word without importing what a spec does not use.

A family is a package below `catalog`; every public class in its files whose base is a class name is a word, in
snake_case: `class BatchNorm(Layer)` in `layers/normalization.py` is `batch_norm`. The index is read from the
files' text, so `relu` imports `activation.py` and nothing else. The set is closed: it is what the package holds.
"""

import re
from functools import cache
from importlib import import_module
from pathlib import Path

from specforge.catalog.definition import Definition

FAMILIES = (
    *("layers", "optimizers", "schedules", "losses", "initializers"),
    *("augmentations", "mixes", "datasets", "distributions"),
)
_CLASS = re.compile(r"^class ([A-Z]\w*)\(\w+\):", re.MULTILINE)


def word_of(class_name: str) -> str:
    """`GlobalAvgPool -> global_avg_pool`, `Cifar100 -> cifar100`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_name).lower()


@cache
def index(family: str) -> dict[str, tuple[str, str]]:
    """Every word of a family with its module and class name."""
    package = Path(__file__).with_name(family)
    found: dict[str, tuple[str, str]] = {}
    for file in sorted(package.glob("*.py")):
        if file.stem == "definition":  # what a family's entries are, not an entry
            continue
        module = f"specforge.catalog.{family}.{file.stem}"
        for name in _CLASS.findall(file.read_text(encoding="utf-8")):
            assert word_of(name) not in found, f"{word_of(name)} is defined twice"
            found[word_of(name)] = (module, name)
    return found


@cache
def definition(family: str, word: str) -> type[Definition] | None:
    """The class behind a word, or None when the family has no such word."""
    if word not in index(family):
        return None
    module, name = index(family)[word]
    found: type[Definition] = getattr(import_module(module), name)
    return found


def word_for(entry: Definition | type[Definition]) -> str:
    """The word that names an entry: `Conv -> conv`."""
    return word_of((entry if isinstance(entry, type) else type(entry)).__name__)
