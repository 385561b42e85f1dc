"""Several paths from one value."""

from collections import OrderedDict

from torch import Tensor, nn


class Branches(nn.Module):
    """Runs every child on the input and joins what they give.

    (N, …) -> (N, …)': `join` takes the children's results in order.
    """

    def __init__(self, children: "OrderedDict[str, nn.Module]", *, join: nn.Module):
        super().__init__()
        for name, child in children.items():
            self.add_module(name, child)
        self._paths = tuple(children)
        self._join = join

    def forward(self, x: Tensor) -> Tensor:
        joined: Tensor = self._join(*[getattr(self, name)(x) for name in self._paths])
        return joined
