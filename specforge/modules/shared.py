"""A second use of a module's weights."""

from torch import Tensor, nn


class Shared(nn.Module):
    """Runs a module that stands elsewhere in the network, where its weights are registered.

    (N, …) -> (N, …)', as the other module.
    """

    def __init__(self, other: nn.Module):
        super().__init__()
        self.__dict__["other"] = (other,)  # in a tuple, so that torch does not register its weights a second time

    def forward(self, *values: Tensor) -> Tensor:
        result: Tensor = self.__dict__["other"][0](*values)
        return result
