"""The sum of a body and a shortcut."""

from collections import OrderedDict

from torch import Tensor, nn


class Residual(nn.Module):
    """Runs its children in order and adds the shortcut, the child of that name, or the input without one.

    (N, …) -> (N, …)': the body and the shortcut give the same shape.
    """

    def __init__(self, children: "OrderedDict[str, nn.Module]"):
        super().__init__()
        for name, child in children.items():
            self.add_module(name, child)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        shortcut = x
        for name, child in self.named_children():
            if name == "shortcut":
                shortcut = child(x)
            else:
                y = child(y)
        return y + shortcut
