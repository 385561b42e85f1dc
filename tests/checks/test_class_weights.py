"""Lists of class weights against the classes of the data set, in the recipe and in stages."""

from pathlib import Path

import pytest

from specforge.analysis import analyse
from specforge.diagnostics import Diagnostic

SPEC = """\
specforge: 1
name: example
model:
  input: [1, 8, 8]
  layers: [flatten, {{linear: {classes}}}]
{data}
train:
  batch_size: 64
  optimizer: {{sgd: {{lr: 0.1}}}}
  loss: {loss}
  stages:
    - {{epochs: 1}}
    - {{epochs: 1{stage}}}
"""


def findings(
    folder: Path, loss: str, *, data: str = "data: {dataset: digits}", stage: str = "", classes: int = 10
) -> list[Diagnostic]:
    file = folder / "example.yaml"
    file.write_text(SPEC.format(loss=loss, data=data, stage=stage, classes=classes), encoding="utf-8")
    return list(analyse(file).findings)


def weighted(count: int) -> str:
    return f"{{cross_entropy: {{class_weights: {[1.5] * count}}}}}"


@pytest.mark.parametrize("loss", [weighted(10), "cross_entropy", "{cross_entropy: {class_weights: balanced}}"])
def test_what_fits(loss: str, tmp_path: Path) -> None:
    assert findings(tmp_path, loss) == []


@pytest.mark.parametrize(("count", "numbers"), [(1, "1 number"), (9, "9 numbers"), (11, "11 numbers")])
def test_a_list_of_another_length(count: int, numbers: str, tmp_path: Path) -> None:
    (found,) = findings(tmp_path, weighted(count))
    assert (found.code, found.rule.name) == ("SF522", "class-weights-do-not-fit")
    assert found.message == f"`class_weights` has {numbers}, `digits` has 10 classes"
    assert found.hint == "write 10 numbers, or `class_weights: balanced`"
    assert (found.span.line, found.span.column) == (10, 41)


def test_the_loss_of_a_stage(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, weighted(10), stage=f", loss: {weighted(3)}")
    assert found.message == "`class_weights` has 3 numbers, `digits` has 10 classes"
    assert (found.span.line, found.span.column) == (13, 57)


def test_a_mistake_that_stages_inherit_is_said_once(tmp_path: Path) -> None:
    assert len(findings(tmp_path, weighted(9))) == 1


@pytest.mark.parametrize("data", ["data: {dataset: {npz: {path: a.npz}}}", ""])
def test_where_only_the_file_knows_the_network_tells(data: str, tmp_path: Path) -> None:
    assert findings(tmp_path, weighted(7), data=data, classes=7) == []
    (found,) = findings(tmp_path, weighted(10), data=data, classes=7)
    assert found.message == "`class_weights` has 10 numbers, the network gives 7 classes"
