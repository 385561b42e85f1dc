"""Graph -> nn.Module: nested modules named by the graph's paths.

conv_unit_1.conv_1   ->   Sequential(conv_unit_1=Sequential(conv_1=Conv2d(…)))
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable

import torch
from torch import nn

from specforge.graph import Graph, GraphNode
from specforge.modules import Shared
from specforge.torch_backend.calls import evaluate


def build(graph: Graph, *, seed: int | None = None, device: torch.device | str = "cpu") -> nn.Module:
    """The network with fresh weights, drawn on the CPU from `seed` (the same on every device), in training mode.

    The caller's random state is left as it was when a seed is given.
    """
    with torch.random.fork_rng(devices=[], enabled=seed is not None), torch.device("cpu"):
        if seed is not None:
            torch.default_generator.manual_seed(seed)  # torch.manual_seed would touch the other devices' states too
        module = _Builder().module(graph.root)
        for node in graph.leaves():
            if node.parameters:  # those that share others' have none
                _initialize(module.get_submodule(node.path), node)
    return module.to(device)


def fill_from_images(module: nn.Module, graph: Graph, images: Callable[[int], Iterable[torch.Tensor]]) -> None:
    """Fill what starts as the training images say; `images` gives so many of them, normalised, in batches."""
    for node in graph.leaves():
        for name, initializer in node.initializers.items():
            if initializer.sample and node.parameters:
                with torch.no_grad():
                    parameter = module.get_submodule(node.path).get_parameter(name)
                    evaluate(initializer.lower(), parameter, images(initializer.sample))


class _Builder:
    """Builds modules from the leaves up; `built` finds those whose weights others share."""

    def __init__(self) -> None:
        self.built: dict[str, nn.Module] = {}

    def module(self, node: GraphNode) -> nn.Module:
        if node.shares is not None:
            return Shared(self.built[node.shares])
        if node.is_composite:
            children = OrderedDict((child.name, self.module(child)) for child in node.children)
            module = evaluate(node.call, children)
        else:
            module = evaluate(node.call)
        assert isinstance(module, nn.Module)
        self.built[node.path] = module
        return module


def _initialize(module: nn.Module, node: GraphNode) -> None:
    """Fill parameters as the spec's `init` says, and freeze those of `trainable: false`."""
    for name, initializer in node.initializers.items():
        if not initializer.sample:
            with torch.no_grad():
                evaluate(initializer.lower(), module.get_parameter(name))
    if not node.trainable:
        module.requires_grad_(False)
