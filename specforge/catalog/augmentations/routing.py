"""Different operations for different rows of a batch, without asking the device which rows take which.

In: images and, for every row, the number of its operation, known on the host. Out: the images, each changed by its
own. Rows are sorted by operation once, each operation gets a run of them, and they go back to their places.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

# Images (N, C, H, W) uint8 and strengths (N,) -> images of the same memory format.
Operation = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]


def in_groups(
    images: torch.Tensor,
    operation: torch.Tensor,
    functions: Sequence[Operation | None],
    strengths: Sequence[torch.Tensor],
) -> torch.Tensor:
    """Every image changed by the function that `operation` (N,) numbers, with its own of that function's strengths.

    `operation` is on the host. A function that is None changes nothing.
    """
    import torch

    counts = operation.bincount(minlength=len(functions)).tolist()
    rows = _moved(operation.argsort(stable=True), images.device)
    taken = _rows(images).index_select(0, rows)
    sorted_images = _images(taken, images)
    end = 0
    for function, strength, count in zip(functions, strengths, counts, strict=True):
        run = slice(end, end + count)
        end += count
        if count and function is not None:
            group = sorted_images[run]
            group.copy_(function(group, strength.index_select(0, rows[run])))
    return _images(torch.empty_like(taken).index_copy_(0, rows, taken), images)


def _moved(rows: torch.Tensor, device: torch.device) -> torch.Tensor:
    """To the device; from pinned memory, so that the copy does not wait for the work queued before it."""
    return (rows.pin_memory() if device.type == "cuda" else rows).to(device, non_blocking=True)


def _rows(images: torch.Tensor) -> torch.Tensor:
    """(N, values), in the order in which they lie in memory: whole rows are what a gather copies fastest."""
    images_nhwc = images.permute(0, 2, 3, 1)
    return images_nhwc.flatten(1) if images_nhwc.is_contiguous() else images.flatten(1)


def _images(rows: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Rows as images of that memory format."""
    count, (channels, height, width) = len(rows), like.shape[1:]
    if like.permute(0, 2, 3, 1).is_contiguous():
        return rows.view(count, height, width, channels).permute(0, 3, 1, 2)
    return rows.view(count, channels, height, width)
