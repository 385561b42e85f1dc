"""Settings of the recipe that exclude each other."""

from pathlib import Path

import pytest

from specforge.analysis import analyse
from tests.checks.recipes import recipe_findings

SNAPSHOTS = "epochs: 10\nsnapshots: {cycles: 5}\n"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schedule", "cosine"),
        ("ema", "{decay: 0.9}"),
        ("early_stopping", "{patience: 2}"),
        ("checkpoint", "best_validation_loss"),
    ],
)
def test_what_snapshots_exclude(tmp_path: Path, key: str, value: str) -> None:
    assert recipe_findings(tmp_path, SNAPSHOTS) == []
    (found,) = recipe_findings(tmp_path, f"{SNAPSHOTS}{key}: {value}")
    assert found == ("SF524", key, f"`{key}` has no place beside `snapshots`")


def test_snapshots_take_the_rate_of_every_group(tmp_path: Path) -> None:
    group = "{select: {path: head}, l2: 0.1}"
    assert recipe_findings(tmp_path, f"{SNAPSHOTS}groups: [{group}]") == []
    (found,) = recipe_findings(
        tmp_path, f"{SNAPSHOTS}groups: [{group}, {{select: {{kind: conv}}, schedule: {{step: 3}}}}]"
    )
    assert found == ("SF524", "{step: 3}", "the schedule of a group has no place beside `snapshots`")


@pytest.mark.parametrize(
    ("epochs", "hint"), [(12, "write `epochs: 10` or `epochs: 15`"), (3, "write `epochs: 5`, or more"), (10, None)]
)
def test_epochs_divide_by_cycles(tmp_path: Path, epochs: int, hint: str | None) -> None:
    keys = SNAPSHOTS.replace("10", str(epochs))
    found = recipe_findings(tmp_path, keys)
    assert found == (
        [("SF524", str(epochs), f"{epochs} epochs do not divide into 5 cycles")] if hint is not None else []
    )
    assert [one.hint for one in analyse(tmp_path / "example.yaml").findings] == ([hint] if hint else [])


def test_a_stage_continues_one_with_the_same_optimizer(tmp_path: Path) -> None:
    same = "stages: [{epochs: 5}, {epochs: 5, continue: true, batch_size: 32}]"
    assert recipe_findings(tmp_path, same) == []
    (first,) = recipe_findings(tmp_path, "stages: [{epochs: 5, continue: true}]")
    assert first == ("SF524", "true", "the first stage has nothing to continue")
    for change in ("optimizer: {sgd: {lr: 0.2}}", "optimizer: adam"):
        (found,) = recipe_findings(tmp_path, same.replace("batch_size: 32", change))
        assert found[:2] == ("SF524", "true")
        assert "this has another" in found[2]
    (groups,) = recipe_findings(tmp_path, same.replace("batch_size: 32", "groups: [{select: {kind: conv}, l2: 0.1}]"))
    assert "this has others" in groups[2]


@pytest.mark.parametrize("optimizer", ["{sgd: {lr: find}}", "{adam: find}"])
def test_no_rate_is_found_for_one_group_alone(tmp_path: Path, optimizer: str) -> None:
    keys = (
        f"epochs: 5\ngroups: [{{select: {{kind: conv}}, l2: 0.1}}, {{select: {{path: head}}, optimizer: {optimizer}}}]"
    )
    (found,) = recipe_findings(tmp_path, keys)
    assert found == ("SF524", "find", "the rate of one group can't be found alone")
    assert recipe_findings(tmp_path, keys, **{"lr: 0.1": "lr: find"}) == []


def test_a_recipe_that_finds_its_rate_may_tell_a_group(tmp_path: Path) -> None:
    keys = "epochs: 5\ngroups: [{select: {path: head}, optimizer: {sgd: {lr: 0.5}}}]"
    assert recipe_findings(tmp_path, keys, **{"lr: 0.1": "lr: find"}) == []


WITHOUT = {"split: {train: 0.9, validation: 0.1}": "split: {train: 1.0}"}


def test_early_stopping_looks_at_the_validation_part(tmp_path: Path) -> None:
    keys = "epochs: 10\nearly_stopping: {patience: 2}"
    assert recipe_findings(tmp_path, keys) == []
    (found,) = recipe_findings(tmp_path, keys, **WITHOUT)
    assert found == ("SF508", "{patience: 2}", "`early_stopping` by `validation_loss` needs a validation part")
    assert recipe_findings(tmp_path, keys.replace("{", "{metric: train_loss, "), **WITHOUT) == []


def test_a_stage_that_inherits_is_told_where_that_is_written(tmp_path: Path) -> None:
    keys = "early_stopping: {patience: 2}\nstages: [{epochs: 9}, {epochs: 9, early_stopping: null}]"
    (found,) = recipe_findings(tmp_path, keys, **WITHOUT)
    assert found[:2] == ("SF508", "{patience: 2}")


def test_the_best_checkpoint_needs_a_validation_part(tmp_path: Path) -> None:
    (found,) = recipe_findings(tmp_path, "epochs: 5\ncheckpoint: best_validation_loss", **WITHOUT)
    assert found[:2] == ("SF508", "best_validation_loss")
