"""Momentum made orthogonal."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from specforge.catalog.definition import Call, LearningRate, Optimizer, Probability
from specforge.shapes import Shape, elements


class Muon(Optimizer):
    """Replaces each weight matrix's momentum by a nearly orthogonal matrix before stepping against it.

        train:
          optimizer: {adamw: 1e-3}
          groups:
            - select: {kind: [conv, linear], parameter: weight}
              optimizer: {muon: {lr: 0.02, weight_decay: 0.01}}

    `lr` is the step's size per update. `momentum` is the share of the average that is kept, `nesterov` looks one step
    ahead. `weight_decay` times `lr` is the share of each weight that every step takes away. `adjust_lr` scales the rate
    by a matrix's shape (rows, columns): `original` by the root of rows / columns, at least 1; `match_rms_adamw` by 0.2
    times the root of the larger one, which makes rates and decays that were tuned for `adamw` fit. `normalize_weights`
    gives each tensor, before every step, the length √rows, so that a row has 1 on average: for weights before a
    normalisation, whose length changes nothing but how far a step turns them.

    `ns_steps` Newton-Schulz steps in bfloat16 stand for the orthogonal matrix, as in torch: the fewer, the further its
    singular values are from 1. A convolution's kernel (out_channels, in_channels, H, W) is taken as the matrix
    (out_channels, in_channels · H · W). On matrices it equals torch.optim.Muon, which torch has from 2.9 on.

    Errors: biases, the scales of normalisations and other parameters of fewer than two axes can't be trained by it.

    Source: https://kellerjordan.github.io/posts/muon/, https://arxiv.org/abs/2502.16982,
    https://docs.pytorch.org/docs/stable/generated/torch.optim.Muon.html
    """

    main: ClassVar[str | None] = "lr"
    fewest_axes: ClassVar[int] = 2

    lr: LearningRate = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.1
    momentum: Probability = 0.95
    nesterov: bool = True
    ns_steps: Annotated[int, Field(ge=1, lt=100)] = 5
    adjust_lr: Literal["original", "match_rms_adamw"] = "original"
    normalize_weights: bool = False

    def remembered(self, shape: Shape) -> int:
        return elements(shape)  # the momentum

    def working(self, shape: Shape) -> int:
        numbers, rows = elements(shape), shape[0]
        side = min(rows, numbers // rows)
        # two matrices of half width and three products of the smaller side; a kernel is laid out anew, between others
        return max(numbers + 3 * side**2 // 2, (4 if len(shape) == 4 else 3) * numbers // 2)

    def lower(self) -> Call:
        return Call(
            "specforge.torch_backend.muon.Muon",
            {
                "lr": self.lr,
                "weight_decay": self.weight_decay,
                "momentum": self.momentum,
                "nesterov": self.nesterov,
                "ns_steps": self.ns_steps,
                "adjust_lr": self.adjust_lr,
                "normalize_weights": self.normalize_weights,
            },
        )
