"""Everything that is wrong with a spec's data, in one pass.

In: the `data` section of a spec, and its network. Out: `Checked`, with a finding for each file, key or image at fault.
Errors are what `prepare` refuses, with the same reasons; warnings are what it takes and its user may not know of:
images that are converted, classes without training images, images that are in two parts.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from specforge.catalog.datasets.definition import Arrays, DataError, DataFinding, Facts
from specforge.catalog.discovery import word_for
from specforge.checks.dataset_fit import mismatches
from specforge.data.prepare import divided, load, require_channels
from specforge.data.splits import Parts, Rows
from specforge.graph import Graph
from specforge.spec import Data


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found, errors first, and how many images and classes there are; None where they could not be read."""

    findings: tuple[DataFinding, ...]
    images: int | None = None
    classes: int | None = None

    @property
    def errors(self) -> int:
        return sum(finding.severity == "error" for finding in self.findings)


def check(data: Data, graph: Graph | None, *, data_dir: Path) -> Checked:
    """Read all of a data set, anew where a cache would spare it, and compare it with the spec."""
    word = word_for(data.dataset)
    found: list[DataFinding] = []
    arrays = None
    try:
        found += _inspected(data, data_dir)
        if not any(finding.severity == "error" for finding in found):
            arrays = load(data, data_dir)
    except DataError as error:
        found += error.at(word)
    if arrays is None:
        return Checked(_sorted(found))
    found += [DataFinding(word, note, "warning") for note in arrays.notes]
    found += _against_spec(data, graph, arrays)
    return Checked(_sorted([*found, *_parts(data, arrays, data_dir)]), len(arrays.labels), len(arrays.class_names))


def _inspected(data: Data, data_dir: Path) -> list[DataFinding]:
    try:
        return data.dataset.inspect(data_dir)
    except OSError as error:
        raise DataError(f"the data set cannot be read: {error}", hint="is the folder of data sets readable?") from error


def _sorted(findings: Iterable[DataFinding]) -> tuple[DataFinding, ...]:
    """Errors first, otherwise as they were found."""
    return tuple(sorted(findings, key=lambda finding: finding.severity != "error"))


def _against_spec(data: Data, graph: Graph | None, arrays: Arrays) -> Iterator[DataFinding]:
    """What the spec says otherwise: the network's input and classes, the channels of `normalize`."""
    word, (channels, height, width) = word_for(data.dataset), arrays.images.shape[1:]
    facts = Facts(image=(channels, height, width), classes=len(arrays.class_names))
    for found in mismatches(graph, facts, word) if graph is not None else ():
        yield DataFinding(word, found.message, hint=found.hint)
    try:
        require_channels(data, channels)
    except DataError as error:
        yield from error.at(word)


def _parts(data: Data, arrays: Arrays, data_dir: Path) -> Iterator[DataFinding]:
    word = word_for(data.dataset)
    try:
        parts = divided(data.split, arrays)
    except DataError as error:
        yield from error.at(word)
        return
    counts = np.bincount(arrays.labels[parts.train], minlength=len(arrays.class_names))
    for name, count in zip(arrays.class_names, counts, strict=True):
        if not count and data.sampling == "balanced":
            hint = "give the training part images of every class, or write `sampling: uniform`"
            yield DataFinding(f"{word}: class {name}", "the class has no training image to draw", hint=hint)
        elif not count:
            yield DataFinding(f"{word}: class {name}", "the class has no training image", "warning")
    yield from _duplicates(data, arrays, parts, data_dir)


@dataclass(frozen=True, slots=True)
class _Twin:
    """An image of another part with the pixels of a training image, by their rows in the data set."""

    part: str
    row: int
    train: int


def _duplicates(data: Data, arrays: Arrays, parts: Parts, data_dir: Path) -> Iterator[DataFinding]:
    """Images that training has seen when they are validated or tested on."""
    first = {digest: row for row, digest in reversed(list(_digests(arrays.images, parts.train)))}
    others = {"validation": parts.validation, "test": parts.test}
    twins = [
        _Twin(part, row, first[digest])
        for part, rows in others.items()
        if rows is not None
        for row, digest in _digests(arrays.images, rows)
        if digest in first
    ]
    yield from _told(twins, arrays, data, data_dir)


def _told(twins: Sequence[_Twin], arrays: Arrays, data: Data, data_dir: Path) -> Iterator[DataFinding]:
    if not twins:
        return
    labels = arrays.labels
    names = data.dataset.row_names([row for twin in twins for row in (twin.row, twin.train)], data_dir)
    for twin, name, other in zip(twins, names[::2], names[1::2], strict=True):
        as_class = "" if labels[twin.row] == labels[twin.train] else ", under another class"
        reason = f"in the {twin.part} part, with the same pixels as {other} in the training part{as_class}"
        yield DataFinding(name, reason, "warning")


def _digests(images: np.ndarray, rows: Rows) -> Iterator[tuple[int, bytes]]:
    for row in rows.tolist():
        yield row, blake2b(images[row].tobytes(), digest_size=16).digest()
