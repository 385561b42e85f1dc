"""Run directories as a training leaves them, built from closed formulas instead of a training."""

import base64
import math
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

SPEC = """\
specforge: 1
name: lab2_bn
model:
  input: [3, 32, 32]
  layers:
    - flatten
    - linear: 100
"""

MakeRun = Callable[..., Path]


def epoch_record(epoch: int, *, of: int) -> dict[str, Any]:
    """One line of metrics, on curves that flatten out and then overfit a little."""
    done = epoch / of
    wobble = 0.03 * math.sin(epoch * 1.7)
    return {
        "epoch": epoch,
        "stage": None,
        "train_loss": 0.9 + 3.4 * math.exp(-3 * done),
        "train_accuracy": 0.75 * (1 - math.exp(-3 * done)),
        "validation_loss": 1.6 + 2.7 * math.exp(-4 * done) + 0.2 * done**2 + wobble,
        "validation_accuracy": 0.56 * (1 - math.exp(-4 * done)) + wobble / 5,
        "lr": 0.05 * (1 + math.cos(math.pi * (epoch - 1) / of)),
        "images_per_second": 41_250.0 - 100 * (epoch % 3),
        "seconds": 1.45,
    }


def class_records(count: int) -> list[dict[str, Any]]:
    """Accuracies spread over the classes without two alike."""
    return [
        {
            "index": at,
            "name": f"class {at:02d}",
            "accuracy": round(0.08 + 0.87 * (at * 37 % count) / count, 4),
            "count": 100,
        }
        for at in range(count)
    ]


def result_record(*, tested_epoch: int, classes: int = 100) -> dict[str, Any]:
    """`result.json` of a finished run."""
    return {
        "test_loss": 1.7312,
        "test_accuracy": 0.5412,
        "test_top5_accuracy": 0.8231,
        "per_class": class_records(classes),
        "parameters": 2217348,
        "seconds": 63.2,
        "tested_epoch": tested_epoch,
        "checkpoint_policy": "best_validation_accuracy",
        "spec_hash": "3fa9c1d2",
        "dataset": "cifar100",
    }


def confusion_record(classes: int = 10) -> dict[str, Any]:
    """`confusion.json`: most images right, the rest taken for the next class."""
    rows = [
        [80 if row == column else 20 * ((row + 1) % classes == column) for column in range(classes)]
        for row in range(classes)
    ]
    return {"classes": [f"class {at:02d}" for at in range(classes)], "matrix": rows}


def png(width: int, height: int) -> str:
    """A grey picture in base64."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    return base64.b64encode(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    ).decode()


def mistakes_record(classes: int = 10) -> dict[str, Any]:
    """`mistakes.json`: each class taken for the next one."""
    shown = [
        {"index": 100 + at, "true": at % classes, "predicted": (at + 1) % classes, "confidence": 0.99 - at / 100,
         "png": png(32, 32)}
        for at in range(20)
    ]  # fmt: skip
    pairs = [{"true": at, "predicted": at + 1, "count": 20, "examples": shown[at::classes][:2]} for at in range(3)]
    return {"classes": [f"class {at:02d}" for at in range(classes)], "mistakes": shown, "pairs": pairs}
