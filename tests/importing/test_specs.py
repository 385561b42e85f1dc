"""Random networks: what comes out of structuring, folding and writing computes what went in."""

import pytest
import torch

from specforge.diagnostics import Findings
from specforge.formatting import format_text
from specforge.importing.network import ImportFailure, Network, Operation
from specforge.importing.specs import spec_of
from specforge.torch_backend import build
from specforge.torch_backend.weights import renamed
from tests.importing.random_networks import drawn, wired_text
from tests.importing.torchvision_oracle import analysed
from tests.randomising import randomise


@pytest.mark.parametrize("seed", range(48))
def test_the_spec_computes_what_the_network_does(seed: int) -> None:
    network = drawn(seed)
    imported = spec_of(network, comment="drawn")
    flat = build(analysed("drawn", wired_text(network))[1], seed=0).eval()
    folded = build(analysed("drawn", imported.text)[1], seed=0).eval()
    randomise(flat)
    folded.load_state_dict(renamed(flat.state_dict(), imported.names))
    images = torch.rand(2, *network.input, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        expected, found = flat(images), folded(images)
    assert expected.std() > 0
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-6 * float(expected.abs().max()))


@pytest.mark.parametrize("seed", range(0, 40, 7))
def test_the_text_is_laid_out_and_nothing_is_found_in_it(seed: int) -> None:
    text = spec_of(drawn(seed), comment="drawn").text
    assert format_text(text, "drawn", Findings()) == text
    assert [found.message for found in analysed("drawn", text)[2] if not found.accepted] == []


def test_a_warning_about_the_network_is_accepted() -> None:
    layers = (
        Operation("relu", {}, (0,), "a", (), (4,)),
        Operation("relu", {}, (1,), "b", (), (4,)),
        Operation("linear", {"out_features": 2}, (2,), "c", ("c.weight", "c.bias"), (2,)),
    )
    text = spec_of(Network("idle", (4,), layers, 3), comment="drawn").text
    assert "accept: {layer-without-effect: so does the network that this is made from}" in text
    assert [found.accepted is not None for found in analysed("idle", text)[2]] == [True]


def test_a_network_that_does_not_fit_together_is_refused() -> None:
    layers = (Operation("conv", {"out_channels": 2, "kernel_size": 9}, (0,), "a", (), (2, 1, 1)),)
    with pytest.raises(ImportFailure, match="can't be written as a spec: the kernel"):
        spec_of(Network("small", (3, 4, 4), layers, 1), comment="drawn")
