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


TRAINING = """\
specforge: 1
name: example
model:
  input: [1, 8, 8]
  layers:
    - id: backbone
      sequential:
        - conv: {out_channels: 8, kernel_size: 3}
        - relu
        - batch_norm
        - global_avg_pool
    - {id: head, linear: 10}
data:
  dataset: digits
  split: {train: 0.9, validation: 0.1}
train:
  batch_size: 64
  optimizer: {sgd: {lr: 0.1, momentum: 0.9}}
  loss: cross_entropy
"""


def recipe_findings(folder: Path, keys: str, **others: str) -> list[tuple[str, str, str]]:
    """What is found with these keys of `train`, each as its code, the text that it points at, and the message.

    `others` are texts of the spec to be replaced, by those that replace them: `digits="mnist"`.
    """
    text = TRAINING + "".join(f"  {line}\n" for line in keys.splitlines())
    for old, new in others.items():
        text = text.replace(old, new)
    file = folder / "example.yaml"
    file.write_text(text, encoding="utf-8")
    lines = text.splitlines()
    found = analyse(file).findings
    return [(one.code, lines[one.span.line - 1][one.span.column - 1 :][: _width(one)], one.message) for one in found]


def _width(found: Diagnostic) -> int | None:
    span = found.span
    return span.end_column - span.column if span.line == span.end_line else None
