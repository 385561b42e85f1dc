"""Adam with a better start: momentum that looks ahead, steps that wait for a sure average."""

from typing import Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Call, LearningRate, Optimizer, Probability
from specforge.shapes import Shape, elements


class Nadam(Optimizer):
    """Adam with Nesterov momentum, which grows in the first steps.

        train:
          optimizer: {nadam: {lr: 2e-3}}

    `lr` is the step's size per update, `betas` are the decay rates of the averages of the gradient and of its square,
    `eps` is added to the denominator. `momentum_decay` is how fast the momentum grows per step. `weight_decay` adds
    itself times the weight to the gradient (L2); with `decoupled_weight_decay: true` it shrinks the weight as in
    `adamw`.

    Source: https://cs229.stanford.edu/proj2015/054_report.pdf,
    https://docs.pytorch.org/docs/stable/generated/torch.optim.NAdam.html
    """

    main: ClassVar[str | None] = "lr"

    lr: LearningRate = 2e-3
    betas: tuple[Probability, Probability] = (0.9, 0.999)
    eps: Annotated[float, Field(gt=0)] = 1e-8
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    momentum_decay: Annotated[float, Field(ge=0)] = 4e-3
    decoupled_weight_decay: bool = False

    def remembered(self, shape: Shape) -> int:
        return 2 * elements(shape) + 2  # both averages, the step, and the product of all momenta

    def working(self, shape: Shape) -> int:
        # the corrected square and its root, and the gradient with the weight added
        return (2 + (self.weight_decay > 0 and not self.decoupled_weight_decay)) * elements(shape)

    def lower(self) -> Call:
        return Call(
            "torch.optim.NAdam",
            {
                "lr": self.lr,
                "betas": self.betas,
                "eps": self.eps,
                "weight_decay": self.weight_decay,
                "momentum_decay": self.momentum_decay,
                "decoupled_weight_decay": self.decoupled_weight_decay,
            },
        )


class Radam(Optimizer):
    """Adam that scales by the squared gradient's average only when it has seen enough steps to be sure of it.

        train:
          optimizer: {radam: {lr: 1e-3}}

    `lr` is the step's size per update, `betas` are the decay rates of the averages of the gradient and of its square,
    `eps` is added to the denominator. `weight_decay` adds itself times the weight to the gradient (L2); with
    `decoupled_weight_decay: true` it shrinks the weight as in `adamw`. The first steps, five of them with the default
    `betas`, are plain momentum.

    Source: https://arxiv.org/abs/1908.03265, https://docs.pytorch.org/docs/stable/generated/torch.optim.RAdam.html
    """

    main: ClassVar[str | None] = "lr"

    lr: LearningRate = 1e-3
    betas: tuple[Probability, Probability] = (0.9, 0.999)
    eps: Annotated[float, Field(gt=0)] = 1e-8
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    decoupled_weight_decay: bool = False

    def remembered(self, shape: Shape) -> int:
        return 2 * elements(shape) + 1  # both averages, and the step

    def working(self, shape: Shape) -> int:
        ever_sure = 2 / (1 - self.betas[1]) - 1 > 5  # the length that the average of squares grows to
        # the corrected average and its product with the rate; the root, its inverse, and that one scaled
        tensors = 5 if ever_sure else 2
        return (tensors + (self.weight_decay > 0 and not self.decoupled_weight_decay)) * elements(shape)

    def lower(self) -> Call:
        return Call(
            "torch.optim.RAdam",
            {
                "lr": self.lr,
                "betas": self.betas,
                "eps": self.eps,
                "weight_decay": self.weight_decay,
                "decoupled_weight_decay": self.decoupled_weight_decay,
            },
        )
