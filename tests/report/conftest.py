"""Run directories for the tests of this room."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.report.runs import SPEC, MakeRun, epoch_record, result_record


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """A builder of run directories: `make_run(epochs=3, finished=False)`."""

    def make(
        *,
        epochs: int = 3,
        finished: bool = True,
        spec: str = SPEC,
        records: list[dict[str, Any]] | None = None,
        result: dict[str, Any] | None = None,
    ) -> Path:
        folder = tmp_path / "run"
        folder.mkdir()
        (folder / "spec.yaml").write_text(spec, encoding="utf-8")
        environment = {"python": "3.12.3", "torch": {"version": "2.11.0", "cuda": None}, "devices": ["cpu", "cuda:0"]}
        (folder / "environment.json").write_text(json.dumps(environment), encoding="utf-8")
        lines = [epoch_record(epoch, of=epochs) for epoch in range(1, epochs + 1)] if records is None else records
        (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        if finished:
            content = result or result_record(tested_epoch=max(1, epochs - 1))
            (folder / "result.json").write_text(json.dumps(content), encoding="utf-8")
        return folder

    return make
