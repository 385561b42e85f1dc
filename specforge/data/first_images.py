"""The first training images as a network meets them in evaluation: what initialisers look at.

In: prepared data. Out: normalised images (n, C, H, W) float32 on the device, some at a time, in the part's order and
not augmented.
"""

from collections.abc import Iterator

import torch

from specforge.data.batches import EvaluationBatches
from specforge.data.prepare import Prepared

# what stands on the device at once: the patches of an image are many times as large as the image
_TOGETHER = 500


def first_images(prepared: Prepared, count: int) -> Iterator[torch.Tensor]:
    """So many of the training part's images, or all where it has fewer."""
    for batch in EvaluationBatches(prepared.train, batch_size=_TOGETHER, mean=prepared.mean, std=prepared.std):
        yield batch.images[:count]
        count -= len(batch.images)
        if count <= 0:
            return
