"""Steps scaled by all gradients so far, or by all steps so far."""

from typing import Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Call, LearningRate, Optimizer, Probability
from specforge.shapes import Shape, elements


class Adagrad(Optimizer):
    """Divides each weight's step by the root of the sum of all its squared gradients.

        train:
          optimizer: {adagrad: {lr: 0.01}}

    `lr` is the step's size per update. `lr_decay` divides it by 1 + itself times the steps done. `weight_decay` adds
    itself times the weight to the gradient (L2). `initial_accumulator_value` is where each sum starts, `eps` is added
    to the denominator.

    Source: https://jmlr.org/papers/v12/duchi11a.html,
    https://docs.pytorch.org/docs/stable/generated/torch.optim.Adagrad.html
    """

    main: ClassVar[str | None] = "lr"

    lr: LearningRate = 1e-2
    lr_decay: Annotated[float, Field(ge=0)] = 0.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    initial_accumulator_value: Annotated[float, Field(ge=0)] = 0.0
    eps: Annotated[float, Field(gt=0)] = 1e-10

    def remembered(self, shape: Shape) -> int:
        return elements(shape) + 1  # the sum, and the step

    def lower(self) -> Call:
        return Call(
            "torch.optim.Adagrad",
            {
                "lr": self.lr,
                "lr_decay": self.lr_decay,
                "weight_decay": self.weight_decay,
                "initial_accumulator_value": self.initial_accumulator_value,
                "eps": self.eps,
            },
        )


class Adadelta(Optimizer):
    """Scales each weight's gradient by the size of its recent steps over the size of its recent gradients.

        train:
          optimizer: {adadelta: {lr: 1.0, rho: 0.95}}

    `lr` multiplies the step; 1 is the paper's, Keras takes 0.001. `rho` is the decay rate of both averages of squares,
    `eps` is added to them before their roots. `weight_decay` adds itself times the weight to the gradient (L2).

    Source: https://arxiv.org/abs/1212.5701, https://docs.pytorch.org/docs/stable/generated/torch.optim.Adadelta.html
    """

    main: ClassVar[str | None] = "lr"

    lr: LearningRate = 1.0
    rho: Probability = 0.9
    eps: Annotated[float, Field(gt=0)] = 1e-6
    weight_decay: Annotated[float, Field(ge=0)] = 0.0

    def remembered(self, shape: Shape) -> int:
        return 2 * elements(shape) + 1  # both averages, and the step

    def working(self, shape: Shape) -> int:
        return (2 + (self.weight_decay > 0)) * elements(shape)  # both roots, and the gradient with the weight added

    def lower(self) -> Call:
        return Call(
            "torch.optim.Adadelta",
            {"lr": self.lr, "rho": self.rho, "eps": self.eps, "weight_decay": self.weight_decay},
        )
