"""Search spaces: paths, distributions, what trials are compared by, and the ends that are proven."""

from pathlib import Path

import pytest

from specforge.analysis import analyse
from specforge.checks import search
from specforge.diagnostics import Diagnostic

SPEC = """\
specforge: 1
name: example
params: {width: 8}
blocks: {unit: {params: {channels: required}, layers: [{conv: {out_channels: $channels, kernel_size: 3}}, relu]}}
model:
  input: [1, 8, 8]
  layers:
    - unit: $width
    - dropout: 0.5
    - flatten
    - linear: 10
data: {dataset: digits, split: {train: 0.9, validation: 0.1}}
train: {epochs: 2, batch_size: 64, optimizer: adam, loss: cross_entropy}
expect: {trainable_parameters: 2970}
assumed: [train.optimizer]
"""


def findings(folder: Path, space: str, *, more: str = "", spec: str = SPEC) -> list[Diagnostic]:
    """What is found in the example with these lines of `search.space`."""
    lines = "".join(f"    {line}\n" for line in space.splitlines())
    file = folder / "example.yaml"
    file.write_text(f"{spec}search:\n{more}  space:\n{lines}", encoding="utf-8")
    return list(analyse(file).findings)


def said(folder: Path, space: str, **options: str) -> list[str]:
    return [f"{found.code} {found.message}" for found in findings(folder, space, **options)]


@pytest.mark.parametrize(
    "space",
    [
        "train.optimizer.lr: {log_uniform: [1e-5, 1e-1]}",
        "train.optimizer: {choice: [adam, {sgd: {momentum: 0.9}}, rmsprop]}\ntrain.optimizer.lr: {uniform: [0.1, 1]}",
        "train.optimizer: {choice: [adam, sgd]}\ntrain.optimizer.sgd.momentum: {uniform: [0.8, 0.99]}",
        "train.schedule: {choice: [cosine, null, {step: 1}]}",
        "train.batch_size: {choice: [$width, $(width * 2)]}\nparams.width: {integers: {bounds: [4, 16], step: 4}}",
        "blocks.unit.layers: {choice: [[{conv: {out_channels: $channels, kernel_size: 1}}], [relu, dropout]]}",
        "model.layers.1: {choice: [{dropout: 0.1}, {dropout: 0.3}, batch_norm]}",
        "data.augment: {choice: [[], [{crop: 1}]]}",
        "data.split: {choice: [{train: 0.8, validation: 0.2}]}",
        "train.epochs: {integers: [1, 3]}",
    ],
)
def test_sound_spaces(tmp_path: Path, space: str) -> None:
    assert said(tmp_path, space) == []


@pytest.mark.parametrize(
    ("space", "place", "message", "hint"),
    [
        ("train.optimizer.lrr: {uniform: [1, 2]}", (21, 24), "can't be varied: `adam` has no `lrr`", "`lr`"),
        ("train.batchsize: {choice: [1, 2]}", (11, 20), "`train` has no `batchsize`", "`batch_size`"),
        ("params.widht: {choice: [8]}", (12, 17), "no param `widht`", "`width`"),
        ("model.layers.9: {choice: [relu]}", (18, 19), "there is no `9` in it", "`model.layers.3`"),
        ("trian.epochs: {choice: [1]}", (5, 17), "no path of what is trained", "`train`"),
        ("name: {choice: [a, b]}", (5, 9), "no path of what is trained", "`train`"),
        ("search.trials: {choice: [3]}", (5, 18), "no path of what is trained", "`train`"),
        ("params.width: {choice: [8, 0]}", (32, 33), "`params.width: 0` is not possible: `out_channels`", ""),
        ("model.layers.1: {choice: [{max_pool: 9}]}", (31, 44), "{max_pool: 9}` is not possible: the window", "remove"),
        ("train.batch_size: {uniform: [8, 16]}", (34, 35), "`train.batch_size: 8.0` is not", "`integers`"),
        ("data.dataset: {choice: [digits, cifar10]}", (37, 44), "an image of `cifar10` is", "input: [3, 32, 32]"),
        ("data.split.validation: {choice: [0.1, null]}", (43, 47), "compared by `validation_accuracy`", "split"),
        ("train.optimizer.lr: {log_uniform: [0, 1]}", (40, 41), "no logarithm of 0", "uniform"),
        ("train.epochs: {choice: [1, 2, 1]}", (29, 30), "values 1 and 3", "once"),
    ],
)
def test_a_mistake_is_told_at_its_entry(
    tmp_path: Path, space: str, place: tuple[int, int], message: str, hint: str
) -> None:
    first = findings(tmp_path, space)[0]
    assert (first.code, first.span.line) == ("SF527", 18)
    assert message in first.message
    assert hint in (first.hint or "")
    assert (first.span.column, first.span.end_column) == place


def test_an_argument_of_one_word_is_sent_to_it(tmp_path: Path) -> None:
    space = "train.optimizer: {choice: [adam, sgd]}\ntrain.optimizer.momentum: {uniform: [0.8, 0.9]}"
    (found,) = findings(tmp_path, space)
    assert "can't be varied with `train.optimizer: adam`: `adam` has no `momentum`" in found.message
    assert found.hint == "write `train.optimizer.sgd.momentum`: it then counts where `sgd` is chosen"


def test_values_that_do_not_go_together(tmp_path: Path) -> None:
    space = (
        "model.layers.1: {choice: [{dropout: 0.1}, {max_pool: 3}]}\nmodel.layers.2: {choice: [flatten, {max_pool: 3}]}"
    )
    spec = SPEC.replace("    - flatten\n", "    - flatten\n    - flatten\n")
    found = next(each for each in findings(tmp_path, space, spec=spec) if each.severity == "error")
    assert found.message.startswith("the values `model.layers.1: {max_pool: 3}`, `model.layers.2: {max_pool: 3}` do")
    assert (found.span.line, found.span.column) == (18, 3)


def test_what_trials_are_compared_by(tmp_path: Path) -> None:
    space = "train.epochs: {choice: [1, 2]}"
    assert said(tmp_path, space, more="  metric: train_loss\n  direction: minimize\n") == []
    (found,) = findings(tmp_path, space, more="  metric: validation_loss\n  direction: maximize\n")
    assert (found.code, found.message) == ("SF527", "`direction: maximize` makes `validation_loss` worse")
    unsplit = SPEC.replace(", split: {train: 0.9, validation: 0.1}", "")
    (found,) = findings(tmp_path, space, spec=unsplit)
    assert (found.code, found.hint) == (
        "SF508",
        "write `split: {train: 0.9, validation: 0.1}`, or `metric: train_accuracy`",
    )
    assert said(tmp_path, "data.split: {choice: [{train: 0.8, validation: 0.2}]}", spec=unsplit) == []
    assert "must be `validation_accuracy`" in said(tmp_path, space, more="  metric: test_accuracy\n")[0]


def test_a_space_of_nothing(tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(f"{SPEC}search: {{space: {{}}}}\n", encoding="utf-8")
    assert [found.message for found in analyse(file).findings] == ["the space has no path to vary"]


def test_a_base_is_proven_where_it_is_extended(tmp_path: Path) -> None:
    base = tmp_path / "base.yaml"
    base.write_text("search: {space: {train.optimizer.lrr: {uniform: [0.1, 1]}}}\n", encoding="utf-8")
    assert list(analyse(base).findings) == []
    child = tmp_path / "child.yaml"
    child.write_text(f"extends: base.yaml\n{SPEC}", encoding="utf-8")
    assert [found.code for found in analyse(child).findings] == ["SF527"]


def test_a_child_replaces_a_distribution_by_another(tmp_path: Path) -> None:
    base, child = tmp_path / "base.yaml", tmp_path / "child.yaml"
    base.write_text(f"{SPEC}search: {{space: {{train.epochs: {{integers: [1, 4]}}}}}}\n", encoding="utf-8")
    head = "specforge: 1\nname: child\nextends: base.yaml\n"
    child.write_text(f"{head}search: {{trials: 5, space: {{train.epochs: {{choice: [1, 9]}}}}}}\n", encoding="utf-8")
    spec, _ = analyse(child).require()
    assert spec.search is not None
    assert spec.search.trials == 5
    assert spec.search.space["train.epochs"].ends() == (1, 9)


def test_a_setting_reaches_into_the_space(tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(f"{SPEC}search: {{space: {{train.epochs: {{integers: [1, 4]}}}}}}\n", encoding="utf-8")
    analysis = analyse(file, ("search.space.train.epochs={choice: [0, 3]}",))
    assert [f"{found.span} {found.message}" for found in analysis.findings] == [
        "--set:1:37 `train.epochs: 0` is not possible: `epochs` must be at least 1, found `0`"
    ]


def test_the_number_of_ends_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    analysed = []
    found = search._Proof._wrong

    def counted(proof: search._Proof, end: search.End) -> search._Wrong | None:
        analysed.append(end)
        return found(proof, end)

    monkeypatch.setattr(search._Proof, "_wrong", counted)
    told = "SF529 64 of 499 ends of the space are proven; others are when a trial draws them"
    assert said(tmp_path, f"train.epochs: {{choice: {list(range(1, 500))}}}") == [told]
    assert len(analysed) == search.MOST_ENDS
    analysed.clear()
    assert said(tmp_path, "train.epochs: {integers: [1, 4]}\ntrain.batch_size: {choice: [8, 16, 32]}") == []
    assert len(analysed) == 2 + 3 + 2


def test_a_grid_is_of_listed_values(tmp_path: Path) -> None:
    listed = "train.epochs: {integers: [1, 4]}\ntrain.batch_size: {choice: [8, 16]}"
    assert said(tmp_path, listed, more="  sampler: grid\n") == []
    (message,) = said(tmp_path, "train.optimizer.lr: {uniform: [0.1, 1]}", more="  sampler: grid\n")
    assert message.endswith("tries every combination of listed values, and `train.optimizer.lr` is a range")
