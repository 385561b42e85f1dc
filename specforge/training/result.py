"""What a run reached: `result.json`, and `confusion.json` beside it.

In: an `Evaluation` of the test part. Out: a `Result`, to and from JSON.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from operator import itemgetter
from typing import Any

from torch import nn

from specforge.training import durable
from specforge.training.evaluation import Evaluation

_OPTIONAL = ("members", "plain", "normalization")
_NUMBERS = ("test_loss", "test_accuracy", "test_top5_accuracy", "parameters", "seconds", "tested_epoch")


@dataclass(frozen=True, slots=True)
class ClassResult:
    """How one class fared; `accuracy` is None where the test set has no image of it, `count` says how many."""

    index: int
    name: str
    accuracy: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Member:
    """The test of one member of an ensemble: the weights after an epoch, counted from 1."""

    epoch: int
    test_loss: float
    test_accuracy: float

    @classmethod
    def of(cls, epoch: int, evaluation: Evaluation) -> "Member":
        return cls(epoch, evaluation.loss, evaluation.accuracy)


@dataclass(frozen=True, slots=True)
class Scores:
    """A test in three numbers."""

    test_loss: float
    test_accuracy: float
    test_top5_accuracy: float

    @classmethod
    def of(cls, evaluation: Evaluation) -> "Scores":
        return cls(evaluation.loss, evaluation.accuracy, evaluation.top5_accuracy)


@dataclass(frozen=True, slots=True)
class Measured:
    """What images were normalised by, per channel, of pixels scaled to 0..1: (pixel - mean) / std."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """The test of a run's weights. Accuracies are shares of one, `loss` is the mean over images.

    `tested_epoch` counts from 1 and says which epoch the weights are from, `weights` in which file they are.
    `parameters` counts trained and fixed ones and running statistics, `seconds` training and validation. Of a snapshot
    ensemble, which is what is tested, `members` are the single ones, the oldest first. Of a test with augmented views,
    `plain` is what it finds without them. The losses of both, and those that stand beside them, are the mean negative
    log of the true class's mean probability, without label smoothing. `normalization` is what whoever asks the network
    about other images must know; older results don't have it.
    """

    test_loss: float
    test_accuracy: float
    test_top5_accuracy: float
    per_class: tuple[ClassResult, ...]
    best_class: ClassResult | None
    worst_class: ClassResult | None
    parameters: int
    seconds: float
    tested_epoch: int
    checkpoint_policy: str
    weights: str
    spec_hash: str
    dataset: str
    members: tuple[Member, ...] = ()
    plain: Scores | None = None
    normalization: Measured | None = None

    @property
    def tested(self) -> str:
        """What was tested: `weights of epoch 7`, or `ensemble of epochs 4, 8`."""
        if self.members:
            return f"ensemble of epochs {', '.join(str(member.epoch) for member in self.members)}"
        averaged = "averaged " if self.weights.endswith("averages.safetensors") else ""
        return f"{averaged}weights of epoch {self.tested_epoch}"

    def encode(self) -> bytes:
        """What does not apply is left out."""
        record = asdict(self)
        return durable.encode({k: v for k, v in record.items() if v or k not in _OPTIONAL})

    @classmethod
    def decode(cls, content: bytes) -> "Result":
        """Raises ValueError, KeyError or TypeError for what `encode` did not write."""
        record: dict[str, Any] = json.loads(content)
        if any(type(record[name]) not in (int, float) or not isfinite(record[name]) for name in _NUMBERS):
            raise ValueError("not a number")
        for name in ("best_class", "worst_class"):
            record[name] = None if record[name] is None else ClassResult(**record[name])
        record["members"] = tuple(Member(**entry) for entry in record.get("members", ()))
        record["plain"] = Scores(**record["plain"]) if "plain" in record else None
        if "normalization" in record:
            values = record["normalization"]
            record["normalization"] = Measured(tuple(values["mean"]), tuple(values["std"]))
        return cls(**{**record, "per_class": tuple(ClassResult(**entry) for entry in record["per_class"])})


def class_results(evaluation: Evaluation, names: Sequence[str]) -> tuple[ClassResult, ...]:
    """One for each class, in the data set's order."""
    found = []
    for index, (name, row) in enumerate(zip(names, evaluation.confusion, strict=True)):
        count, correct = sum(row), row[index] if index < len(row) else 0
        found.append(ClassResult(index, name, correct / count if count else None, count))
    return tuple(found)


def extremes(per_class: Sequence[ClassResult]) -> tuple[ClassResult | None, ClassResult | None]:
    """The best and the worst class that has images: of equal ones the first is the best, the last the worst."""
    tested = [(entry.accuracy, entry) for entry in per_class if entry.accuracy is not None]
    if not tested:
        return None, None
    # max and min take the first of equal ones
    return max(tested, key=itemgetter(0))[1], min(reversed(tested), key=itemgetter(0))[1]


def confusion_file(evaluation: Evaluation, names: Sequence[str]) -> bytes:
    """`{"classes": [...], "matrix": [[...], ...]}`: a row for each true class, a column for each prediction."""
    return durable.encode({"classes": list(names), "matrix": evaluation.confusion}, indent=None)


def count_parameters(module: nn.Module) -> int:
    """Parameters and running statistics; counters are whole numbers and are not parameters."""
    statistics = sum(buffer.numel() for buffer in module.buffers() if buffer.is_floating_point())
    return statistics + sum(parameter.numel() for parameter in module.parameters())
