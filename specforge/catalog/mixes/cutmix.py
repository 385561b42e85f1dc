"""Pasting a piece of one image into another."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from specforge.catalog.mixes.definition import Draw, Mix

if TYPE_CHECKING:
    import torch


class Cutmix(Mix):
    """Replaces a box of each image of a batch by that piece of another one, and mixes the labels by the area.

        data:
          dataset: cifar10
          mix: {cutmix: {alpha: 1.0, probability: 0.5}}

    `(N, C, H, W) -> (N, C, H, W)` on normalised images; the loss is share * loss(label) + (1 - share) *
    loss(partner's label), where share is the part of the image's pixels that is left. One box is drawn for a batch, as
    in the paper: 1 - share is drawn from Beta(alpha, alpha), its sides are sqrt(1 - share) of height and width, its
    middle is any pixel, and what lies outside of the image is cut off, which gives the true share. Partners are the
    batch in another order, so an image may meet itself.
    `alpha`, 0.001 to 1000, says how boxes are spread: at 1, the paper's, every size is as likely; near 0 they are tiny
    or cover everything, far above 1 they cover half.
    `probability` is the share of batches that are mixed, 0 to 1; the others stay as they are. The paper takes 0.5 for
    CIFAR and 1 for ImageNet.

    Source: https://arxiv.org/abs/1905.04899
    """

    def apply(self, images: torch.Tensor, draw: Draw) -> tuple[torch.Tensor, float]:
        height, width = images.shape[2:]
        rows, columns = (
            _side(length, draw.share, place) for length, place in zip((height, width), draw.place, strict=True)
        )
        mixed = images.clone()
        mixed[:, :, rows, columns] = images[:, :, rows, columns].index_select(0, draw.partners)
        kept = 1 - (rows.stop - rows.start) * (columns.stop - columns.start) / (height * width)
        return mixed, kept


def _side(length: int, share: float, place: float) -> slice:
    """Where the box lies along an axis of so many pixels; `share` is what is left, before cutting off."""
    half, middle = int(0.5 * sqrt(1 - share) * length), int(place * length)
    return slice(max(middle - half, 0), min(middle + half, length))
