"""A part of the data: its labels on the device, and its images, wherever those are.

In: an order of the part's images, or none for its own, and which slices of it are wanted. Out: their bytes (N, C, H, W)
on the device, channels last. A `Resident` part has all images there. A `Streamed` one has them in host memory or in a
mapped file, and reads those of the next slices while the present ones are worked on. Both give the same bytes, so
nobody who reads a part asks which one it is.

    with closing(part.read(order, steps)) as reading:
        for images in reading: ...
"""

import mmap
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from specforge.data.moving import moved

# How many slices are read before they are asked for, each by a thread of its own: one slow read delays nobody, and
# several together keep a disk busy. Three batches of images are little beside what a step keeps of one.
_AHEAD = 3

Reading = Generator[torch.Tensor, None, None]


class Part(ABC):
    """Labels and data set rows (N,) int64 on the device; the images are read."""

    images: torch.Tensor | np.ndarray
    labels: torch.Tensor
    indices: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def device(self) -> torch.device:
        """Where labels are, and where images are when they have been read."""
        return self.labels.device

    @property
    def image(self) -> tuple[int, int, int]:
        """C, H, W of every image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    @abstractmethod
    def read(self, order: torch.Tensor | None, steps: Iterable[slice | torch.Tensor]) -> Reading:
        """For every slice of an order (N,) int64 on the CPU, or of the part's own, the images: (n, C, H, W) uint8.

        Places (n,) int64 on the CPU may stand for a slice.

        They must not be written to. Closing it ends what is read ahead.
        """

    @abstractmethod
    def pixels(self, place: int) -> torch.Tensor:
        """One image of the part: (C, H, W) uint8 on the CPU."""


@dataclass(frozen=True, slots=True)
class Resident(Part):
    """All images on the device: (N, C, H, W) uint8 channels last."""

    images: torch.Tensor
    labels: torch.Tensor
    indices: torch.Tensor

    def read(self, order: torch.Tensor | None, steps: Iterable[slice | torch.Tensor]) -> Reading:
        if order is None:
            for step in steps:
                yield self.images[step if isinstance(step, slice) else moved(step, self.device)]
            return
        order = moved(order, self.device)
        images_nhwc = self.images.permute(0, 2, 3, 1)
        rows = images_nhwc.flatten(1)  # a view; whole rows are what a gather copies fastest
        for step in steps:
            at = step if isinstance(step, slice) else moved(step, self.device)
            taken = rows.index_select(0, order[at])
            yield taken.view(-1, *images_nhwc.shape[1:]).permute(0, 3, 1, 2)

    def pixels(self, place: int) -> torch.Tensor:
        return self.images[place].cpu()


@dataclass(frozen=True, slots=True)
class Streamed(Part):
    """Images (M, C, H, W) uint8 of a whole data set, in memory or mapped, of which the part has the `rows`."""

    images: np.ndarray
    rows: np.ndarray
    labels: torch.Tensor
    indices: torch.Tensor

    def read(self, order: torch.Tensor | None, steps: Iterable[slice | torch.Tensor]) -> Reading:
        places = None if order is None else order.numpy()
        ahead: deque[Future[torch.Tensor]] = deque()
        with ThreadPoolExecutor(_AHEAD, thread_name_prefix="specforge-read") as pool:
            try:
                for step in steps:
                    at = step if isinstance(step, slice) else step.numpy()
                    rows = self.rows[at] if places is None else self.rows[places[at]]
                    ahead.append(pool.submit(self._gathered, rows))
                    if len(ahead) > _AHEAD:
                        yield self._on_device(ahead.popleft().result())
                while ahead:
                    yield self._on_device(ahead.popleft().result())
            finally:
                pool.shutdown(wait=False, cancel_futures=True)  # what is being read is waited for behind the `with`

    def pixels(self, place: int) -> torch.Tensor:
        return torch.from_numpy(self.images[self.rows[place]].copy())

    def _gathered(self, rows: np.ndarray) -> torch.Tensor:
        """(n, H, W, C) in host memory; pinned for a GPU, so that the copy does not wait for the work queued before."""
        channels, height, width = self.image
        pinned = self.device.type == "cuda"
        found = torch.empty((len(rows), height, width, channels), dtype=torch.uint8, pin_memory=pinned)
        _gather(self.images, rows, into=found.numpy())
        return found

    def _on_device(self, images_nhwc: torch.Tensor) -> torch.Tensor:
        return images_nhwc.to(self.device, non_blocking=True).permute(0, 3, 1, 2)


def _gather(images: np.ndarray, rows: np.ndarray, *, into: np.ndarray) -> None:
    """Copy rows of images (M, C, H, W) into (n, H, W, C)."""
    _announce(images, rows)
    images_nhwc = images.transpose(0, 2, 3, 1)
    for place, row in enumerate(rows.tolist()):  # one by one: the others go on while a disk is waited for
        into[place] = images_nhwc[row]


def _announce(images: np.ndarray, rows: np.ndarray) -> None:
    """Tell the system which pieces of a mapped file are wanted, so that it reads them side by side.

    Found page by page, they would come one after the other: a fifth as fast from a solid-state disk.
    """
    mapped = _file_of(images)
    if mapped is not None and hasattr(mapped, "madvise"):
        for start, size in _pieces(images, rows, mapped):
            mapped.madvise(mmap.MADV_WILLNEED, start, size)


def _file_of(images: np.ndarray) -> mmap.mmap | None:
    """The mapped file that an array is a view of."""
    owner: object = images
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return owner if isinstance(owner, mmap.mmap) else None


def _pieces(images: np.ndarray, rows: np.ndarray, mapped: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Where rows lie in the file, in bytes: starts, at the beginning of a page, and sizes."""
    size = images.strides[0]
    first = images.ctypes.data - np.frombuffer(mapped, np.uint8).ctypes.data
    for row in rows.tolist():
        start = first + row * size
        page = start - start % mmap.PAGESIZE
        yield page, start + size - page
