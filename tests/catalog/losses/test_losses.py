"""Losses: their words, arguments and mistakes."""

import pytest
import torch
from pydantic import ValidationError

from specforge.catalog.datasets.definition import DataError
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


LOGITS, LABELS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 3.0], [0.0, 1.0, 0.0]]), torch.tensor([0, 1, 0])


def training_loss(loss: CrossEntropy, counts: tuple[int, ...]) -> float:
    return float(evaluate(loss.lower(counts))(LOGITS, LABELS))


def test_listed_weights_count_in_the_mean() -> None:
    weights = torch.tensor([1.0, 4.0, 0.5])
    each = -LOGITS.log_softmax(1).gather(1, LABELS[:, None])[:, 0]
    expected = (each * weights[LABELS]).sum() / weights[LABELS].sum()
    found = training_loss(CrossEntropy(class_weights=(1.0, 4.0, 0.5)), (7, 7, 7))
    assert found == pytest.approx(float(expected), rel=1e-6)
    assert found == pytest.approx(training_loss(CrossEntropy(class_weights=(2.0, 8.0, 1.0)), (7, 7, 7)), rel=1e-6)


def test_balanced_weights_make_every_class_count_the_same() -> None:
    counts = (2, 6, 12)
    weights = evaluate(CrossEntropy(class_weights="balanced").lower(counts)).weight
    assert weights.dtype == torch.float32
    torch.testing.assert_close(weights * torch.tensor(counts), torch.full((3,), 20 / 3))
    assert float((weights * torch.tensor(counts)).sum()) == pytest.approx(20), "1 on average over the images"
    listed = CrossEntropy(class_weights=tuple(weights.tolist()))
    assert training_loss(listed, counts) == training_loss(CrossEntropy(class_weights="balanced"), counts)


@pytest.mark.parametrize("weights", ["balanced", (1.0, 4.0, 0.5), None])
def test_evaluation_is_not_weighted(weights: object) -> None:
    loss = CrossEntropy(class_weights=weights, label_smoothing=0.1)  # type: ignore[arg-type]
    assert loss.lower() == CrossEntropy(label_smoothing=0.1).lower() == CrossEntropy(label_smoothing=0.1).lower((1, 2))


def test_a_list_of_another_length_is_found_out_when_the_classes_are_known() -> None:
    with pytest.raises(DataError, match="`class_weights` has 3 numbers, the data set has 4 classes") as caught:
        CrossEntropy(class_weights=(1.0, 2.0, 3.0)).lower((1, 1, 1, 1))
    assert "one number for each class" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("counts", "named"), [((3, 0, 1), "class 1$"), ((0, 0, 1), "classes 0, 1$"), ((0,) * 12, "classes 0, .* 9, …$")]
)
def test_balanced_weights_of_a_class_without_images(counts: tuple[int, ...], named: str) -> None:
    with pytest.raises(DataError, match=f"there is none of {named}"):
        CrossEntropy(class_weights="balanced").lower(counts)


@pytest.mark.parametrize("weights", [(), (1.0, 0.0), (1.0, -1.0), "equal", 2.0, (1.0, float("inf"))])
def test_weights_are_positive_numbers(weights: object) -> None:
    with pytest.raises(ValidationError):
        CrossEntropy(class_weights=weights)  # type: ignore[arg-type]
