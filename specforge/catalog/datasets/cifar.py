"""CIFAR-10 and CIFAR-100, read from the folder that torchvision leaves on disk, without importing torchvision.

In: the folder of data sets. Out: all 60,000 images, the official training set first. Every file is checked against
its published MD5 before it is decoded. torchvision is imported for one purpose: to download, when asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from specforge.catalog.datasets.definition import Arrays, DataError, Dataset, Facts
from specforge.catalog.datasets.downloads import Remote, download_files
from specforge.catalog.datasets.published_files import all_named, is_published, read_published, require_files

if TYPE_CHECKING:
    import numpy as np

_TRAIN, _TEST = 50_000, 10_000


@dataclass(frozen=True, slots=True)
class Layout:
    """What lies where: file names with their MD5, and the keys inside. `source` is torchvision's class."""

    source: str
    folder: str
    train: dict[str, str]
    test: dict[str, str]
    meta: dict[str, str]
    labels_key: bytes
    names_key: bytes

    @property
    def files(self) -> dict[str, str]:
        return self.train | self.test | self.meta


class _Cifar(Dataset):
    """60,000 colour images of 32x32 pixels in a folder of pickled batches."""

    layout: ClassVar[Layout]

    def load(self, data_dir: Path, *, download: bool = False) -> Arrays:
        """Read and check the files, after downloading them if they are not there whole and `download` is given."""
        import numpy as np

        layout, folder = self.layout, data_dir / self.layout.folder
        if download and not all(is_published(folder / name, md5=md5) for name, md5 in layout.files.items()):
            _download(layout, data_dir)
        files = {folder / name: md5 for name, md5 in layout.files.items()}
        missing = [path.name for path in files if not path.is_file()]
        require_files(layout.source, folder, missing, holds=layout.folder, beside=files.items())
        with all_named(files.items()):
            train, test, (meta,) = (
                [_read(folder / name, md5) for name, md5 in part.items()]
                for part in (layout.train, layout.test, layout.meta)
            )
        batches = train + test
        images: np.ndarray = np.concatenate([batch[b"data"] for batch in batches])
        labels = np.concatenate([np.array(batch[layout.labels_key], dtype=np.int64) for batch in batches])
        return Arrays(
            images=images.reshape(-1, 3, 32, 32),
            labels=labels,
            train=sum(len(batch[b"data"]) for batch in train),
            class_names=tuple(name.decode("ascii") for name in meta[layout.names_key]),
        )


def _read(path: Path, md5: str) -> Any:
    from specforge.catalog.datasets.array_pickle import read_pickle

    content = read_published(path, md5=md5)
    try:
        return read_pickle(content)
    except DataError as error:
        raise DataError(f"`{path}` cannot be read: {error.message}", findings=error.at(str(path))) from error


def _download(layout: Layout, data_dir: Path) -> None:
    """Fetch and unpack the archive."""

    def archive(source: Any) -> tuple[Remote]:
        return (Remote(source.filename, md5=source.tgz_md5, addresses=(source.url,), unpack=True),)

    def by_hand(name: str) -> str:
        return (
            f"copy {name} to `{data_dir}` and unpack it there (`tar -xzf {name}`), "
            f"so that `{data_dir / layout.folder}` exists"
        )

    download_files(layout.source, archive, data_dir, by_hand=by_hand)


class Cifar10(_Cifar):
    """CIFAR-10: 60,000 colour photographs of ten kinds of things.

        data:
          dataset: cifar10

    Images are (N, 3, 32, 32); 50,000 for training, 10,000 for testing. Read from `cifar-10-batches-py` in the folder
    of data sets (`--data-dir` or SPECFORGE_DATA); `--download` fetches it. A missing folder, a damaged file or a
    failed download is an error.

    Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
    """

    layout: ClassVar[Layout] = Layout(
        source="CIFAR10",
        folder="cifar-10-batches-py",
        train={
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        },
        test={"test_batch": "40351d587109b95175f43aff81a1287e"},
        meta={"batches.meta": "5ff9c542aee3614f3951f8cda6e48888"},
        labels_key=b"labels",
        names_key=b"label_names",
    )

    def facts(self) -> Facts:
        return Facts(image=(3, 32, 32), classes=10, train=_TRAIN, test=_TEST)


class Cifar100(_Cifar):
    """CIFAR-100: 60,000 colour photographs of a hundred kinds of things (the fine labels).

        data:
          dataset: cifar100

    Images are (N, 3, 32, 32); 50,000 for training, 10,000 for testing. Read from `cifar-100-python` in the folder
    of data sets (`--data-dir` or SPECFORGE_DATA); `--download` fetches it. A missing folder, a damaged file or a
    failed download is an error.

    Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
    """

    layout: ClassVar[Layout] = Layout(
        source="CIFAR100",
        folder="cifar-100-python",
        train={"train": "16019d7e3df5f24257cddd939b257f8d"},
        test={"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
        meta={"meta": "7973b15100ade9c7d40fb424638fde48"},
        labels_key=b"fine_labels",
        names_key=b"fine_label_names",
    )

    def facts(self) -> Facts:
        return Facts(image=(3, 32, 32), classes=100, train=_TRAIN, test=_TEST)
