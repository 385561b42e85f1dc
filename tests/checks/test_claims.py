"""What a spec expects of itself."""

from pathlib import Path

from specforge.analysis import analyse


def test_expectations_need_layers(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("specforge: 1\nname: m\nmodel: {input: [4]}\nexpect: {trainable_parameters: 3}\n")
    (found,) = analyse(spec).findings
    assert (found.code, found.span.line, found.span.column) == ("SF501", 4, 9)


def test_an_expected_count_that_is_another_count_is_named(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    model = "model: {input: [4], layers: [{linear: 2}, batch_norm]}"
    spec.write_text(f"specforge: 1\nname: m\n{model}\nexpect: {{trainable_parameters: 18}}\n")
    (found,) = analyse(spec).findings
    assert found.message == "`trainable_parameters` is 14, expected 18: 4 too few"
    assert found.hint is not None
    assert "`total_parameters`" in found.hint


def test_entries_of_lists_are_assumed_by_number(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("""
specforge: 1
name: m
assumed: [train.stages.0.epochs, train.stages.1.optimizer.lr, train.stages.2.epochs, data.augment.0.padding]
model: {input: [1, 8, 8], layers: [flatten, {linear: 10}]}
data: {dataset: digits, augment: [{crop: 1}]}
train:
  batch_size: 8
  optimizer: {adam: 1e-3}
  loss: cross_entropy
  stages: [{epochs: 1}, {epochs: 2, optimizer: {adam: {lr: 1e-4}}}]
""")
    (found,) = analyse(spec).findings
    assert (found.code, found.message) == ("SF502", "`train.stages.2.epochs` is not a path of this spec: no `2`")
