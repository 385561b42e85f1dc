"""Matrices and kernels that keep what passes through them."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from specforge.catalog.definition import Call, Initializer


class Dirac(Initializer):
    """Makes a convolution pass its input on: 1 at the kernel's centre of equal channels, 0 elsewhere.

        layers:
          - {conv: {out_channels: 8, kernel_size: 3, padding: same}, init: {weight: dirac, bias: zeros}}

    For weights of convolutions, with three to five axes. `beyond` says how the filters start that are more than the
    input's channels: `zeros`, as in torch, or `default`, as they would without an initializer.

    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.dirac_
    """

    fewest_axes: ClassVar[int] = 3

    beyond: Literal["zeros", "default"] = "zeros"

    def lower(self) -> Call:
        if self.beyond == "default":
            return Call("specforge.torch_backend.initializers.dirac_beginning_")
        return Call("torch.nn.init.dirac_")


class Orthogonal(Initializer):
    """Draws a matrix whose rows or columns are perpendicular and of length `gain`.

        layers:
          - {linear: 512, init: {weight: orthogonal, bias: zeros}}

    For tensors with two axes or more; all but the first are taken as one.

    Source: Saxe et al. 2013, https://arxiv.org/abs/1312.6120,
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.orthogonal_
    """

    main: ClassVar[str | None] = "gain"
    fewest_axes: ClassVar[int] = 2

    gain: Annotated[float, Field(gt=0)] = 1.0

    def lower(self) -> Call:
        return Call("torch.nn.init.orthogonal_", {"gain": self.gain})
