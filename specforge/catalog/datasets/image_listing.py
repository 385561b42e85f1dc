"""Finds the images of a folder with one subfolder for each class.

In: a folder, `flowers/rose/1.jpg` or, in parts, `flowers/train/rose/1.jpg` and `flowers/test/rose/9.jpg`. Out: a
`Listing` of its files with everything that is wrong with its folders, or a `DataError`. No file is opened here. Names
that begin with a dot, and a few that file managers leave behind, are passed over: programs make them, not the people
who collected the images. Whether `Train` is written in capitals does not matter.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from specforge.catalog.datasets.definition import NAMED, DataError, DataFinding

_TEST_NAMES = ("test", "val", "valid", "validation")
_PART_NAMES = ("train", *_TEST_NAMES)
_LEFT_BEHIND = ("Thumbs.db", "desktop.ini", "__MACOSX")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm")
_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file of a class; `size` in bytes and `changed`, in nanoseconds, tell whether it is still the same."""

    path: Path
    label: int
    size: int
    changed: int


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that is no readable image, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with folders, in a sentence, and what it says of each of them."""

    sentence: str
    findings: tuple[DataFinding, ...]

    @classmethod
    def at(cls, path: Path, reason: str, sentence: str) -> Problem:
        return cls(sentence, (DataFinding(shown(path), reason),))


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a folder, the first `train` of them the training set, and the faults seen without opening any.

    One with `problems` is for saying what is wrong.
    """

    folder: Path
    files: tuple[ImageFile, ...]
    train: int
    class_names: tuple[str, ...]
    faults: tuple[Fault, ...]
    problems: tuple[Problem, ...] = ()

    def structural_error(self) -> DataError:
        """What is wrong with the folders."""
        return DataError(
            f"`{shown(self.folder)}`: {listed([problem.sentence for problem in self.problems], between='; ')}",
            hint="one folder for each class, of images alone; or `train` and `test` with these in each",
            findings=[finding for problem in self.problems for finding in problem.findings],
        )


def shown(name: str | Path) -> str:
    """A name that any terminal and file can take: what cannot be printed is written out."""
    text = str(name).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def listed(texts: Sequence[str], *, between: str = ", ") -> str:
    """The first of many, and how many more there are."""
    more = f"{between}and {len(texts) - NAMED:,} more" if len(texts) > NAMED else ""
    return between.join(texts[:NAMED]) + more


def list_images(folder: Path) -> Listing:
    """What `survey` finds, when nothing is wrong with the folders; else a `DataError` with all that is."""
    listing = survey(folder)
    if listing.problems:
        raise listing.structural_error()
    return listing


def survey(folder: Path) -> Listing:
    """Every image file by part, class and name; classes are numbered by name, as torchvision's ImageFolder does."""
    try:
        parts = _parts(folder)
    except DataError as error:
        raise DataError(error.message, hint=error.hint, findings=error.at(shown(folder))) from None
    problems: list[Problem] = []
    classes = [_subfolders(part) for part in parts]
    for part, names in zip(parts, classes, strict=True):
        problems += _stray(folder, part, names)
    problems += _differences(parts, classes)
    files: list[ImageFile] = []
    faults: list[Fault] = []
    counts = []
    for part, names in zip(parts, classes, strict=True):
        before = len(files)
        for label, name in enumerate(names):
            found = list(_below(part / name, (), problems))
            if not found:
                where = shown((part / name).relative_to(folder))
                problems.append(Problem.at(part / name, "the class is empty", f"the class folder `{where}` is empty"))
            _sort_in(found, label, files, faults)
        counts.append(len(files) - before)
    names_shown = tuple(map(shown, classes[0]))
    return Listing(folder, tuple(files), counts[0], names_shown, tuple(faults), tuple(problems))


def _parts(folder: Path) -> list[Path]:
    """The folder itself, or the training part and the test part in it."""
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "is not there"
        hint = "a relative path starts in the folder of data sets, `--data-dir` or SPECFORGE_DATA"
        raise DataError(f"`{shown(folder)}` {what}", hint=hint)
    names = _subfolders(folder)
    parts, others = ([name for name in names if (name.lower() in _PART_NAMES) == wanted] for wanted in (True, False))
    tests = [name for name in parts if name.lower() in _TEST_NAMES]
    trains = [name for name in parts if name.lower() == "train"]
    if not names:
        hint = "put the images of each class into a folder with the name of the class"
        raise DataError(f"`{shown(folder)}` holds no folders of classes", hint=hint)
    if not parts or (others and not (trains and tests)):
        return [folder]  # a class may be called `train`
    inside = ", ".join(f"`{shown(name)}`" for name in names[:NAMED])
    if others:
        hint = "move what is neither out of the folder, or into a folder whose name begins with a dot"
        raise DataError(f"`{shown(folder)}` holds parts and other folders: {inside}", hint=hint)
    if len(trains) != 1 or len(tests) > 1:
        what = "several training parts" if len(trains) > 1 else "several test parts" if trains else "no `train`"
        hint = (
            "keep one of each; `split` can take a validation part from the training images"
            if trains
            else "write `train` and `test`, or one folder for each class"
        )
        raise DataError(f"`{shown(folder)}` holds {what}: {inside}", hint=hint)
    return [folder / name for name in (*trains, *tests)]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder, by name."""
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if entry.name[0] != "." and entry.name not in _LEFT_BEHIND]
    except OSError as error:
        raise DataError(f"the folder `{shown(folder)}` cannot be read: {error.strerror}") from error
    return sorted(found, key=lambda entry: entry.name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _subfolders(folder: Path) -> list[str]:
    return [entry.name for entry in _entries(folder) if _is_folder(entry)]


def _stray(folder: Path, part: Path, classes: list[str]) -> Iterator[Problem]:
    """Images outside the class folders would be lost without a word; other files are notes and licences."""
    if not classes:
        yield Problem.at(part, "holds no folders of classes", f"`{shown(part.name)}` holds no folders of classes")
    images = [part / entry.name for entry in _entries(part) if not _is_folder(entry)]
    images = [image for image in images if image.name.lower().endswith(SUFFIXES)]
    if images:
        named = listed([f"`{shown(image.relative_to(folder))}`" for image in images])
        findings = tuple(DataFinding(shown(image), "an image outside of any class") for image in images)
        yield Problem(f"images outside of any class: {named}", findings)


def _differences(parts: list[Path], classes: list[list[str]]) -> Iterator[Problem]:
    """Classes that one part has and another one lacks."""
    for part, own in zip(parts, classes, strict=True):
        for other, names in zip(parts, classes, strict=True):
            lacking = [name for name in names if name not in set(own)]
            if lacking:
                named = listed([f"`{shown(name)}`" for name in lacking])
                yield Problem(
                    f"`{part.name}` has no class {named}, which `{other.name}` has",
                    tuple(
                        DataFinding(shown(part / name), f"the class is missing, which `{other.name}` has")
                        for name in lacking
                    ),
                )


def _below(folder: Path, above: tuple[tuple[int, int], ...], problems: list[Problem]) -> Iterator[Path]:
    """All files of a class, in the folder's own order; folders inside it belong to the class."""
    found = folder.stat()
    identity = (found.st_dev, found.st_ino)
    if identity in above or len(above) == _DEEPEST:
        why = "leads back to a folder that it lies in" if identity in above else f"is {_DEEPEST} folders deep"
        problems.append(Problem.at(folder, why, f"`{shown(folder)}` {why}"))
        return
    entries = _entries(folder)
    yield from (folder / entry.name for entry in entries if not _is_folder(entry))
    for entry in entries:
        if _is_folder(entry):
            yield from _below(folder / entry.name, (*above, identity), problems)


def _sort_in(found: list[Path], label: int, files: list[ImageFile], faults: list[Fault]) -> None:
    """Files that may be opened, and those whose fault shows already. Opening a pipe would wait for ever."""
    for path in found:
        try:
            status = path.stat()
        except OSError as error:
            faults.append(Fault(path, "a link that leads nowhere" if path.is_symlink() else str(error.strerror)))
            continue
        if not S_ISREG(status.st_mode):
            faults.append(Fault(path, "not a regular file"))
        elif not status.st_size:
            faults.append(Fault(path, "0 bytes"))
        else:
            files.append(ImageFile(path, label, status.st_size, status.st_mtime_ns))
