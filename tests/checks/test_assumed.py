"""`assumed:` may name what a spec writes, what it leaves at its default, and what it is written with."""

from pathlib import Path

import pytest

from specforge.analysis import analyse

SPEC = """\
specforge: 1
name: small
assumed: [ASSUMED]
params: {dropout: 0.5}
blocks:
  unit:
    params: {channels: required, kernel_size: 3}
    layers:
      - conv: {out_channels: $channels, kernel_size: $kernel_size, padding: same}
model:
  input: [1, 8, 8]
  defaults: {batch_norm: {eps: 1e-3}}
  layers:
    - unit: 4
    - batch_norm
    - dropout: $dropout
    - flatten
    - linear: 10
data:
  dataset: digits
train:
  epochs: 1
  batch_size: 64
  optimizer: {adam: {lr: 1e-3}}
  loss: cross_entropy
"""
RESOLVED = """\
specforge: 1
name: small
assumed: [ASSUMED]
model:
  input: [1, 8, 8]
  layers: [flatten, {linear: 10}]
"""


def findings(tmp_path: Path, spec: str, assumed: str) -> list[str]:
    file = tmp_path / "small.yaml"
    file.write_text(spec.replace("ASSUMED", assumed), encoding="utf-8")
    return [f"{found.code} {found.message}; {found.hint}" for found in analyse(file).findings]


@pytest.mark.parametrize(
    "path",
    [
        "train.batch_size",
        "train.optimizer",
        "train.optimizer.lr",
        "train.optimizer.adam.lr",
        "train.optimizer.eps",  # at its default
        "train.checkpoint",
        "train.schedule",
        "data.split.seed",
        "data.normalize",
        "model.layers",
        "model.defaults.batch_norm.eps",
        "params.dropout",
        "blocks.unit",
        "blocks.unit.params.kernel_size",
    ],
)
def test_paths_of_a_spec(tmp_path: Path, path: str) -> None:
    assert findings(tmp_path, SPEC, path) == []


@pytest.mark.parametrize(
    ("path", "missing", "meant"),
    [
        ("train.batchsize", "batchsize", "batch_size"),
        ("train.optimizer.rate", "rate", None),
        ("train.schedule.decay", "schedule", None),
        ("params.drop_out", "drop_out", "dropout"),
        ("blocks.units", "units", "unit"),
        ("blocks.unit.params.kernel", "kernel", "kernel_size"),
        ("expect.output", "expect", None),
    ],
)
def test_what_is_no_path_of_it(tmp_path: Path, path: str, missing: str, meant: str | None) -> None:
    (found,) = findings(tmp_path, SPEC, path)

    assert found.startswith(f"SF502 `{path}` is not a path of this spec: no `{missing}`")
    assert meant is None or f"did you mean `{meant}`?" in found


def test_a_resolved_spec_keeps_what_was_assumed_of_params_and_blocks(tmp_path: Path) -> None:
    assert findings(tmp_path, RESOLVED, "params.dropout, blocks.unit") == []
