"""Keeps the size of values and gradients equal through layers that are about linear around zero."""

from typing import Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Call, Initializer


class XavierUniform(Initializer):
    """Draws from -limit to limit, where limit is gain × √(6 / (fan in + fan out)).

        layers:
          - {linear: 512, init: {weight: xavier_uniform, bias: zeros}}

    For tensors with two axes or more. `gain` is a factor that depends on the activation (tanh: 5/3). Keras's default,
    there called glorot_uniform.

    Source: https://proceedings.mlr.press/v9/glorot10a.html,
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.xavier_uniform_
    """

    main: ClassVar[str | None] = "gain"
    fewest_axes: ClassVar[int] = 2
    also_known_as: ClassVar[tuple[str, ...]] = ("glorot_uniform", "glorotuniform")

    gain: Annotated[float, Field(gt=0)] = 1.0

    def lower(self) -> Call:
        return Call("torch.nn.init.xavier_uniform_", {"gain": self.gain})


class XavierNormal(Initializer):
    """Draws from a normal distribution of standard deviation gain × √(2 / (fan in + fan out)).

        layers:
          - {linear: 512, init: {weight: {xavier_normal: {gain: 1.67}}}}

    For tensors with two axes or more. `gain` is a factor that depends on the activation (tanh: 5/3).

    Source: https://proceedings.mlr.press/v9/glorot10a.html,
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.xavier_normal_
    """

    main: ClassVar[str | None] = "gain"
    fewest_axes: ClassVar[int] = 2
    also_known_as: ClassVar[tuple[str, ...]] = ("glorot_normal", "glorotnormal")

    gain: Annotated[float, Field(gt=0)] = 1.0

    def lower(self) -> Call:
        return Call("torch.nn.init.xavier_normal_", {"gain": self.gain})
