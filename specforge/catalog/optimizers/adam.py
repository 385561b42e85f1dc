"""Adaptive moments."""

from typing import Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Call, Optimizer, Probability
from specforge.shapes import Shape, elements


class Adam(Optimizer):
    """Scales each weight's step by running averages of its gradient and of its squared gradient.

        train:
          optimizer: {adam: {lr: 1e-3, betas: [0.9, 0.999]}}

    `lr` is the step's size per update, `betas` are the decay rates of the two averages, `eps` is added to the
    denominator. `weight_decay` adds itself times the weight to the gradient (L2, as in torch; not decoupled).

    Source: https://arxiv.org/abs/1412.6980, https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html
    """

    main: ClassVar[str | None] = "lr"

    lr: Annotated[float, Field(gt=0)] = 1e-3
    betas: tuple[Probability, Probability] = (0.9, 0.999)
    eps: Annotated[float, Field(gt=0)] = 1e-8
    weight_decay: Annotated[float, Field(ge=0)] = 0.0

    def remembered(self, shape: Shape) -> int:
        return 2 * elements(shape) + 1  # both averages, and the step

    def lower(self) -> Call:
        return Call(
            "torch.optim.Adam",
            {"lr": self.lr, "betas": self.betas, "eps": self.eps, "weight_decay": self.weight_decay},
        )
