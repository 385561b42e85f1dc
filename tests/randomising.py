"""Networks whose every tensor is drawn: equal outputs then mean equal networks."""

import torch
from torch import nn


def randomise(module: nn.Module) -> None:
    """Draw everything that a network holds, so that no part of it can hide behind its initial weights."""
    generator = torch.Generator().manual_seed(7)
    for name, tensor in module.state_dict().items():
        if not tensor.is_floating_point():
            continue
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2.0, generator=generator)
        elif "layer_scale" in name:
            tensor.normal_(0.5, 0.1, generator=generator)
        elif tensor.dim() < 2:
            tensor.normal_(1.0 if name.endswith("weight") else 0.0, 0.2, generator=generator)
        else:
            tensor.normal_(0.0, (2 / tensor[0].numel()) ** 0.5, generator=generator)
