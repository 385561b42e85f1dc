"""Runs the command line in a process of its own, as a user does."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from specforge.cli import COMMANDS, application

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., "subprocess.CompletedProcess[str]"]
Inside = Callable[..., Any]

# the core must work where none of these can be imported
BLOCK = "import sys; sys.modules.update(dict.fromkeys(('torch', 'torchvision', 'numpy', 'matplotlib', 'safetensors')))"
PROGRAM = "import sys; from specforge.cli import main; sys.argv[0] = 'specforge'; main()"


@pytest.fixture
def specforge(tmp_path: Path) -> Run:
    """`specforge("validate", path)`; `blocked=True` hides torch and its companions from the process."""

    def run(
        *arguments: str | Path, blocked: bool = False, stdin: str | None = None, env: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        program = f"{BLOCK}; {PROGRAM}" if blocked else PROGRAM
        return subprocess.run(
            [sys.executable, "-c", program, *map(str, arguments)],
            cwd=tmp_path,
            input=stdin,
            text=True,
            capture_output=True,
            timeout=300,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        )

    return run


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Inside:
    """The command line in this process, where torch is loaded already."""
    monkeypatch.chdir(tmp_path)
    # it is loaded, and what is there must not be kept from Python's collector: triton complains at the end
    monkeypatch.setattr("specforge.cli.model_errors.load_torch", lambda: None)
    return lambda *arguments: CliRunner().invoke(application({arguments[0]: COMMANDS[arguments[0]]}), arguments)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A small, correct spec on the embedded digits."""
    path = tmp_path / "tiny.yaml"
    path.write_text(
        """\
specforge: 1
name: tiny
params: {width: 8}
model:
  input: [1, 8, 8]
  layers:
    - conv: {out_channels: $width, kernel_size: 3, padding: same}
    - relu
    - max_pool: 2
    - dropout: 0.1
    - flatten
    - linear: 10
data: {dataset: digits, split: {train: 0.9, validation: 0.1}}
train:
  epochs: 2
  batch_size: 64
  optimizer: {adam: {lr: 3e-3}}
  loss: cross_entropy
  checkpoint: best_validation_loss
expect: {trainable_parameters: 1370}
reported:
  - {metric: test_accuracy, value: 0.9, epochs: 2}
"""
    )
    return path
