"""The data set that specforge carries: real handwritten digits, for which no network is needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from specforge.catalog.datasets.definition import Arrays, Dataset, Facts

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = Path(__file__).with_name("digits.npz")
_TRAIN, _TEST = 1415, 382
# the file counts ink from 0 to 16; 16 * 15 = 240 uses the range of a byte without rounding
_SCALE = 15


class Digits(Dataset):
    """1,797 handwritten digits of 8x8 grey pixels, shipped with specforge.

        data:
          dataset: digits

    Images are (N, 1, 8, 8), values 0 to 240: the source counts ink from 0 to 16, times 15 here. The first 1,415
    images are the training set and the last 382 the test set, written by two people who do not appear in training
    (DIGITS.md, beside the file, says why).

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
    1998, https://doi.org/10.24432/C50P49, CC BY 4.0.
    """

    spoilt_by: ClassVar[Mapping[str, str]] = {
        "horizontal_flip": "mirrored, a 2 looks like a 5 and a 7 like no digit",
        "vertical_flip": "upside down, a 2 looks like a 5 and a 7 like no digit",
        "rotation": "turned by more than a right angle, a 6 looks like a 9",
        "affine": "turned by more than a right angle, a 6 looks like a 9",
    }

    def facts(self) -> Facts:
        return Facts(image=(1, 8, 8), classes=10, train=_TRAIN, test=_TEST)

    def load(self, data_dir: Path, *, download: bool = False) -> Arrays:
        """Read the shipped file; neither argument is needed."""
        import numpy as np

        with np.load(_FILE, allow_pickle=False) as file:
            images, labels = file["images"], file["labels"]
        return Arrays(
            images=(images * np.uint8(_SCALE))[:, None],
            labels=labels.astype(np.int64),
            train=_TRAIN,
            class_names=tuple(str(digit) for digit in range(10)),
        )
