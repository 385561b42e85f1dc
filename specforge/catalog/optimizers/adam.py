"""Adaptive moments."""

from typing import Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Call, LearningRate, Optimizer, Probability
from specforge.shapes import Shape, elements


class Adam(Optimizer):
    """Scales each weight's step by running averages of its gradient and of its squared gradient.

        train:
          optimizer: {adam: {lr: 1e-3, betas: [0.9, 0.999]}}

    `lr` is the step's size per update, `betas` are the decay rates of the two averages, `eps` is added to the
    denominator. `weight_decay` adds itself times the weight to the gradient (L2, as in torch; `adamw` decouples it).
    `amsgrad` divides by the largest average of squares so far.

    Source: https://arxiv.org/abs/1412.6980, https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html
    """

    main: ClassVar[str | None] = "lr"

    lr: LearningRate = 1e-3
    betas: tuple[Probability, Probability] = (0.9, 0.999)
    eps: Annotated[float, Field(gt=0)] = 1e-8
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    amsgrad: bool = False

    def remembered(self, shape: Shape) -> int:
        return (2 + self.amsgrad) * elements(shape) + 1  # both averages, the largest, and the step

    def lower(self) -> Call:
        return Call(
            "torch.optim.Adam",
            {
                "lr": self.lr,
                "betas": self.betas,
                "eps": self.eps,
                "weight_decay": self.weight_decay,
                "amsgrad": self.amsgrad,
            },
        )


class Adamw(Optimizer):
    """Adam whose weight decay shrinks the weights directly and leaves the gradient alone.

        train:
          optimizer: {adamw: {lr: 1e-3, weight_decay: 0.05}}

    `lr` is the step's size per update, `betas` are the decay rates of the averages of the gradient and of its square,
    `eps` is added to the denominator. `weight_decay` times `lr` is the share of each weight that every step takes away;
    its default is not 0. `amsgrad` divides by the largest average of squares so far.

    Source: https://arxiv.org/abs/1711.05101, https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html
    """

    main: ClassVar[str | None] = "lr"

    lr: LearningRate = 1e-3
    betas: tuple[Probability, Probability] = (0.9, 0.999)
    eps: Annotated[float, Field(gt=0)] = 1e-8
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    amsgrad: bool = False

    def remembered(self, shape: Shape) -> int:
        return (2 + self.amsgrad) * elements(shape) + 1  # both averages, the largest, and the step

    def lower(self) -> Call:
        return Call(
            "torch.optim.AdamW",
            {
                "lr": self.lr,
                "betas": self.betas,
                "eps": self.eps,
                "weight_decay": self.weight_decay,
                "amsgrad": self.amsgrad,
            },
        )


class Adamax(Optimizer):
    """Adam that divides by the largest recent gradient instead of an average of squares.

        train:
          optimizer: {adamax: {lr: 2e-3}}

    `lr` is the step's size per update. `betas` are the decay rates of the gradient's average and of its largest size,
    `eps` is added to that size. `weight_decay` adds itself times the weight to the gradient (L2).

    Source: https://arxiv.org/abs/1412.6980, https://docs.pytorch.org/docs/stable/generated/torch.optim.Adamax.html
    """

    main: ClassVar[str | None] = "lr"

    lr: LearningRate = 2e-3
    betas: tuple[Probability, Probability] = (0.9, 0.999)
    eps: Annotated[float, Field(gt=0)] = 1e-8
    weight_decay: Annotated[float, Field(ge=0)] = 0.0

    def remembered(self, shape: Shape) -> int:
        return 2 * elements(shape) + 1  # the average, the largest size, and the step

    def working(self, shape: Shape) -> int:
        return (1 + (self.weight_decay > 0)) * elements(shape)  # the size, and the gradient with the weight added

    def lower(self) -> Call:
        return Call(
            "torch.optim.Adamax",
            {"lr": self.lr, "betas": self.betas, "eps": self.eps, "weight_decay": self.weight_decay},
        )
