"""`mistakes.json` of a run -> the pictures that were taken for something else, ready to be shown.

The surest mistakes come first. Runs of older versions don't have the file.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from specforge.report.run import Count, Name, RunFile, read_record

FILE = "mistakes.json"
# pixels: smaller images are enlarged without smoothing, as what the network sees
_SMALL = 48


class Example(RunFile):
    """An image; `true` and `predicted` are numbers of classes, `index` is its row in the data set, `png` is base64."""

    index: Count
    true: Count
    predicted: Count
    confidence: float | None = None
    # the first letters are those of every PNG
    png: Annotated[str, Field(pattern=r"^iVBORw0KGgo[A-Za-z0-9+/]{32,}={0,2}$")]


class Pair(RunFile):
    """Images of one class that were taken for another."""

    true: Count
    predicted: Count
    count: Count
    examples: tuple[Example, ...] = ()


class Mistakes(RunFile):
    classes: tuple[Name, ...] = ()
    mistakes: tuple[Example, ...] = ()
    pairs: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """An example with the names of its classes; a `small` one is to be enlarged."""

    index: int
    true: str
    predicted: str
    confidence: float | None
    png: str
    small: bool


def read_mistakes(folder: Path) -> Mistakes | None:
    """None for a run without the file. Raises `RunError` for a damaged one."""
    return read_record(folder / FILE, Mistakes)


def pictures(examples: Sequence[Example], classes: Sequence[str]) -> tuple[Picture, ...]:
    return tuple(
        Picture(
            example.index, class_name(classes, example.true), class_name(classes, example.predicted),
            example.confidence, example.png, max(_size(example.png)) <= _SMALL,
        )
        for example in examples
    )  # fmt: skip


def class_name(names: Sequence[str], index: int) -> str:
    """A network may have more outputs than there are classes."""
    return names[index] if 0 <= index < len(names) else f"output {index}"


def _size(png: str) -> tuple[int, int]:
    """Width and height, from the first chunk of the file."""
    head = base64.b64decode(png[:32])
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
