"""Filters that are computed from the training images."""

from math import prod
from typing import Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Call, Count, Initializer, Layer
from specforge.shapes import Misfit, Shape


class Whitening(Initializer):
    """Makes the first convolution's outputs uncorrelated and of variance 1 on patches of the training images.

        layers:
          - {conv: {out_channels: 24, kernel_size: 2}, trainable: false, init: {weight: whitening}}

    For the weight (out_channels, C, H, W) of a convolution that takes the network's input and has no `groups` and no
    `dilation`. Its filters are the eigenvectors of the mean product of patch values, each divided by √(eigenvalue +
    `eps`): C · H · W of them, or twice as many, the second half being the first times -1. `eps`, in squares of
    normalised pixel values, keeps directions in which images hardly differ from being blown up. `images` is how many
    training images are looked at: the first ones, normalised and not augmented.

    The filters are computed once, when training begins. A network without images, as `specforge.compile` gives it, has
    torch's default there.

    Errors: a layer that takes something else than the network's input, or that is no convolution; another number of
    filters.

    Source: https://arxiv.org/abs/2404.00498
    """

    main: ClassVar[str | None] = "eps"
    fewest_axes: ClassVar[int] = 3

    eps: Annotated[float, Field(gt=0)] = 5e-4
    images: Count = 5000

    @property
    def sample(self) -> int:
        return self.images

    def check(self, layer: Layer, input: Shape, parameter: Shape) -> None:
        from specforge.catalog.layers.convolution import Conv

        if not isinstance(layer, Conv) or parameter[1] != input[0] or layer.dilation not in (1, (1,) * len(input[1:])):
            message = "`whitening` is for a convolution over whole patches of neighbouring pixels"
            raise Misfit(message, hint="use it for a `conv` without `groups` and `dilation`")
        patch = prod(parameter[1:])
        if parameter[0] not in (patch, 2 * patch):
            message = f"`whitening` of patches with {patch} values gives {patch} or {2 * patch} filters"
            raise Misfit(f"{message}, found {parameter[0]}", hint=f"write `out_channels: {2 * patch}`")

    def lower(self) -> Call:
        return Call("specforge.torch_backend.initializers.whitening_", {"eps": self.eps})
