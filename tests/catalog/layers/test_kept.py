"""`kept` to the byte: what one more image adds to what autograd saves.

The difference of two batch sizes leaves out what is saved once for a batch, such as batch norm's means.
"""

from pathlib import Path

import pytest
import torch
from torch import nn

from specforge.catalog.discovery import index
from specforge.shapes import Shape, elements
from specforge.torch_backend import build
from tests.catalog.layers.cases import all_cases
from tests.networks import graph_of

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")

FAMILIES = (
    "activation",
    "adaptive_pooling",
    "attention",
    "axiswise",
    "convolution",
    "framing",
    "layer_normalization",
    "linear",
    "normalization",
    "piecewise",
    "pooling",
    "regularization",
    "resampling",
    "reshaping",
    "scaling",
    "separable_convolution",
    "tokens",
    "transposed_convolution",
)
CASES = [
    (word, arguments, shape)
    for word, cases in all_cases().items()
    if index("layers")[word][0].rpartition(".")[2] in FAMILIES
    for arguments, inputs in cases.items()
    for shape in inputs
]


def saved(module: nn.Module, batch: int, input: Shape) -> int:
    """The bytes of all storages that autograd saves of a forward pass, parameters aside."""
    own = {tensor.untyped_storage().data_ptr() for tensor in [*module.parameters(), *module.buffers()]}
    storages: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    x = torch.rand(batch, *input, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = module(x)
    assert output.shape[0] == batch
    return sum(size for storage, size in storages.items() if storage not in own)


@pytest.mark.parametrize(("word", "arguments", "input"), CASES)
def test_every_image_adds_what_is_promised(word: str, arguments: str, input: Shape, tmp_path: Path) -> None:
    graph = graph_of(tmp_path, f"- {word}: {arguments}", input=input)
    (node,) = graph.leaves()
    assert node.layer is not None
    kept = node.layer.kept(input, graph.output)
    module = build(graph, seed=0).train()
    promised = kept.extra + 4 * (elements(input) * kept.input + elements(graph.output) * kept.output)
    assert saved(module, 5, input) - saved(module, 2, input) == 3 * promised
