"""Writes folders of small images for the tests that read them."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image")


def pixels(seed: int, size: tuple[int, int] = (12, 16)) -> np.ndarray:
    """A smooth RGB picture (H, W, 3), which JPEG hardly changes."""
    height, width = size
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [128 + 100 * np.sin(seed + (rows * (1 + channel) + columns) / 9) for channel in range(3)]
    return np.stack(waves, axis=-1).astype(np.uint8)


def write_image(file: Path, seed: int = 0, *, size: tuple[int, int] = (12, 16)) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels(seed, size)).save(file)
    return file


def write_folder(folder: Path, classes: Iterable[str] = ("cat", "dog"), count: int = 3) -> Path:
    """`count` PNG images in each class."""
    for number, name in enumerate(classes):
        for place in range(count):
            write_image(folder / name / f"{place}.png", 10 * number + place)
    return folder
