"""The same value everywhere."""

from typing import ClassVar

from specforge.catalog.definition import Call, Initializer


class Zeros(Initializer):
    """Sets every value to 0.

        layers:
          - {linear: 100, init: {bias: zeros}}

    For tensors of any shape.

    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.zeros_
    """

    def lower(self) -> Call:
        return Call("torch.nn.init.zeros_")


class Ones(Initializer):
    """Sets every value to 1.

        layers:
          - {batch_norm: {}, init: {weight: ones}}

    For tensors of any shape.

    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.ones_
    """

    def lower(self) -> Call:
        return Call("torch.nn.init.ones_")


class Constant(Initializer):
    """Sets every value to `val`.

        layers:
          - {linear: 100, init: {bias: {constant: 0.1}}}

    For tensors of any shape.

    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.constant_
    """

    main: ClassVar[str | None] = "val"

    val: float

    def lower(self) -> Call:
        return Call("torch.nn.init.constant_", {"val": self.val})
