"""Steps scaled by the gradient's running size."""

from typing import Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Call, LearningRate, Optimizer, Probability
from specforge.shapes import Shape, elements


class Rmsprop(Optimizer):
    """Divides each weight's gradient by a running root mean square of it.

        train:
          optimizer: {rmsprop: {lr: 1e-3, alpha: 0.9}}

    `lr` is the step's size per update, `alpha` the decay rate of the average (Keras calls it rho, with 0.9), `eps` is
    added to the denominator. `momentum` is the share of the last step that is kept, `centered` subtracts the
    gradient's mean before its size is taken. `weight_decay` adds itself times the weight to the gradient (L2).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.RMSprop.html
    """

    main: ClassVar[str | None] = "lr"
    also_known_as: ClassVar[tuple[str, ...]] = ("rms_prop",)

    lr: LearningRate = 1e-2
    alpha: Probability = 0.99
    eps: Annotated[float, Field(gt=0)] = 1e-8
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    momentum: Annotated[float, Field(ge=0)] = 0.0
    centered: bool = False

    def remembered(self, shape: Shape) -> int:
        averages = 1 + self.centered + (self.momentum > 0)
        return averages * elements(shape) + 1  # and the step

    def working(self, shape: Shape) -> int:
        return (1 + (self.weight_decay > 0)) * elements(shape)  # the root, and the gradient with the weight added

    def lower(self) -> Call:
        return Call(
            "torch.optim.RMSprop",
            {
                "lr": self.lr,
                "alpha": self.alpha,
                "eps": self.eps,
                "weight_decay": self.weight_decay,
                "momentum": self.momentum,
                "centered": self.centered,
            },
        )
