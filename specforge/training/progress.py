"""How far a run has come, in numbers that JSON keeps bit for bit.

In and out: `progress.json` of a checkpoint.

    {"epoch": 7, "step": 120, "loss_sum": 31337.25, ..., "history": [{"epoch": 1, ...}, ...], "best": null}
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from specforge.diagnostics import one_line
from specforge.training import durable
from specforge.training.manifest import Damage

PROGRESS = "progress.json"

Line = dict[str, Any]  # numbers; `lr` is a mapping where groups differ


@dataclass(frozen=True, slots=True)
class Best:
    """The best complete epoch so far, counted from 1, and its value."""

    epoch: int
    value: float

    @classmethod
    def of(cls, policy: str, history: Sequence[Line]) -> "Best | None":
        """The best by a recipe's `checkpoint`, the earlier of equal ones; None by the policy `last`."""
        metric, sign = policy.removeprefix("best_"), 1 if policy.endswith("loss") else -1
        lines = [line for line in history if metric in line]
        if not lines:
            return None
        best = min(lines, key=lambda line: sign * line[metric])
        return cls(int(best["epoch"]), best[metric])


@dataclass(frozen=True, slots=True)
class Progress:
    """A position between two steps: complete epochs, steps of the next one, and what those steps added up to.

    `stage` counts from 0, `stage_epochs` are its complete epochs. `clock_epochs` and `clock_steps` are what its
    schedule has behind it at the start of the unfinished epoch, `steps` what the whole run has. `rates` holds what the
    learning-rate finder chose, by the number of the stage. `loss_sum` is over images, `correct` counts the training
    images that were classified correctly (a mixed one by its shares), `seconds` is the time that the unfinished epoch
    has taken; `history` holds the lines of `metrics.jsonl` for the complete ones. `skipped` are the steps of the
    unfinished epoch whose numbers were not finite, `left_out` those of the run, as (epoch, step), that are not to be
    tried again. `images_at_once` is how many images of a batch the memory allows, if fewer than all.
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    correct: float = 0
    images: int = 0
    seconds: float = 0.0
    history: tuple[Line, ...] = ()
    best: Best | None = None
    stage: int = 0
    stage_epochs: int = 0
    clock_epochs: int = 0
    clock_steps: int = 0
    steps: int = 0
    rates: dict[str, float] = field(default_factory=dict)
    skipped: int = 0
    left_out: tuple[tuple[int, int], ...] = ()
    images_at_once: int | None = None

    def judged_by(self, policy: str) -> "Progress":
        """With the best epoch by a recipe's `checkpoint`, which may be another than when this was written."""
        return replace(self, best=Best.of(policy, self.history))

    def encode(self, numbers: dict[str, float | int | None], scaler: dict[str, float | int]) -> bytes:
        """With the plain numbers of the optimizers and of the scaler beside it."""
        return durable.encode({"format": 2, **asdict(self), "optimizer": numbers, "scaler": scaler}, indent=None)

    @classmethod
    def decode(cls, content: bytes) -> "tuple[Progress, dict[str, float | int | None], dict[str, float | int]]":
        """Of content whose checksum was right; `Damage` for another format."""
        try:
            return cls._of(json.loads(content))
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise Damage(f"{PROGRESS} is none, although its checksum is right: {one_line(str(error))}") from error

    @classmethod
    def _of(cls, record: dict[str, Any]) -> "tuple[Progress, dict[str, float | int | None], dict[str, float | int]]":
        if record.pop("format") != 2:
            raise Damage(f"{PROGRESS} was written by another version of specforge")
        numbers, scaler = record.pop("optimizer"), record.pop("scaler")
        best = record.pop("best")
        history = tuple(record.pop("history"))
        record["left_out"] = tuple((epoch, step) for epoch, step in record.get("left_out", ()))
        return cls(**record, history=history, best=None if best is None else Best(**best)), numbers, scaler
