"""Losses: their words, arguments and mistakes."""

import pytest
import torch
from pydantic import ValidationError

from specforge.catalog.discovery import index
from specforge.catalog.losses.cross_entropy import CrossEntropy
from specforge.torch_backend.calls import evaluate


def test_the_words() -> None:
    assert "cross_entropy" in index("losses")


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_smoothing_spreads_its_share_over_all_classes(smoothing: float) -> None:
    logits, labels = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 3.0]]), torch.tensor([0, 1])
    target = torch.nn.functional.one_hot(labels, 3) * (1 - smoothing) + smoothing / 3
    expected = -(target * logits.log_softmax(1)).sum(1).mean()
    found = evaluate(CrossEntropy(label_smoothing=smoothing).lower())(logits, labels)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("smoothing", [-0.1, 1.1, "0.1"])
def test_smoothing_is_a_share(smoothing: float) -> None:
    with pytest.raises(ValidationError):
        CrossEntropy(label_smoothing=smoothing)
