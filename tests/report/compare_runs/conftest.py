"""Run directories to compare, built from closed formulas instead of trainings."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.report.runs import epoch_record, result_record

SPEC = """\
specforge: 1
name: {name}
model:
  input: [1, 8, 8]
  layers:
    - flatten
    - linear: {width}
    - relu
    - linear: 10
data: {{dataset: digits, split: {{train: 0.9, validation: 0.1}}}}
train: {{epochs: {epochs}, batch_size: 64, optimizer: {{{optimizer}}}, loss: cross_entropy, seed: {seed}}}
reported:
  - {{metric: test_accuracy, value: 0.5, epochs: {epochs}}}
"""
ENVIRONMENT = {"torch": "2.11.0", "device": "cpu", "device_name": "a CPU", "threads": 4, "specforge": "0.1.0"}

MakeRun = Callable[..., Path]


@pytest.fixture
def run(tmp_path: Path) -> MakeRun:
    """A builder of run directories: `run("deep", width=64, epochs=4)`; `spec` is old and new texts in turn."""

    def make(
        folder: str,
        *,
        epochs: int = 3,
        done: int | None = None,
        width: int = 32,
        optimizer: str = "adam: {lr: 1e-3}",
        seed: int = 0,
        spec: tuple[str, ...] = (),
        finished: bool = True,
        records: list[dict[str, Any]] | None = None,
        result: dict[str, Any] | None = None,
        environment: dict[str, Any] | None = None,
    ) -> Path:
        path = tmp_path / folder
        path.mkdir(parents=True)
        name = path.name
        text = SPEC.format(name=name, width=width, epochs=epochs, optimizer=optimizer, seed=seed)
        for old, new in zip(spec[::2], spec[1::2], strict=True):
            assert old in text
            text = text.replace(old, new)
        (path / "spec.yaml").write_text(text, encoding="utf-8")
        (path / "environment.json").write_text(json.dumps(ENVIRONMENT | (environment or {})))
        lines = records or [epoch_record(at, of=epochs) for at in range(1, (done or epochs) + 1)]
        (path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        if finished:
            tested = result_record(tested_epoch=epochs, classes=10) | {"checkpoint_policy": "last", "dataset": "digits"}
            (path / "result.json").write_text(json.dumps(tested | (result or {})))
        return path

    return make
