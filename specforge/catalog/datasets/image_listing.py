"""Finds the images of a folder with one subfolder for each class.

In: a folder, `flowers/rose/1.jpg` or, in parts, `flowers/train/rose/1.jpg` and `flowers/test/rose/9.jpg`. Out: a
`Listing` of its files, or a `DataError` with everything that is wrong with its folders. No file is opened here. Names
that begin with a dot, and a few that file managers leave behind, are passed over: programs make them, not the people
who collected the images.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from specforge.catalog.datasets.definition import DataError

_TEST_NAMES = ("test", "val", "valid", "validation")
_PART_NAMES = ("train", *_TEST_NAMES)
_LEFT_BEHIND = ("Thumbs.db", "desktop.ini", "__MACOSX")
_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm")
_DEEPEST = 32
_NAMED = 10


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
class Listing:
    """The files of a folder, the first `train` of them the training set, and the faults seen without opening any."""

    folder: Path
    files: tuple[ImageFile, ...]
    train: int
    class_names: tuple[str, ...]
    faults: tuple[Fault, ...]


def shown(name: str | Path) -> str:
    """A name that any terminal and file can take: what cannot be printed is written out."""
    text = str(name).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def listed(texts: Sequence[str], *, between: str = ", ") -> str:
    """The first of many, and how many more there are."""
    more = f"{between}and {len(texts) - _NAMED:,} more" if len(texts) > _NAMED else ""
    return between.join(texts[:_NAMED]) + more


def list_images(folder: Path) -> Listing:
    """Every image file by part, class and name; classes are numbered by name, as torchvision's ImageFolder does."""
    parts = _parts(folder)
    problems: list[str] = []
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
                problems.append(f"the class folder `{shown((part / name).relative_to(folder))}` is empty")
            _sort_in(found, label, files, faults)
        counts.append(len(files) - before)
    if problems:
        raise DataError(
            f"`{shown(folder)}`: {listed(problems, between='; ')}",
            hint="one folder for each class, of images alone; or `train` and `test` with these in each",
        )
    return Listing(folder, tuple(files), counts[0], tuple(map(shown, classes[0])), tuple(faults))


def _parts(folder: Path) -> list[Path]:
    """The folder itself, or the training part and the test part in it."""
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "is not there"
        hint = "a relative path starts in the folder of data sets, `--data-dir` or SPECFORGE_DATA"
        raise DataError(f"`{shown(folder)}` {what}", hint=hint)
    names = _subfolders(folder)
    parts, others = ([name for name in names if (name in _PART_NAMES) == wanted] for wanted in (True, False))
    tests = [name for name in parts if name in _TEST_NAMES]
    if not names:
        hint = "put the images of each class into a folder with the name of the class"
        raise DataError(f"`{shown(folder)}` holds no folders of classes", hint=hint)
    if not parts or (others and not ("train" in parts and tests)):
        return [folder]  # a class may be called `train`
    inside = ", ".join(f"`{shown(name)}`" for name in names[:_NAMED])
    if others:
        hint = "move what is neither out of the folder, or into a folder whose name begins with a dot"
        raise DataError(f"`{shown(folder)}` holds parts and other folders: {inside}", hint=hint)
    if "train" not in parts or len(tests) > 1:
        what = "several test parts" if "train" in parts else "no `train`"
        hint = (
            "keep one beside `train`; `split` can take a validation part from the training images"
            if "train" in parts
            else "write `train` and `test`, or one folder for each class"
        )
        raise DataError(f"`{shown(folder)}` holds {what}: {inside}", hint=hint)
    return [folder / name for name in ("train", *tests)]


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


def _stray(folder: Path, part: Path, classes: list[str]) -> list[str]:
    """Images outside the class folders would be lost without a word; other files are notes and licences."""
    names = [entry.name for entry in _entries(part) if not _is_folder(entry)]
    images = [f"`{shown((part / name).relative_to(folder))}`" for name in names if name.lower().endswith(_SUFFIXES)]
    missing = [] if classes else [f"`{shown(part.name)}` holds no folders of classes"]
    return missing + ([f"images outside of any class: {listed(images)}"] if images else [])


def _differences(parts: list[Path], classes: list[list[str]]) -> Iterator[str]:
    """Classes that one part has and another one lacks."""
    for part, own in zip(parts, classes, strict=True):
        for other, names in zip(parts, classes, strict=True):
            lacking = [f"`{shown(name)}`" for name in names if name not in set(own)]
            if lacking:
                yield f"`{part.name}` has no class {listed(lacking)}, which `{other.name}` has"


def _below(folder: Path, above: tuple[tuple[int, int], ...], problems: list[str]) -> Iterator[Path]:
    """All files of a class, in the folder's own order; folders inside it belong to the class."""
    found = folder.stat()
    identity = (found.st_dev, found.st_ino)
    if identity in above or len(above) == _DEEPEST:
        why = "leads back to a folder that it lies in" if identity in above else f"is {_DEEPEST} folders deep"
        problems.append(f"`{shown(folder)}` {why}")
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
