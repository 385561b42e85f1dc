"""Evaluation against sums by hand, and what becomes of classes."""

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from specforge.data.batches import Batch
from specforge.data.parts import Resident
from specforge.data.prepare import Prepared
from specforge.training.errors import Interrupted
from specforge.training.evaluation import Evaluation, Sums, evaluate, evaluation_batches
from specforge.training.result import class_results, confusion_file, extremes

CLASSES, COUNT = 7, 50


class Logits(nn.Module):
    """Gives its input back as logits; a parameter says which device it is on, dropout whether it is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.dropout = nn.Dropout(0.9)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dropout(x) * self.scale


def data() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(COUNT, CLASSES, generator=generator), torch.randint(CLASSES, (COUNT,), generator=generator)


def batches(size: int) -> Iterator[Batch]:
    logits, labels = data()
    for start in range(0, COUNT, size):
        rows = slice(start, start + size)
        yield Batch(logits[rows], labels[rows], torch.arange(COUNT)[rows])


@pytest.mark.parametrize("size", [1, 16, 50])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_equals_sums_by_hand_whatever_the_batches(size: int, smoothing: float) -> None:
    loss = nn.CrossEntropyLoss(label_smoothing=smoothing)
    found = evaluate(Logits().train(), loss, batches(size), classes=CLASSES)
    logits, labels = data()
    assert found.loss == pytest.approx(loss(logits, labels).item(), rel=1e-6)
    predicted = logits.argmax(1)
    assert found.accuracy == pytest.approx((predicted == labels).double().mean().item())
    ranks = (logits > logits.gather(1, labels[:, None])).sum(1)
    assert found.top5_accuracy == pytest.approx((ranks < 5).double().mean().item())
    for true in range(CLASSES):
        for guess in range(CLASSES):
            assert found.confusion[true][guess] == int(((labels == true) & (predicted == guess)).sum())


def test_a_check_may_stop_it_between_batches() -> None:
    calls = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise Interrupted(15)

    with pytest.raises(Interrupted):
        evaluate(Logits(), nn.CrossEntropyLoss(), batches(16), classes=CLASSES, check=check)
    assert len(calls) == 2


def test_more_logits_than_classes_are_counted_in_columns_of_their_own() -> None:
    logits = torch.zeros(2, 9)
    logits[:, 8] = 1
    found = evaluate(Logits(), nn.CrossEntropyLoss(), [Batch(logits, torch.tensor([0, 2]), torch.arange(2))], classes=3)
    assert found.confusion == ((0,) * 8 + (1,), (0,) * 9, (0,) * 8 + (1,))
    assert [entry.accuracy for entry in class_results(found, ["a", "b", "c"])] == [0.0, None, 0.0]


def test_what_was_predicted_for_each_image_and_how_surely() -> None:
    logits = torch.tensor([[0.0, 3.0], [2.0, 0.0], [0.0, 1.0]])
    parts = [
        Batch(logits[:2], torch.tensor([1, 1]), torch.arange(2)),
        Batch(logits[2:], torch.tensor([0]), torch.ones(1)),
    ]
    found = evaluate(Logits(), nn.CrossEntropyLoss(), parts, classes=2)
    assert found.predicted.tolist() == [1, 0, 1]
    assert torch.allclose(found.confidence, torch.tensor([3.0, 2.0, 1.0]).sigmoid())


def test_sums_go_on_from_numbers() -> None:
    cpu = torch.device("cpu")
    sums, loss, labels = Sums(cpu), torch.tensor(0.1), torch.tensor([1, 2, 3])
    sums.add(loss, torch.tensor([1, 0, 3]), labels)
    resumed = Sums(cpu, loss=sums.loss.item(), correct=int(sums.correct), images=sums.images)
    for each in (sums, resumed):
        each.add(loss, labels, labels)
    assert (sums.loss.item(), int(sums.correct), sums.images) == (resumed.loss.item(), 5, 6)
    assert resumed.loss.item() == sums.loss.item()


def test_batches_are_larger_for_small_images() -> None:
    def count(side: int, train_batch_size: int) -> int:
        images = torch.zeros(600, 3, side, side, dtype=torch.uint8)
        part = Resident(images, torch.zeros(600, dtype=torch.int64), torch.arange(600))
        prepared = Prepared(part, None, part, ("a",), (0.0,) * 3, (1.0,) * 3, (3, side, side))
        return len(evaluation_batches(part, prepared, train_batch_size=train_batch_size))

    assert count(8, 32) == 2
    assert count(8, 600) == 1
    assert count(96, 32) == 8


def test_the_best_and_the_worst_class() -> None:
    evaluation = Evaluation(0, 0, 0, ((1, 1, 0, 0), (0, 0, 0, 0), (0, 0, 3, 0), (1, 0, 0, 1)))
    results = class_results(evaluation, ["half", "absent", "all", "also half"])
    assert [(entry.index, entry.accuracy, entry.count) for entry in results] == [
        (0, 0.5, 2), (1, None, 0), (2, 1.0, 3), (3, 0.5, 2),
    ]  # fmt: skip
    best, worst = extremes(results)
    assert best is not None
    assert worst is not None
    assert (best.name, worst.name) == ("all", "also half"), "of equal ones the last is the worst"
    assert extremes(results[1:2]) == (None, None)
    assert b'"matrix": [[1, 1, 0, 0]' in confusion_file(evaluation, ["half", "absent", "all", "also half"])
