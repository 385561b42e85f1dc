"""SVHN, read from the two MATLAB files that torchvision leaves on disk, without importing torchvision or scipy.

In: the folder of data sets, which holds the files themselves. Out: all 99,289 images, the official training set first.
Each file is checked against its published MD5 before it is decoded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from specforge.catalog.datasets.definition import Arrays, DataError, Dataset, Facts
from specforge.catalog.datasets.digits import Digits
from specforge.catalog.datasets.downloads import Remote, download_files
from specforge.catalog.datasets.matlab import read_mat
from specforge.catalog.datasets.published_files import all_named, is_published, read_published, require_files

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

_SOURCE = "SVHN"
_TRAIN, _TEST = 73_257, 26_032
_IMAGE, _CLASSES = (3, 32, 32), 10


class Svhn(Dataset):
    """SVHN: 99,289 colour photographs of digits in house numbers, 32x32 pixels each.

        data:
          dataset: svhn

    Images are (N, 3, 32, 32); 73,257 for training, 26,032 for testing; the 531,131 easier ones of the `extra` file are
    not read. The file's label 10 is the digit 0, and class 0 here. Classes are not equally frequent: 1 is three times
    as frequent as 9. Read from `train_32x32.mat` and `test_32x32.mat` in the folder of data sets (`--data-dir` or
    SPECFORGE_DATA); `--download` fetches them. A missing or damaged file or a failed download is an error.

    Source: Y. Netzer et al., Reading Digits in Natural Images with Unsupervised Feature Learning, 2011,
    http://ufldl.stanford.edu/housenumbers
    """

    spoilt_by: ClassVar[Mapping[str, str]] = Digits.spoilt_by
    files: ClassVar[Mapping[str, str]] = {
        "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
        "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
    }

    def facts(self) -> Facts:
        return Facts(image=_IMAGE, classes=_CLASSES, train=_TRAIN, test=_TEST)

    def load(self, data_dir: Path, *, download: bool = False) -> Arrays:
        """Read and check both files, after downloading what is not there whole if `download` is given."""
        import numpy as np

        if download:
            _download(self.files, data_dir)
        files = {data_dir / name: md5 for name, md5 in self.files.items()}
        missing = [path.name for path in files if not path.is_file()]
        require_files(_SOURCE, data_dir, missing, holds="train_32x32.mat", beside=files.items())
        with all_named(files.items()):
            (train, train_labels), (test, test_labels) = (_part(path, md5) for path, md5 in files.items())
        return Arrays(
            images=np.concatenate([train, test]),
            labels=np.concatenate([train_labels, test_labels]),
            train=len(train),
            class_names=tuple(str(digit) for digit in range(_CLASSES)),
        )


def _part(path: Path, md5: str) -> tuple[np.ndarray, np.ndarray]:
    """One file's images (N, 3, 32, 32) and labels (N,) int64."""
    import numpy as np

    content = read_published(path, md5=md5)
    try:
        found = read_mat(content)
    except DataError as error:
        raise DataError(f"`{path}` cannot be read: {error.message}", findings=error.at(str(path))) from error
    shapes = {name: found[name].shape if name in found else None for name in ("X", "y")}
    channels, height, width = _IMAGE
    count = found["y"].size if "y" in found else 0
    if not count or shapes != {"X": (height, width, channels, count), "y": (count, 1)}:
        spelled = ", ".join(f"`{name}` of {shape}" if shape else f"no `{name}`" for name, shape in shapes.items())
        raise DataError(f"`{path}` holds {spelled}; expected `X` of (32, 32, 3, N) and `y` of (N, 1)")
    labels = found["y"].ravel()
    if labels.min() < 1 or labels.max() > _CLASSES:
        raise DataError(f"`{path}` has labels from {labels.min()} to {labels.max()}, expected 1 to 10")
    return found["X"].transpose(3, 2, 0, 1), labels.astype(np.int64) % _CLASSES


def _download(files: Mapping[str, str], data_dir: Path) -> None:
    wanted = [name for name, md5 in files.items() if not is_published(data_dir / name, md5=md5)]
    if not wanted:
        return

    def published(source: Any) -> list[Remote]:
        return [Remote(name, md5, (address,)) for address, name, md5 in source.split_list.values() if name in wanted]

    download_files(_SOURCE, published, data_dir, by_hand=lambda name: f"copy {name} to `{data_dir}`")
