"""How far a run has come, in numbers that JSON keeps bit for bit.

In and out: `progress.json` of a checkpoint.

    {"epoch": 7, "step": 120, "loss_sum": 31337.25, ..., "history": [{"epoch": 1, ...}, ...], "best": null}
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from specforge.training import durable

Line = dict[str, float | int]


@dataclass(frozen=True, slots=True)
class Best:
    """The best complete epoch so far, counted from 1, and its value."""

    epoch: int
    value: float


@dataclass(frozen=True, slots=True)
class Progress:
    """A position between two steps: complete epochs, steps of the next one, and what those steps added up to.

    `loss_sum` is over images, `correct` counts the training images that were classified correctly, `seconds` is the
    time that the unfinished epoch has taken; `history` holds the lines of `metrics.jsonl` for the complete ones.
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    correct: int = 0
    images: int = 0
    seconds: float = 0.0
    history: tuple[Line, ...] = ()
    best: Best | None = None

    def encode(self, numbers: dict[str, float | int | None]) -> bytes:
        """With the optimizer's plain numbers beside it."""
        return durable.encode({"format": 1, **asdict(self), "optimizer": numbers}, indent=None)

    @classmethod
    def decode(cls, content: bytes) -> "tuple[Progress, dict[str, float | int | None]]":
        """Of content whose checksum was right, so that what is wrong in it is our own mistake."""
        record: dict[str, Any] = json.loads(content)
        numbers = record.pop("optimizer")
        assert record.pop("format") == 1
        best = record.pop("best")
        history = tuple(record.pop("history"))
        return cls(**record, history=history, best=None if best is None else Best(**best)), numbers
