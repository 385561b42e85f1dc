"""Measures a network on images with known classes.

In: a module, a loss and batches on the device. Out: an `Evaluation`. Nothing waits for the device before the end. Of
several processes each has its share of every batch; all get the evaluation of all images.

Legend of shapes: N images, K logits.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import prod

import torch
from torch import Tensor, nn

from specforge.data.batches import Batch, EvaluationBatches, View
from specforge.data.parts import Part
from specforge.data.prepare import Prepared
from specforge.data.sharding import WHOLE, Shard
from specforge.training.processes import ALONE, Processes

# pixels and channels of a batch: large enough to keep a device busy, small enough for any memory that trains
_BATCH_VALUES = 2**21
_BATCH_IMAGES = 512


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`loss` is the mean over images, accuracies are shares of one; `confusion[true][predicted]` counts images.

    Top-5 is top-K where there are fewer than five classes. `predicted` (N,) int64 and `confidence` (N,), the share of
    the softmax that it has, are of each image in the part's order, on the CPU.
    """

    loss: float
    accuracy: float
    top5_accuracy: float
    confusion: tuple[tuple[int, ...], ...]
    predicted: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.int64), compare=False, repr=False)
    confidence: Tensor = field(default_factory=lambda: torch.empty(0), compare=False, repr=False)


class Sums:
    """Adds up loss and correct answers on the device."""

    def __init__(self, device: torch.device, *, loss: float = 0.0, correct: float = 0, images: int = 0):
        precise = torch.float32 if device.type == "mps" else torch.float64  # Apple's GPUs have no float64
        self.loss = torch.tensor(loss, dtype=precise, device=device)
        self.correct = torch.tensor(correct, dtype=precise, device=device)
        self.images = images
        self._missed = torch.zeros((), dtype=torch.int64, device=device)

    def add(self, loss: Tensor, predicted: Tensor, labels: Tensor) -> None:
        """A batch: its mean loss, predicted (N,) and true (N,) classes."""
        self._add(loss, (predicted == labels).sum(), len(labels))

    def add_batch(self, loss: Tensor, predicted: Tensor, batch: Batch, *, passed: bool | Tensor = True) -> None:
        """A training batch: of a mixed image, an answer is right for the share that its class has.

        One that has not `passed` does not count.
        """
        if passed is False or not batch.counts:
            return
        right = (predicted == batch.labels).sum()
        if batch.mixed is not None:
            right = batch.mixed.between(right, (predicted == batch.mixed.labels).sum())
        if isinstance(passed, Tensor):
            loss, right = torch.where(passed, loss, torch.zeros_like(loss)), right * passed
            self._missed.add_(~passed, alpha=len(batch.labels))
        self._add(loss, right, len(batch.labels))

    def count(self) -> int:
        """The images that count. The device is waited for."""
        return self.images - int(self._missed.item())

    def over(self, processes: Processes) -> "Sums":
        """What all processes have added up."""
        if processes.count == 1:
            return self
        mine = torch.stack([self.loss, self.correct, (self.images - self._missed).to(self.loss.dtype)])
        loss, correct, images = processes.add(mine).tolist()
        return Sums(self.loss.device, loss=loss, correct=correct, images=round(images))

    def _add(self, loss: Tensor, right: Tensor, images: int) -> None:
        self.loss.add_(loss.detach(), alpha=images)
        self.correct.add_(right)
        self.images += images


def evaluation_batches(
    part: Part, prepared: Prepared, *, train_batch_size: int, view: View | None = None, shard: Shard = WHOLE
) -> EvaluationBatches:
    """In batches that need no more memory than training does, or little, and are larger where images are small."""
    values = prod(part.image)
    batch_size = max(train_batch_size, min(_BATCH_IMAGES, _BATCH_VALUES // values))
    mean, std = prepared.mean, prepared.std
    return EvaluationBatches(part, batch_size=batch_size, mean=mean, std=std, view=view, shard=shard)


def evaluate(
    module: nn.Module,
    loss: nn.Module,
    batches: Iterable[Batch],
    *,
    classes: int,
    check: Callable[[], None] = lambda: None,
    processes: Processes = ALONE,
) -> Evaluation:
    """Every image once, in evaluation mode. `check` is called between batches and may raise.

    Of several `processes`, the batches must be `EvaluationBatches`, which know whose images they have.
    """
    device = next(module.parameters()).device
    sums, top5 = Sums(device), torch.zeros((), dtype=torch.int64, device=device)
    confusion: Tensor | None = None
    answers: list[tuple[Tensor, Tensor]] = []
    module.eval()
    with torch.inference_mode():
        for batch in batches:
            check()
            if not len(batch.labels):
                continue
            logits_nk = module(batch.images)
            predicted, width = logits_nk.argmax(1), logits_nk.shape[1]
            answers.append((predicted, logits_nk.float().softmax(1).amax(1)))
            sums.add(loss(logits_nk, batch.labels), predicted, batch.labels)
            best = logits_nk.topk(min(5, width), 1).indices
            top5 += (best == batch.labels[:, None]).sum()
            if confusion is None:
                confusion = torch.zeros(classes * width, dtype=torch.int64, device=device)
            confusion.scatter_add_(0, batch.labels * width + predicted, torch.ones_like(predicted))
    if processes.count > 1:
        return _of_all(processes, sums, top5, confusion, answers, batches, classes)
    assert confusion is not None, "parts are never empty"
    rows = confusion.view(classes, -1).tolist()
    images, correct = sums.images, int(sums.correct.item())
    given, sure = (torch.cat(values).cpu() for values in zip(*answers, strict=True))
    return Evaluation(
        sums.loss.item() / images, correct / images, int(top5.item()) / images, tuple(tuple(row) for row in rows),
        predicted=given, confidence=sure,
    )  # fmt: skip


def _of_all(
    processes: Processes, sums: Sums, top5: Tensor, confusion: Tensor | None, answers: list[tuple[Tensor, Tensor]],
    batches: Iterable[Batch], classes: int,
) -> Evaluation:  # fmt: skip
    """The evaluation of all images, from what each process has found of its own. Counts are exact."""
    assert isinstance(batches, EvaluationBatches)
    # a part may have fewer images than there are processes
    width = max(processes.all_of(0 if confusion is None else len(confusion) // classes))
    device = top5.device
    counts = torch.zeros(classes * width + 1, dtype=torch.int64, device=device)
    counts[-1] = top5
    if confusion is not None:
        counts[:-1] = confusion
    processes.add(counts)
    total = sums.over(processes)
    given, sure = (torch.cat(values) for values in zip(*answers, strict=True)) if answers else (None, None)
    return Evaluation(
        total.loss.item() / total.images, int(total.correct.item()) / total.images, int(counts[-1]) / total.images,
        tuple(tuple(row) for row in counts[:-1].view(classes, width).tolist()),
        predicted=gathered(given, batches, processes, like=torch.zeros(0, dtype=torch.int64, device=device)).cpu(),
        confidence=gathered(sure, batches, processes, like=torch.zeros(0, device=device)).cpu(),
    )  # fmt: skip


def gathered(own: Tensor | None, batches: EvaluationBatches, processes: Processes, *, like: Tensor) -> Tensor:
    """A row for every image of the part, from each process's `own` (n, …); None stands for none, of the form `like`."""
    rows = like if own is None else own
    every = rows.new_zeros((batches.images, *rows.shape[1:]))
    every[batches.places.to(every.device)] = rows
    return processes.add(every)  # what others have is zero here, so adding changes nothing


def logits_of(
    module: nn.Module,
    batches: EvaluationBatches,
    *,
    check: Callable[[], None] = lambda: None,
    processes: Processes = ALONE,
) -> Tensor:
    """What the network says of every image: (N, K) float32 on its device, in the part's order."""
    found = []
    module.eval()
    with torch.inference_mode():
        for batch in batches:
            check()
            if len(batch.labels):
                found.append(module(batch.images).float())
    if processes.count == 1:
        return torch.cat(found)
    own = torch.cat(found) if found else None
    width = max(processes.all_of(0 if own is None else own.shape[1]))
    device = next(module.parameters()).device
    return gathered(own, batches, processes, like=torch.zeros(0, width, device=device))


def judge(probabilities_nk: Tensor, labels: Tensor, *, classes: int) -> Evaluation:
    """The evaluation of probabilities; the loss is the mean negative log of the true class's."""
    confidence, predicted = probabilities_nk.max(1)
    width = probabilities_nk.shape[1]
    true = probabilities_nk.gather(1, labels[:, None]).squeeze(1)
    best = probabilities_nk.topk(min(5, width), 1).indices
    confusion = torch.bincount(labels * width + predicted, minlength=classes * width).view(classes, width)
    return Evaluation(
        loss=-true.clamp_min(torch.finfo(true.dtype).tiny).log().double().mean().item(),
        accuracy=(predicted == labels).double().mean().item(),
        top5_accuracy=(best == labels[:, None]).any(1).double().mean().item(),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        predicted=predicted.cpu(),
        confidence=confidence.cpu(),
    )
