"""MNIST and Fashion-MNIST, read from the folder that torchvision leaves on disk, without importing torchvision.

In: the folder of data sets. Out: all 70,000 images, the official training set first. Each of the four files is taken
unpacked or packed (`.gz`), whichever is whole: both have a published MD5, which is checked before anything is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from specforge.catalog.datasets.definition import Arrays, DataError, Dataset, Facts
from specforge.catalog.datasets.digits import Digits
from specforge.catalog.datasets.downloads import Remote, download_files
from specforge.catalog.datasets.published_files import all_named, is_published, read_published, require_files

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

_TRAIN, _TEST = 60_000, 10_000
_SIDE, _CLASSES = 28, 10
# the header of an IDX file: two zeros, the type of its numbers (8 is a byte), and how many axes follow
_BYTES = 0x0800
_PARTS = ("train", "t10k")
# the largest file has 47 MB; what unpacks to more is none of these
_MOST_BYTES = 2**26


@dataclass(frozen=True, slots=True)
class Sums:
    """The published MD5 of one file, packed (`.gz`) and unpacked."""

    packed: str
    unpacked: str


@dataclass(frozen=True, slots=True)
class Layout:
    """What lies where: torchvision's class and folder have the name `source`; `files` are named without `.gz`."""

    source: str
    files: Mapping[str, Sums]
    class_names: tuple[str, ...]

    @property
    def folder(self) -> str:
        return f"{self.source}/raw"


class _Idx(Dataset):
    """70,000 grey images of 28x28 pixels in four IDX files."""

    layout: ClassVar[Layout]

    def facts(self) -> Facts:
        return Facts(image=(1, _SIDE, _SIDE), classes=_CLASSES, train=_TRAIN, test=_TEST)

    def load(self, data_dir: Path, *, download: bool = False) -> Arrays:
        """Read and check the files, after downloading what is not there whole if `download` is given."""
        import numpy as np

        layout, folder = self.layout, data_dir / self.layout.folder
        if download:
            _download(layout, folder)
        missing = [name for name in layout.files if not any(path.is_file() for path in _places(folder, name))]
        files = _not_whole(folder, layout)
        require_files(layout.source, folder, missing, holds=layout.folder, beside=files)
        with all_named(files):
            images, labels = (
                [_array(folder, f"{part}-{kind}-ubyte", layout, axes) for part in _PARTS]
                for kind, axes in (("images-idx3", 3), ("labels-idx1", 1))
            )
        for part, of_part, named in zip(_PARTS, images, labels, strict=True):
            _require_sound(folder, part, of_part, named)
        return Arrays(
            images=np.concatenate(images)[:, None],
            labels=np.concatenate(labels).astype(np.int64),
            train=len(images[0]),
            class_names=layout.class_names,
        )


def _places(folder: Path, name: str) -> tuple[Path, Path]:
    """Where a file lies packed and unpacked."""
    return folder / f"{name}.gz", folder / name


def _is_whole(folder: Path, name: str, sums: Sums) -> bool:
    packed, unpacked = _places(folder, name)
    return is_published(unpacked, md5=sums.unpacked) or is_published(packed, md5=sums.packed)


def _not_whole(folder: Path, layout: Layout) -> Iterator[tuple[Path, str]]:
    """The files of which no form is whole, in the form that is read, with its MD5."""
    for name, sums in layout.files.items():
        packed, unpacked = _places(folder, name)
        if not _is_whole(folder, name, sums):
            yield (packed, sums.packed) if packed.is_file() else (unpacked, sums.unpacked)


def _content(folder: Path, name: str, sums: Sums) -> bytes:
    """An unpacked file's bytes. A damaged one does not matter where the other form is whole."""
    from specforge.catalog.datasets.archives import unpacked_gz

    packed, unpacked = _places(folder, name)
    if is_published(unpacked, md5=sums.unpacked) or not packed.is_file():
        return read_published(unpacked, md5=sums.unpacked)
    return unpacked_gz(packed, read_published(packed, md5=sums.packed), limit=_MOST_BYTES)


def _array(folder: Path, name: str, layout: Layout, axes: int) -> np.ndarray:
    """The bytes of an IDX file in its shape: magic number, one length for each axis (big-endian), numbers."""
    import numpy as np

    content = _content(folder, name, layout.files[name])
    header = 4 * (1 + axes)
    magic, *shape = (int.from_bytes(content[start : start + 4], "big") for start in range(0, header, 4))
    if magic != _BYTES + axes or len(content) != header + prod(shape):
        found = f"magic number {magic:#010x}, shape {shape}, {len(content):,} bytes"
        raise DataError(f"`{folder / name}` is not an IDX file of bytes with {axes} axes: {found}")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _require_sound(folder: Path, part: str, images: np.ndarray, labels: np.ndarray) -> None:
    """Images of the right size, one label for each; the checksums say so too, unless they are wrong themselves."""
    if images.shape[1:] != (_SIDE, _SIDE) or len(images) != len(labels) or not len(labels) or labels.max() >= _CLASSES:
        found = f"images {images.shape}, labels {labels.shape} up to {labels.max(initial=0)}"
        raise DataError(f"the `{part}` files in `{folder}` do not hold 28x28 images and labels below 10: {found}")


def _download(layout: Layout, folder: Path) -> None:
    wanted = [name for name, sums in layout.files.items() if not _is_whole(folder, name, sums)]
    if not wanted:
        return

    def packed(source: Any) -> list[Remote]:
        return [
            Remote(name, md5, tuple(mirror + name for mirror in source.mirrors), unpack=True)
            for name, md5 in source.resources
            if name.removesuffix(".gz") in wanted
        ]

    download_files(layout.source, packed, folder, by_hand=lambda name: f"copy {name} to `{folder}`")


class Mnist(_Idx):
    """MNIST: 70,000 handwritten digits of 28x28 grey pixels.

        data:
          dataset: mnist

    Images are (N, 1, 28, 28); 60,000 for training, 10,000 for testing. Read from `MNIST/raw` in the folder of data
    sets (`--data-dir` or SPECFORGE_DATA), from the files as published (`.gz`) or unpacked; `--download` fetches
    them. A missing folder, a damaged file or a failed download is an error.

    Source: Y. LeCun et al., Gradient-Based Learning Applied to Document Recognition, Proceedings of the IEEE, 1998.
    """

    spoilt_by: ClassVar[Mapping[str, str]] = Digits.spoilt_by

    layout: ClassVar[Layout] = Layout(
        source="MNIST",
        files={
            "train-images-idx3-ubyte": Sums("f68b3c2dcbeaaa9fbdd348bbdeb94873", "6bbc9ace898e44ae57da46a324031adb"),
            "train-labels-idx1-ubyte": Sums("d53e105ee54ea40749a09fcbcd1e9432", "a25bea736e30d166cdddb491f175f624"),
            "t10k-images-idx3-ubyte": Sums("9fb629c4189551a2d022fa330f9573f3", "2646ac647ad5339dbf082846283269ea"),
            "t10k-labels-idx1-ubyte": Sums("ec29112dd5afa0611ce80d1b7f02629c", "27ae3e4e09519cfbb04c329615203637"),
        },
        class_names=tuple(str(digit) for digit in range(_CLASSES)),
    )


class FashionMnist(_Idx):
    """Fashion-MNIST: 70,000 pictures of clothes of ten kinds, in 28x28 grey pixels.

        data:
          dataset: fashion_mnist

    Images are (N, 1, 28, 28); 60,000 for training, 10,000 for testing. Read from `FashionMNIST/raw` in the folder of
    data sets (`--data-dir` or SPECFORGE_DATA), from the files as published (`.gz`) or unpacked; `--download` fetches
    them. A missing folder, a damaged file or a failed download is an error.

    Source: H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, 2017, https://arxiv.org/abs/1708.07747
    """

    layout: ClassVar[Layout] = Layout(
        source="FashionMNIST",
        files={
            "train-images-idx3-ubyte": Sums("8d4fb7e6c68d591d4c3dfef9ec88bf0d", "f4a8712d7a061bf5bd6d2ca38dc4d50a"),
            "train-labels-idx1-ubyte": Sums("25c81989df183df01b3e8a0aad5dffbe", "9018921c3c673c538a1fc5bad174d6f9"),
            "t10k-images-idx3-ubyte": Sums("bef4ecab320f06d8554ea6380940ec79", "8181f5470baa50b63fa0f6fddb340f0a"),
            "t10k-labels-idx1-ubyte": Sums("bb300cfdad3c16e7a12a480ee83cd310", "15d484375f8d13e6eb1aabb0c3f46965"),
        },
        class_names=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
    )
