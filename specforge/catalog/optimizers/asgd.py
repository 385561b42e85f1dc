"""Gradient descent with an average of the weights."""

from typing import Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Call, LearningRate, Optimizer, Unit
from specforge.shapes import Shape, elements


class Asgd(Optimizer):
    """Steps against the gradient at a rate that falls by itself, and averages the weights beside.

        train:
          optimizer: {asgd: {lr: 0.01, lambd: 1e-4}}

    `lr` is the step's size per update. `lambd` is the share of each weight that a step takes away, in units of the
    rate, and makes the rate fall: after n steps it is `lr` / (1 + `lambd` × `lr` × n) to the power of `alpha`. `t0` is
    the step from which on the weights are averaged. `weight_decay` adds itself times the weight to the gradient (L2).
    As in torch, the average is kept with the optimizer's state and not put into the network: what is tested are the
    last weights.

    Source: https://dl.acm.org/doi/10.1137/0330046,
    https://docs.pytorch.org/docs/stable/generated/torch.optim.ASGD.html
    """

    main: ClassVar[str | None] = "lr"

    lr: LearningRate = 1e-2
    lambd: Annotated[float, Field(ge=0)] = 1e-4
    alpha: Annotated[float, Field(ge=0, le=5)] = 0.75
    t0: Annotated[float, Field(ge=0, description="optimizer steps"), Unit("steps")] = 1e6
    weight_decay: Annotated[float, Field(ge=0)] = 0.0

    def remembered(self, shape: Shape) -> int:
        return elements(shape) + 3  # the average, its newest share, the rate, and the step

    def working(self, shape: Shape) -> int:
        # from `t0` on: how far the weight is from its average; and the gradient with the weight added
        return (1 + (self.weight_decay > 0)) * elements(shape)

    def lower(self) -> Call:
        return Call(
            "torch.optim.ASGD",
            {
                "lr": self.lr,
                "lambd": self.lambd,
                "alpha": self.alpha,
                "t0": self.t0,
                "weight_decay": self.weight_decay,
            },
        )
