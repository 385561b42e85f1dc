"""What is inferred about 2,000 random networks equals what their modules are, on the meta device."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from specforge.graph import Graph
from specforge.torch_backend import build
from tests.graph.random_networks import Network

NETWORKS, PORTIONS = 2_000, 20
BATCH = 2

# torch notes that an even kernel with `padding: same` costs a copy; that is no fault of the shape
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")


@pytest.mark.parametrize("portion", range(PORTIONS))
def test_inferred_is_built(portion: int) -> None:
    right = 0
    for seed in range(portion, NETWORKS, PORTIONS):
        made = Network(seed).model()
        if made is not None:
            right += 1
            agrees(made[1], seed)
    assert right > 0.8 * NETWORKS / PORTIONS, "most random networks are right"


def agrees(graph: Graph, seed: int) -> None:
    """Shape, tensors, counts and cost; the counter sees attention only with gradients."""
    module = build(graph, device="meta").eval()
    x = torch.zeros(BATCH, *graph.input, device="meta", requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        output = module(x)
    assert tuple(output.shape) == (BATCH, *graph.output), f"seed {seed}"
    state = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    assert list(graph.state().items()) == list(state.items()), f"seed {seed}"
    roles = {f"{node.path}.{p.name}": p.role for node in graph.leaves() for p in node.parameters}
    statistics = [buffer for name, buffer in module.named_buffers() if roles.get(name) == "statistic"]
    assert graph.trainable_parameters == sum(p.numel() for p in module.parameters()), f"seed {seed}"
    assert graph.non_trainable_parameters == sum(b.numel() for b in statistics), f"seed {seed}"
    assert graph.macs * 2 * BATCH == counter.get_total_flops(), f"seed {seed}"
