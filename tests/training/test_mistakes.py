"""Which mistakes are shown, and that the images are those that were mistaken."""

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from specforge.data.parts import Resident
from specforge.training.mistakes import EXAMPLES, MISTAKES, PAIRS, mistakes_file


def part_of(labels: list[int], *, channels: int = 3, size: tuple[int, int] = (4, 5)) -> Resident:
    """Images of noise, each unlike the others; their rows in the data set start at 100."""
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(256, (len(labels), channels, *size), dtype=torch.uint8, generator=generator)
    kept = images.to(memory_format=torch.channels_last)
    return Resident(kept, torch.tensor(labels), torch.arange(100, 100 + len(labels)))


def read(part: Resident, predicted: list[int], confidence: Tensor | None = None, classes: int = 3) -> dict[str, Any]:
    sure = torch.linspace(0.2, 0.9, len(predicted)) if confidence is None else confidence
    content: dict[str, Any] = json.loads(
        mistakes_file(part, torch.tensor(predicted), sure, [f"c{at}" for at in range(classes)])
    )
    return content


def pixels(png: str) -> "np.ndarray[Any, Any]":
    with Image.open(io.BytesIO(base64.b64decode(png))) as image:
        return np.asarray(image)


def test_the_surest_mistakes_come_first() -> None:
    found = read(part_of([0, 1, 2, 0]), [1, 1, 0, 2], torch.tensor([0.5, 0.99, 0.75, 0.5]))
    assert found["classes"] == ["c0", "c1", "c2"]
    rows = [(entry["index"], entry["true"], entry["predicted"], entry["confidence"]) for entry in found["mistakes"]]
    assert rows == [(102, 2, 0, 0.75), (100, 0, 1, 0.5), (103, 0, 2, 0.5)]


def test_the_most_confused_pairs_are_ordered_and_have_few_examples() -> None:
    labels, predicted = [0] * 5 + [1] * 2 + [2], [1] * 5 + [0] * 2 + [1]
    pairs = read(part_of(labels), predicted)["pairs"]
    assert [(pair["true"], pair["predicted"], pair["count"]) for pair in pairs] == [(0, 1, 5), (1, 0, 2), (2, 1, 1)]
    assert [example["index"] for example in pairs[0]["examples"]] == [104, 103, 102]
    assert [len(pair["examples"]) for pair in pairs] == [EXAMPLES, 2, 1]


def test_no_more_than_fits_on_a_page() -> None:
    count = 60
    found = read(part_of([0] * count), [1 + at % 20 for at in range(count)], classes=21)
    assert (len(found["mistakes"]), len(found["pairs"])) == (MISTAKES, PAIRS)


@pytest.mark.parametrize(("channels", "shape"), [(1, (4, 5)), (2, (4, 5)), (3, (4, 5, 3)), (5, (4, 5, 3))])
def test_images_are_those_that_were_mistaken(channels: int, shape: tuple[int, ...]) -> None:
    part = part_of([0, 1], channels=channels)
    shown = pixels(read(part, [0, 0])["mistakes"][0]["png"])
    assert shown.shape == shape
    expected = part.images[1].permute(1, 2, 0).numpy()
    assert np.array_equal(shown, expected[..., :3] if channels >= 3 else expected[..., 0])


def test_large_images_become_thumbnails_of_the_same_form() -> None:
    assert pixels(read(part_of([0], size=(100, 300)), [1])["mistakes"][0]["png"]).shape == (32, 96, 3)


def test_a_perfect_network_makes_no_mistakes() -> None:
    assert read(part_of([0, 1]), [0, 1]) == {"classes": ["c0", "c1", "c2"], "mistakes": [], "pairs": []}


def test_the_same_predictions_give_the_same_bytes() -> None:
    part, predicted, sure = part_of([0, 1, 2]), torch.tensor([1, 2, 0]), torch.tensor([0.5, 0.5, 0.5])
    names = ["a", "b", "c"]
    assert mistakes_file(part, predicted, sure, names) == mistakes_file(part, predicted, sure, names)
