"""What a data set is: facts that are known before reading it, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

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

    The first `train` rows are the official training set in its order, the rest is the official test set. `notes` are
    sentences about the reading that the user should see.
    """

    images: np.ndarray
    labels: np.ndarray
    train: int
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()


# how many of many things a sentence names
NAMED = 10


@dataclass(frozen=True, slots=True)
class DataFinding:
    """One thing that is wrong with a data set: its file (with a key or a row), and why. A warning keeps nobody from
    training.
    """

    path: str
    reason: str
    severity: Literal["error", "warning"] = "error"
    hint: str | None = None


class DataError(Exception):
    """A data set that cannot be read: what is wrong, and what to do about it (`hint`).

    `findings` are all the things that are wrong, of which the message may name only the first.
    """

    def __init__(self, message: str, *, hint: str | None = None, findings: Sequence[DataFinding] = ()):
        super().__init__(message)
        self.message, self.hint = message, hint
        self.findings = tuple(findings) or (DataFinding("", message, hint=hint),)

    def at(self, path: str) -> tuple[DataFinding, ...]:
        """Its findings, those without a file as what is wrong with this one."""
        return tuple(finding if finding.path else replace(finding, path=path) for finding in self.findings)


def together(errors: Sequence[DataError]) -> DataError:
    """Several errors as one, which says all that they say."""
    if len(errors) == 1:
        return errors[0]
    more = f"; and {len(errors) - NAMED:,} more, which `specforge data check` names" if len(errors) > NAMED else ""
    hints = dict.fromkeys(error.hint for error in errors if error.hint)
    return DataError(
        "; ".join(error.message for error in errors[:NAMED]) + more,
        hint="; ".join(hints) or None,
        findings=[finding for error in errors for finding in error.findings],
    )


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

    def inspect(self, data_dir: Path) -> list[DataFinding]:
        """What `load` does not see, because it trusts what it read before or reads what is only odd."""
        return []

    def row_names(self, rows: Sequence[int], data_dir: Path) -> list[str]:
        """Where images of `Arrays` come from."""
        return [f"image {row}" for row in rows]
