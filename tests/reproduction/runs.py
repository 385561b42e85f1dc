"""Run directories as a training leaves them, without a training."""

import json
from pathlib import Path
from typing import Any

from specforge.analysis import load
from specforge.reproduction.results import Hardware, Measurement, Versions
from specforge.resolved import spec_hash, to_yaml

ENVIRONMENT = {
    "specforge": "0.0.9",
    "python": "3.12.3",
    "torch": "2.11.0",
    "torchvision": None,
    "device": "cpu",
    "device_name": "a processor",
    "threads": 2,
    "started": "2026-01-31T10:20:30+00:00",
}
RESULT = {
    "test_loss": 0.30000000000000004,
    "test_accuracy": 0.9125,
    "test_top5_accuracy": 0.99,
    "per_class": [],
    "seconds": 12.5,
    "tested_epoch": 1,
    "checkpoint_policy": "last",
    "dataset": "digits",
}


def write_run(
    folder: Path,
    file: Path,
    *,
    settings: tuple[str, ...] = (),
    finished: bool = True,
    environment: dict[str, Any] | None = None,
    result: dict[str, Any] | None = None,
) -> Path:
    """A run of the spec of a file; `environment` and `result` change what its JSON files say."""
    folder.mkdir(parents=True)
    spec = load(file, settings=settings)
    assert spec.train is not None
    recorded = {"spec_hash": spec_hash(spec), **ENVIRONMENT, **(environment or {})}
    (folder / "spec.yaml").write_text(to_yaml(spec))
    (folder / "environment.json").write_text(json.dumps(recorded))
    lines = [json.dumps({"epoch": epoch}) + "\n" for epoch in range(1, (spec.train.epochs or 0) + 1)]
    (folder / "metrics.jsonl").write_text("".join(lines))
    if finished:
        (folder / "result.json").write_text(json.dumps({"spec_hash": spec_hash(spec), **RESULT, **(result or {})}))
    return folder


def measurement(**changed: Any) -> Measurement:
    """What a run could have measured."""
    return Measurement(
        **{
            "seed": 0,
            "spec_hash": "0" * 64,
            "epochs": 2,
            "test_accuracy": 0.9,
            "test_top5_accuracy": 0.99,
            "test_loss": 0.3,
            "tested_epoch": 2,
            "seconds": 1.5,
            "dataset": "digits",
            "hardware": Hardware(device="cpu", name="a processor", threads=1),
            "versions": Versions(specforge="0.1.0", torch="2.11.0", python="3.12.3"),
            "date": "2026-01-31",
            **changed,
        }
    )
