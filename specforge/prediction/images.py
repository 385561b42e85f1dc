"""Files of images -> pixels as a model takes them, or why a file can't be read.

In: paths of files and folders. Out: for every file in order its pixels (C, H, W) as bytes, or a `Fault`. They are
decoded, turned upright, made grey or RGB and brought to size as the data set `image_folder` does it.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from stat import S_ISREG

import torch
from torch import Tensor

from specforge.catalog.datasets.image_decoding import Form, attempts
from specforge.catalog.datasets.image_listing import SUFFIXES, Fault, ImageFile
from specforge.prediction.card import Card


def find(paths: Iterable[Path]) -> list[Path | Fault]:
    """The files, and those of folders and of the folders inside them, by name; hidden ones are passed over."""
    found: list[Path | Fault] = []
    for path in paths:
        if path.is_dir():
            inside = _inside(path)
            found += inside or [Fault(path, f"a folder without images ({', '.join(SUFFIXES)})")]
        else:
            found.append(_fault(path) or path)
    return found


def read(files: Sequence[Path | Fault], card: Card, *, at_once: int) -> Iterator[tuple[list[Path], Tensor] | Fault]:
    """Batches of up to `at_once` files and their pixels (N, C, H, W), and between them what can't be read, in order."""
    channels, height, width = card.image
    form = Form(height, width, 3 if channels == 3 else 1, card.resize)
    for is_fault, run in groupby(files, key=lambda file: isinstance(file, Fault)):
        group = list(run)
        if is_fault:
            yield from (each for each in group if isinstance(each, Fault))
        else:
            yield from _decoded([each for each in group if isinstance(each, Path)], form, at_once)


def _decoded(paths: Sequence[Path], form: Form, at_once: int) -> Iterator[tuple[list[Path], Tensor] | Fault]:
    listed = [ImageFile(path, 0, 0, 0) for path in paths]
    start = 0
    for attempted in attempts(listed, form, at_once=at_once):
        pairs = zip(paths[start : start + len(attempted)], attempted, strict=True)
        start += len(attempted)
        for is_fault, run in groupby(pairs, key=lambda pair: isinstance(pair[1], Fault)):
            group = list(run)
            if is_fault:
                yield from (result for _, result in group if isinstance(result, Fault))
            else:
                pixels = [torch.from_numpy(result.copy()) for _, result in group if not isinstance(result, Fault)]
                yield [path for path, _ in group], torch.stack(pixels).permute(0, 3, 1, 2)


def _inside(folder: Path) -> list[Path | Fault]:
    found: list[Path | Fault] = []

    def refused(error: OSError) -> None:
        found.append(Fault(Path(error.filename or folder), f"cannot be read: {error.strerror}"))

    for above, folders, names in os.walk(folder, onerror=refused):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        images = [name for name in sorted(names) if not name.startswith(".") and name.lower().endswith(SUFFIXES)]
        found += [_fault(path) or path for path in (Path(above, name) for name in images)]
    return found


def _fault(path: Path) -> Fault | None:
    """What shows before a file is opened; opening a pipe would wait for ever."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return Fault(path, "a link that leads nowhere" if path.is_symlink() else "is not there")
    except (OSError, ValueError) as error:
        return Fault(path, str(getattr(error, "strerror", None) or error).lower())
    if not S_ISREG(status.st_mode):
        return Fault(path, "not a regular file")
    return None if status.st_size else Fault(path, "0 bytes")
