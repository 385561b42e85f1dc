"""`--set path=value`: the same paths as the spec's keys, and mistakes located in the text of the setting."""

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from specforge.analysis import analyse
from specforge.binding import plain

SPEC = """
    specforge: 1
    name: lab_$(len(rates))
    params: {width: 8, rates: [0.1, 0.2]}
    model:
      input: [3, 32, 32]
      layers: [global_avg_pool, {linear: $width}, relu, {linear: 10}]
    data: {dataset: cifar10}
    train: {epochs: 40, batch_size: 64, optimizer: {adam: {lr: 1e-3}}, schedule: {step: 30}, loss: cross_entropy}
"""


def found_in(folder: Path, *settings: str, spec: str = SPEC) -> list[tuple[str, str, str | None]]:
    """Place, message and hint of every finding."""
    file = folder / "lab.yaml"
    file.write_text(dedent(spec).lstrip())
    return [
        (str(found.span).replace(f"{folder}/", ""), found.message, found.hint)
        for found in analyse(file, settings).findings
    ]


def value_at(folder: Path, path: str, *settings: str) -> Any:
    file = folder / "lab.yaml"
    file.write_text(dedent(SPEC))
    analysis = analyse(file, settings)
    assert [found.message for found in analysis.findings if found.severity == "error"] == []
    assert analysis.expanded is not None
    value = plain(analysis.expanded.tree)
    for step in path.split("."):
        value = value[step]
    return value


@pytest.mark.parametrize(
    ("setting", "path", "expected"),
    [
        ("train.epochs=5", "train.epochs", 5),
        ("train.epochs= 5", "train.epochs", 5),
        ("train.seed=7", "train.seed", 7),
        ("train.optimizer.lr=0.1", "train.optimizer.adam.lr", 0.1),
        ("train.optimizer.adam.lr=0.1", "train.optimizer.adam.lr", 0.1),
        ("train.optimizer.eps=1e-7", "train.optimizer.adam.eps", 1e-7),
        ("train.optimizer=sgd", "train.optimizer", "sgd"),
        ("train.optimizer={sgd: {lr: 0.1}}", "train.optimizer.sgd.lr", 0.1),
        ("train.loss.label_smoothing=0.1", "train.loss.cross_entropy.label_smoothing", 0.1),
        ("train.schedule.gamma=0.1", "train.schedule.step", {"step_size": 30, "gamma": 0.1}),
        ("train.schedule.step_size=20", "train.schedule.step.step_size", 20),
        ("data.split.validation=0.1", "data.split.validation", 0.1),
        ("data.split={train: 0.9, validation: 0.1}", "data.split.train", 0.9),
        ("params.width=16", "model.layers", 16),
        ("name=other", "name", "other"),
        ("description=a=b", "description", "a=b"),
        ("description='12'", "description", "12"),
        ("description=$width wide", "description", "8 wide"),
        ("model.layers=[global_avg_pool, {linear: 10}]", "model.layers", 10),
    ],
)
def test_a_setting_is_a_value_at_a_path(setting: str, path: str, expected: Any, tmp_path: Path) -> None:
    extra = ("data.split.train=0.9",) if "split.validation" in setting else ()
    found = value_at(tmp_path, path, setting, *extra)
    assert (found[1]["linear"] if path == "model.layers" else found) == expected


def test_settings_apply_in_order(tmp_path: Path) -> None:
    assert value_at(tmp_path, "train.epochs", "train.epochs=5", "train.epochs=6") == 6


def test_null_and_nothing_remove(tmp_path: Path) -> None:
    for setting in ("train.schedule=null", "train.schedule=", "train.schedule=~"):
        assert "schedule" not in value_at(tmp_path, "train", setting)


@pytest.mark.parametrize(
    ("setting", "place", "message", "hint"),
    [
        ("train.epochs", "--set:1:1", "`train.epochs` is not `path=value`", "write `--set train.epochs=5`"),
        ("=5", "--set:1:1", "`=5` is not `path=value`", "write `--set train.epochs=5`"),
        ("train..epochs=5", "--set:1:1", "`train..epochs=5` is not `path=value`", "write `--set train.epochs=5`"),
        ("trian.epochs=5", "--set:1:1", "the spec has no `trian`", "did you mean `train`?"),
        ("train.epoch=5", "--set:1:7", "`train` has no `epoch`", "did you mean `epochs`?"),
        ("train.epoch=null", "--set:1:7", "`train` has no `epoch`", "did you mean `epochs`?"),
        ("train.epochs=many", "--set:1:14", "`epochs` must be a whole number, found the text `many`", None),
        ("train.epochs=0", "--set:1:14", "`epochs` must be at least 1, found `0`", None),
        (
            "train.epochs=[",
            "--set:1:15",
            "the text ends where a value must follow",
            "write the value, and close brackets",
        ),
        ("train.optimizer.learning_rate=1", "--set:1:17", "`adam` has no `learning_rate`", "specforge calls it `lr`"),
        (
            "train.optimizer.sgd.lr=0.1",
            "--set:1:17",
            "`adam` has no `sgd`",
            "`sgd` is not an argument but another optimizer: write it instead",
        ),
        ("train.optimizer=adma", "--set:1:17", "unknown optimizer `adma`", "did you mean `adam`?"),
        (
            "train.epochs.first=1",
            "--set:1:14",
            "`train.epochs` is a single value: there is no `first` below it",
            "set `train.epochs` as a whole",
        ),
        (
            "model.layers.9=relu",
            "--set:1:14",
            "`model.layers` is a list of 4: there is no `9` in it",
            "entries are counted from 0: `model.layers.3` is the last",
        ),
        (
            "extends=base.yaml",
            "--set:1:1",
            "`extends` comes before settings are applied, so it can't be set",
            "write it in a file that extends this one",
        ),
        ("edit=[]", "--set:1:1", "`edit` comes before settings are applied, so it can't be set", None),
        ("include.x=[]", "--set:1:1", "`include` comes before settings are applied, so it can't be set", None),
        ("params.widht=16", "--set:1:8", "the spec has no param `widht`", "did you mean `width`?"),
        ("params.k=16", "--set:1:8", "the spec has no param `k`", "expected one of `rates`, `width`"),
        ("model.layers=[relu, {covn: 3}]", "--set:1:22", "unknown layer or block `covn`", "did you mean `conv`?"),
        ("name=!!python/none", "--set:1:6", "the tag `!!python/none` is not allowed: a spec is data only", None),
        ("name=# 3", "--set:1:6", "a value that starts with `#` is a comment", None),
        ("name=\udcff", "--set:1:6", "the character U+DCFF can't stand in YAML", None),
    ],
)
def test_a_mistake_is_located_in_the_setting(
    setting: str, place: str, message: str, hint: str | None, tmp_path: Path
) -> None:
    found = found_in(tmp_path, setting)
    assert (place, message) == found[0][:2]
    assert hint is None or hint == found[0][2]
    assert len(found) == 1


def test_the_i_th_setting_is_the_i_th_line(tmp_path: Path) -> None:
    found = found_in(tmp_path, "train.epochs=5", "train.epoch=6", "train.seed=x")
    assert [place for place, _, _ in found] == ["--set:2:7", "--set:3:12"]


def test_a_choice_that_is_an_expression_has_no_arguments(tmp_path: Path) -> None:
    spec = SPEC.replace("{adam: {lr: 1e-3}}", "$best").replace("params: {", "params: {best: adam, ")
    ((place, message, _),) = found_in(tmp_path, "train.optimizer.lr=0.1", spec=spec)
    assert (place, message) == ("--set:1:17", "`train.optimizer` is an expression: there is no `lr` below it")


def test_arguments_that_are_an_expression_have_no_names(tmp_path: Path) -> None:
    spec = SPEC.replace("{adam: {lr: 1e-3}}", '{adam: "$(rates[0])"}')
    ((place, message, _),) = found_in(tmp_path, "train.optimizer.eps=0.1", spec=spec)
    assert (place, message) == (
        "--set:1:17",
        "`train.optimizer` is written without argument names, as `adam: …`: there is no `eps` below it",
    )


def test_what_a_setting_makes_needless_is_no_finding(tmp_path: Path) -> None:
    assert found_in(tmp_path, "model.layers=[global_avg_pool, {linear: 10}]") == []


def test_a_number_that_is_too_large_is_one_finding(tmp_path: Path) -> None:
    for path in ("train.epochs", "train.optimizer.lr", "name"):
        assert [message for _, message, _ in found_in(tmp_path, f"{path}={'9' * 30}")] == [f"`{'9' * 30}` is too large"]


def test_a_spec_without_params_has_none_to_set(tmp_path: Path) -> None:
    spec = SPEC.replace("params: {width: 8, rates: [0.1, 0.2]}", "description: none").replace("$width", "8")
    spec = spec.replace("lab_$(len(rates))", "lab")
    ((place, message, _),) = found_in(tmp_path, "params.width=3", spec=spec)
    assert (place, message) == ("--set:1:8", "the spec has no param `width`")


def test_what_a_setting_makes_wrong_is_told_where_the_setting_stands(tmp_path: Path) -> None:
    ((place, message, _),) = found_in(tmp_path, "data.dataset=cifar100")
    assert place == "lab.yaml:6:54"
    assert message == "the network gives [10], `cifar100` has 100 classes"
