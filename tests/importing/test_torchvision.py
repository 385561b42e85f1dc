"""Networks of torchvision, imported: counts, cost and outputs are torchvision's, and a reader knows them again.

Ten that are small; `python -m tests.importing.survey` takes all of them.
"""

from functools import cache
from pathlib import Path

import pytest

from specforge.diagnostics import Findings
from specforge.formatting import format_text
from specforge.importing.network import ImportFailure

pytest.importorskip("torchvision.models", reason="torchvision does not load here", exc_type=ImportError)

from specforge.importing.torch_networks.torchvision_models import read_torchvision
from tests.importing.torchvision_oracle import TOLERANCE, Comparison, compared

TEXTS = Path(__file__).parent / "torchvision_texts"
NAMES = (
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "googlenet",
    "mnasnet0_5",
    "mobilenet_v3_small",
    "regnet_y_400mf",
    "resnet50",
    "shufflenet_v2_x0_5",
    "swin_t",
    "squeezenet1_1",
)


@cache
def pair(name: str) -> Comparison:
    return compared(name)


@pytest.mark.parametrize("name", NAMES)
def test_counts_and_cost_are_torchvisions(name: str) -> None:
    for ours, theirs in (pair(name).parameters(), pair(name).macs()):
        assert ours == theirs


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_torchvisions(name: str) -> None:
    assert pair(name).difference() <= TOLERANCE


@pytest.mark.parametrize("name", NAMES)
def test_published_weights_find_their_places(name: str) -> None:
    assert pair(name).keys_agree()


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_found_in_the_spec(name: str) -> None:
    text = pair(name).imported.text
    assert pair(name).unexplained() == []
    assert format_text(text, name, Findings()) == text
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("file", sorted(TEXTS.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_text_is_what_people_write(file: Path) -> None:
    assert architecture(pair(file.stem).imported.text) == architecture(file.read_text())


def architecture(text: str) -> str:
    """Blocks and layers; where weights are published changes with torchvision."""
    return text[text.index("\nmodel:" if "\nblocks:" not in text else "\nblocks:") : text.index("\nweights:")]


def test_a_network_that_torchvision_does_not_have() -> None:
    with pytest.raises(ImportFailure, match="no classification network `resnet5O`") as failure:
        read_torchvision("resnet5O")
    assert failure.value.hint == "did you mean `resnet50`?"


def test_a_network_that_the_language_cannot_say() -> None:
    with pytest.raises(ImportFailure) as failure:
        read_torchvision("maxvit_t")
    assert failure.value.message == (
        "`blocks.0.layers.0.layers.window_attention.attn_layer.1` (RelativePositionalMultiHeadAttention) calls "
        "`torch.functional.einsum`, which no layer of the language does"
    )
