"""Networks that are asked: which can be, how many images at once, in which arithmetic."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from specforge.prediction import PredictionError
from specforge.prediction.card import Card, Normalization
from specforge.prediction.networks import Networks, batch_size, require_answers
from tests.trained_runs import trained

RunOf = Callable[[str], Path]
CPU = torch.device("cpu")


def card(*image: int) -> Card:
    channels = image[0]
    normalization = Normalization(mean=(0.0,) * channels, std=(1.0,) * channels)
    return Card(name="any", spec="", spec_hash="", image=image, normalization=normalization)


@pytest.mark.parametrize("image", [(1, 8, 8), (3, 224, 224)])
def test_grey_and_colour_images_can_be_asked_about(image: tuple[int, ...]) -> None:
    assert require_answers(card(*image)).image == image


@pytest.mark.parametrize("image", [(2, 8, 8), (4, 8, 8), (16,), (3, 8), (3, 100_000, 100_000)])
def test_other_inputs_cannot(image: tuple[int, ...]) -> None:
    with pytest.raises(PredictionError, match="files are read as grey or RGB images"):
        require_answers(card(*image))


def test_large_images_and_networks_are_asked_about_few_at_once() -> None:
    assert batch_size(card(1, 8, 8)) == 256
    assert batch_size(card(3, 512, 512)) == 2
    assert batch_size(card(3, 4096, 4096)) == 1
    assert batch_size(card(1, 8, 8), image_bytes=2**28) == 4
    assert batch_size(card(1, 8, 8), image_bytes=2**33) == 1


def test_a_network_that_would_take_all_memory_is_refused() -> None:
    with pytest.raises(PredictionError, match="needs 32 GiB for one image"):
        batch_size(card(1, 8, 8), image_bytes=2**35)


def test_what_was_trained_in_float16_can_be_asked_on_a_processor(run_of: RunOf) -> None:
    network = trained(run_of("plain"))
    assert network.spec.train is not None
    half = network.spec.model_copy(update={"train": network.spec.train.model_copy(update={"precision": "float16"})})
    pixels = torch.randint(0, 256, (3, 3, 6, 6), dtype=torch.uint8)
    assert torch.equal(Networks(replace(network, spec=half), CPU).logits(pixels), Networks(network, CPU).logits(pixels))


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError("CUDA"), RuntimeError("can't allocate memory")]
)
def test_too_little_memory_is_told(run_of: RunOf, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    network = Networks(trained(run_of("plain")), CPU)

    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(network._module, "forward", fail)
    with pytest.raises(PredictionError, match="needs more memory for 2 images"):
        network.logits(torch.zeros(2, 3, 6, 6, dtype=torch.uint8))


def test_a_batch_is_answered_as_its_images_alone(run_of: RunOf) -> None:
    """Nothing of a batch, such as its statistics, may have a say."""
    network = Networks(trained(run_of("digits")), CPU)
    pixels = torch.randint(0, 256, (5, 1, 8, 8), dtype=torch.uint8)
    alone = torch.cat([network.logits(pixels[number : number + 1]) for number in range(5)])
    assert torch.allclose(network.logits(pixels), alone, atol=1e-5)
