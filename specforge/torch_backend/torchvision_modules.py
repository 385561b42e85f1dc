"""The name of a classification network of torchvision -> its module on torch's `meta` device: shapes without values."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

# networks whose initial weights would be drawn by scipy
_INITIALISED = ("googlenet", "inception_v3")


class _WithoutValues(TorchFunctionMode):
    """Parameters are made on `meta`; what a builder computes with tensors, as RegNet does its widths, is computed."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func in (torch.empty, torch.zeros, torch.ones):
            kwargs["device"] = "meta"
        return func(*args, **kwargs)


def module_on_meta(name: str) -> nn.Module:
    """The network of this name, which must be one of torchvision's."""
    from torchvision import models

    options = {"init_weights": False} if name in _INITIALISED else {}
    with _WithoutValues():
        module: nn.Module = models.get_model(name, weights=None, **options)
    return module.to("meta")
