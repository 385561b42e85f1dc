"""The specs' networks as one writes them in torch, and the optimizers of their recipes."""

from typing import Any

import torch
import torchvision
from torch import nn

from benchmarks.cases import ADAM_EPSILON, CLASSES, MOMENTUM, RATES

# Keras's, as the coursework has them
_EPS, _MOMENTUM = 1e-3, 0.01


def build(spec: str) -> nn.Module:
    """The network that a spec describes, with torch's own initial weights."""
    match spec:
        case "lab2_bn":
            return nn.Sequential(*_stages((32, 64), dropout=0.5), nn.Flatten(), *_dense_head())
        case "six_conv":
            return nn.Sequential(*_stages((64, 128, 128), dropout=0.4), nn.Flatten(), *_wide_head())
        case "phase3_resnet18":
            network: nn.Module = torchvision.models.resnet18(num_classes=CLASSES)
            return network
    raise ValueError(f"no network is written by hand for `{spec}`")


def optimizer(spec: str, module: nn.Module, *, fused: bool) -> torch.optim.Optimizer:
    """Adam or SGD as the recipe says; torch's default implementation unless `fused`."""
    settings: dict[str, Any] = {"fused": True} if fused else {}
    if spec == "phase3_resnet18":
        return torch.optim.SGD(module.parameters(), lr=RATES[spec], momentum=MOMENTUM, **settings)
    return torch.optim.Adam(module.parameters(), lr=RATES[spec], eps=ADAM_EPSILON, **settings)


def _stages(widths: tuple[int, ...], *, dropout: float) -> list[nn.Module]:
    layers: list[nn.Module] = []
    arriving = 3
    for width in widths:
        for entering in (arriving, width):
            layers += [nn.Conv2d(entering, width, 3, padding="same"), _norm_2d(width), nn.ReLU()]
        layers += [nn.MaxPool2d(2), nn.Dropout(dropout)]
        arriving = width
    return layers


def _norm_2d(width: int) -> nn.Module:
    return nn.BatchNorm2d(width, eps=_EPS, momentum=_MOMENTUM)


def _dense_head() -> list[nn.Module]:
    norm = nn.BatchNorm1d(512, eps=_EPS, momentum=_MOMENTUM)
    return [nn.Linear(64 * 8 * 8, 512), norm, nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, CLASSES)]


def _wide_head() -> list[nn.Module]:
    norm = nn.BatchNorm1d(1024, eps=_EPS, momentum=_MOMENTUM)
    return [nn.Linear(128 * 4 * 4, 1024), nn.ReLU(), nn.Dropout(0.5), norm, nn.Linear(1024, CLASSES)]
