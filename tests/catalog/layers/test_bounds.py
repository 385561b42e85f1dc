"""What layers say of their values: limits that torch's never leave, and layers that change nothing."""

from math import inf
from pathlib import Path

import pytest
import torch

from specforge.catalog.definition import Composite, Layer, Merge
from specforge.catalog.discovery import definition
from specforge.shapes import Shape
from specforge.torch_backend import build
from tests.catalog.layers.cases import all_cases
from tests.networks import graph_of

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")

RANGES = [(-3.0, 4.0), (0.0, 1.0), (0.0, 9.0), (2.0, 3.0), (-2.0, -1.0), (-1.0, 1.0)]
LEAVES = [
    (word, arguments, inputs[-1])
    for word, cases in all_cases().items()
    for arguments, inputs in cases.items()
    if not issubclass(definition("layers", word) or Layer, Composite | Merge)
]


@pytest.mark.parametrize(("word", "arguments", "input"), LEAVES)
def test_values_keep_within_their_bounds(word: str, arguments: str, input: Shape, tmp_path: Path) -> None:
    graph = graph_of(tmp_path, f"- {word}: {arguments}", input=input)
    layer = next(graph.leaves()).layer
    assert layer is not None
    module = build(graph, seed=0).double().train()
    for low, high in RANGES:
        x = torch.empty(4, *input, dtype=torch.float64).uniform_(low, high)
        x.view(-1)[:2] = torch.tensor([low, high])
        smallest, largest = layer.bounds(low, high)
        why = layer.idle(input, low, high)
        if (smallest, largest) == (-inf, inf) and why is None:
            continue
        output = module(x)
        assert smallest <= output.min().item() + 1e-12
        assert output.max().item() <= largest + 1e-12
        assert why is None or torch.equal(output, x)
