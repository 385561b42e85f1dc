"""Stochastic gradient descent."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from specforge.catalog.definition import Call, LearningRate, Optimizer
from specforge.shapes import Shape, elements


class Sgd(Optimizer):
    """Steps against the gradient, with momentum on request.

        train:
          optimizer: {sgd: {lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 5e-4}}

    `lr` is the step's size per update. `momentum` is the share of the last step that is kept, `dampening` the share
    of the gradient that is left out of it, `nesterov` looks one step ahead. `weight_decay` adds itself times the
    weight to the gradient (L2).

    Errors: `nesterov` needs momentum and no dampening; `dampening` needs momentum.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html
    """

    main: ClassVar[str | None] = "lr"

    lr: LearningRate = 1e-3
    momentum: Annotated[float, Field(ge=0)] = 0.0
    dampening: Annotated[float, Field(ge=0)] = 0.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    nesterov: bool = False

    @model_validator(mode="after")
    def _momentum_is_there(self) -> Self:
        if self.nesterov and self.momentum == 0:
            raise ValueError("`nesterov` needs `momentum` greater than 0, for example `momentum: 0.9`")
        if self.nesterov and self.dampening != 0:
            raise ValueError(f"`nesterov` needs `dampening: 0`, found {self.dampening:g}")
        if self.dampening != 0 and self.momentum == 0:
            raise ValueError("`dampening` acts on momentum only: give `momentum` greater than 0, or remove it")
        return self

    def remembered(self, shape: Shape) -> int:
        return elements(shape) if self.momentum else 0

    def lower(self) -> Call:
        return Call(
            "torch.optim.SGD",
            {
                "lr": self.lr,
                "momentum": self.momentum,
                "dampening": self.dampening,
                "weight_decay": self.weight_decay,
                "nesterov": self.nesterov,
            },
        )
