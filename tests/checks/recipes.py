"""Whole specs for the tests of checks that need data and a recipe."""

from pathlib import Path

from specforge.analysis import analyse
from specforge.diagnostics import Diagnostic

SPEC = """\
specforge: 1
name: example
model:
  input: {input}
  layers:
{layers}
data:
  dataset: {dataset}
  augment: {augment}
train:
  epochs: {epochs}
  batch_size: 64
  optimizer: {{sgd: {{lr: 0.1}}}}
  schedule: {schedule}
  loss: cross_entropy
"""


def findings(
    folder: Path,
    layers: str = "- flatten\n- linear: 10",
    *,
    input: str = "[1, 8, 8]",
    dataset: str = "digits",
    augment: str = "[]",
    epochs: int = 10,
    schedule: str = "null",
) -> list[Diagnostic]:
    """What is found in a spec with these parts."""
    indented = "\n".join(f"    {line}" for line in layers.splitlines())
    text = SPEC.format(input=input, layers=indented, dataset=dataset, augment=augment, epochs=epochs, schedule=schedule)
    file = folder / "example.yaml"
    file.write_text(text, encoding="utf-8")
    return list(analyse(file).findings)
