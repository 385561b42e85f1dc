"""Measures a network on images with known classes.

In: a module, a loss and batches on the device. Out: an `Evaluation`. Nothing waits for the device before the end.

Legend of shapes: N images, K logits.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from specforge.data.batches import Batch, EvaluationBatches
from specforge.data.prepare import Prepared, Resident

# pixels and channels of a batch: large enough to keep a device busy, small enough for any memory that trains
_BATCH_VALUES = 2**21
_BATCH_IMAGES = 512


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`loss` is the mean over images, accuracies are shares of one; `confusion[true][predicted]` counts images.

    Top-5 is top-K where there are fewer than five classes.
    """

    loss: float
    accuracy: float
    top5_accuracy: float
    confusion: tuple[tuple[int, ...], ...]


class Sums:
    """Adds up loss and correct answers on the device."""

    def __init__(self, device: torch.device, *, loss: float = 0.0, correct: int = 0, images: int = 0):
        precise = torch.float32 if device.type == "mps" else torch.float64  # Apple's GPUs have no float64
        self.loss = torch.tensor(loss, dtype=precise, device=device)
        self.correct = torch.tensor(correct, dtype=torch.int64, device=device)
        self.images = images

    def add(self, loss: Tensor, predicted: Tensor, labels: Tensor) -> None:
        """A batch: its mean loss, predicted (N,) and true (N,) classes."""
        self.loss.add_(loss.detach(), alpha=len(labels))
        self.correct.add_((predicted == labels).sum())
        self.images += len(labels)


def evaluation_batches(part: Resident, prepared: Prepared, *, train_batch_size: int) -> EvaluationBatches:
    """In batches that need no more memory than training does, or little, and are larger where images are small."""
    values = part.images[:1].numel() or 1
    batch_size = max(train_batch_size, min(_BATCH_IMAGES, _BATCH_VALUES // values))
    return EvaluationBatches(part, batch_size=batch_size, mean=prepared.mean, std=prepared.std)


def evaluate(
    module: nn.Module,
    loss: nn.Module,
    batches: Iterable[Batch],
    *,
    classes: int,
    check: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Every image once, in evaluation mode. `check` is called between batches and may raise."""
    device = next(module.parameters()).device
    sums, top5 = Sums(device), torch.zeros((), dtype=torch.int64, device=device)
    confusion: Tensor | None = None
    module.eval()
    with torch.inference_mode():
        for batch in batches:
            check()
            logits_nk = module(batch.images)
            predicted, width = logits_nk.argmax(1), logits_nk.shape[1]
            sums.add(loss(logits_nk, batch.labels), predicted, batch.labels)
            best = logits_nk.topk(min(5, width), 1).indices
            top5 += (best == batch.labels[:, None]).sum()
            if confusion is None:
                confusion = torch.zeros(classes * width, dtype=torch.int64, device=device)
            confusion.scatter_add_(0, batch.labels * width + predicted, torch.ones_like(predicted))
    assert confusion is not None, "parts are never empty"
    rows = confusion.view(classes, -1).tolist()
    images, correct = sums.images, int(sums.correct.item())
    return Evaluation(
        sums.loss.item() / images, correct / images, int(top5.item()) / images, tuple(tuple(row) for row in rows)
    )
