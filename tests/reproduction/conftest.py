"""A folder of specs and runs of them, for the tests of this room."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.reproduction.runs import write_run

MakeRun = Callable[..., Path]

SPEC = """\
specforge: 1
name: tiny
description: A line through the digits. It is for tests. Nobody reads this far.
source: {document: 002_0123456789abcdef.txt, section: A beginning}
params: {width: 16}
model:
  input: [1, 8, 8]
  layers:
    - flatten
    - linear: $width
    - batch_norm
    - relu
    - linear: 10
data: {dataset: digits, split: {train: 0.9, validation: 0.1}}
train:
  epochs: 2
  batch_size: 64
  optimizer: {adam: {lr: 3e-3}}
  loss: cross_entropy
assumed: [train.optimizer]
reported:
  - {metric: test_loss, value: 0.31}
  - {metric: test_accuracy, value: 0.9, epochs: 2}
"""


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """A folder with one spec, its base, and a network without a recipe."""
    folder = tmp_path / "specs"
    (folder / "bases").mkdir(parents=True)
    (folder / "zoo").mkdir()
    (folder / "tiny.yaml").write_text(SPEC)
    (folder / "bases" / "base.yaml").write_text("train: {epochs: 3}\n")
    (folder / "zoo" / "line.yaml").write_text(
        "specforge: 1\nname: line\nsource: {authors: Ada Lovelace and others, year: 1843, url: 'https://example.org'}\n"
        "model: {input: [1000], layers: [{linear: 1000}]}\n"
    )
    return folder


@pytest.fixture
def make_run(tmp_path: Path, specs: Path) -> MakeRun:
    """A builder of run directories of that spec: `make_run("run", settings=("train.epochs=5",), finished=False)`."""

    def make(name: str = "run", **options: Any) -> Path:
        return write_run(tmp_path / name, specs / "tiny.yaml", **options)

    return make
