"""Steps scaled by the gradient's running size."""

from typing import Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Call, Optimizer, Probability


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

    lr: Annotated[float, Field(gt=0)] = 1e-2
    alpha: Probability = 0.99
    eps: Annotated[float, Field(gt=0)] = 1e-8
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    momentum: Annotated[float, Field(ge=0)] = 0.0
    centered: bool = False

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
