"""What a data set is: facts that are known before reading it, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from specforge.catalog.definition import Definition
from specforge.shapes import Shape

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a data set without reading it; None where only the file can tell."""

    image: Shape | None = None
    classes: int | None = None
    train: int | None = None
    test: int | None = None


@dataclass(frozen=True, slots=True)
class Arrays:
    """A data set in memory: images (N, C, H, W) uint8, labels (N,) int64, and the official parts' sizes by order.

    The first `train` rows are the official training set in its order, the rest is the official test set.
    """

    images: np.ndarray
    labels: np.ndarray
    train: int
    class_names: tuple[str, ...]


class DataError(Exception):
    """A data set that cannot be read: what is wrong, and what to do about it (`hint`)."""

    def __init__(self, message: str, *, hint: str | None = None):
        super().__init__(message)
        self.message, self.hint = message, hint


def located(path: str, data_dir: Path) -> Path:
    """Where a path of a spec leads: `~` is the home folder, a relative path starts in the folder of data sets."""
    try:
        return data_dir / Path(path).expanduser()
    except RuntimeError as error:  # the home folder of nobody
        raise DataError(f"`{path}` leads nowhere: {error}", hint="write the folder out") from error


class Dataset(Definition):
    """A source of labelled images.

    `spoilt_by` are the augmentations whose results are no images of the class any more, each with an example of it.
    """

    family: ClassVar[str] = "datasets"
    spoilt_by: ClassVar[Mapping[str, str]] = {}

    def facts(self) -> Facts:
        """What is known before anything is read (validation uses it)."""
        return Facts()

    def load(self, data_dir: Path, *, download: bool = False) -> Arrays:
        """Read all images. `data_dir` is the folder of data sets; relative paths in a spec start there too."""
        raise NotImplementedError
