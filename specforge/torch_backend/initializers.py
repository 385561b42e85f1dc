"""Initialisers that torch lacks. Each changes a tensor in place; those that need images take them in batches.

Shapes: O filters, C channels, images (N, C, H, W), P values of a patch.
"""

from collections.abc import Iterable

import torch
from torch import Tensor


def dirac_beginning_(tensor: Tensor) -> Tensor:
    """As `dirac_`, but filters beyond those that pass the C channels on stay as they are."""
    torch.nn.init.dirac_(tensor[: tensor.size(1)])
    return tensor


def whitening_(tensor: Tensor, batches: Iterable[Tensor], *, eps: float) -> Tensor:
    """Fill (O, C, …) with the scaled eigenvectors of what patches of the images have in common, O being P or 2 P.

    Products are summed on the images' device and decomposed on the CPU in float64. An eigenvector is as good as its
    negative: each is turned so that its largest value is positive, whatever the library that found it.
    """
    products_pp, patches = torch.zeros(2 * (tensor[0].numel(),), dtype=torch.float64), 0
    for images in batches:
        values_np = _patches(images, tensor.shape[2:])
        products_pp += (values_np.T @ values_np).cpu().double()
        patches += len(values_np)
    assert patches, "there are training images"
    values, vectors = torch.linalg.eigh(products_pp / patches)
    vectors = vectors.T
    vectors = vectors * vectors.gather(1, vectors.abs().argmax(1, keepdim=True)).sign()
    filters = vectors / (values.clamp(min=0) + eps).sqrt()[:, None]
    both = torch.cat([filters, -filters])[: len(tensor)]
    return tensor.copy_(both.view(tensor.shape))


def _patches(images: Tensor, kernel: torch.Size) -> Tensor:
    """Every patch of the kernel's size as a row: (N · places, C · kernel), in the order of a filter's values."""
    for axis, length in enumerate(kernel, 2):
        images = images.unfold(axis, length, 1)
    axes = images.ndim - len(kernel)
    return images.transpose(1, axes - 1).flatten(0, axes - 2).flatten(1)
