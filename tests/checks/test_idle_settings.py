"""Settings of the recipe that change nothing."""

from pathlib import Path

import pytest

from tests.checks.recipes import recipe_findings


@pytest.mark.parametrize(("patience", "is_idle"), [(8, False), (9, True), (10, True)])
def test_patience_beyond_the_run(tmp_path: Path, patience: int, is_idle: bool) -> None:
    """The tenth epoch is the ninth without improvement at the most, and then the run is over."""
    found = recipe_findings(tmp_path, f"epochs: 10\nearly_stopping: {{patience: {patience}}}")
    message = f"a `patience` of {patience} epochs ends nothing early: there are 10"
    assert found == ([("SF505", str(patience), message)] if is_idle else [])


def test_the_default_patience_is_pointed_at_where_it_is_asked_for(tmp_path: Path) -> None:
    (found,) = recipe_findings(tmp_path, "stages: [{epochs: 50}, {epochs: 5}]\nearly_stopping: {min_delta: 0.1}")
    assert found == ("SF505", "{min_delta: 0.1}", "a `patience` of 10 epochs ends nothing early: there are 5")


def test_checkpoints_that_are_never_kept(tmp_path: Path) -> None:
    assert recipe_findings(tmp_path, "stages: [{epochs: 5}, {epochs: 5}]\nkeep_every: 10") == []
    (found,) = recipe_findings(tmp_path, "stages: [{epochs: 5}, {epochs: 5}]\nkeep_every: 11")
    assert found == ("SF505", "11", "no checkpoint is kept after 11 epochs: the run has 10")


def test_a_group_that_says_nothing(tmp_path: Path) -> None:
    (found,) = recipe_findings(tmp_path, "epochs: 5\ngroups: [{select: {path: head}}]")
    assert found[::2] == ("SF505", "this group says nothing but what it selects")


def test_a_group_that_spares_its_parameters_from_the_next(tmp_path: Path) -> None:
    groups = "[{select: {path: head}}, {select: {parameter: bias}, l2: 0.1}]"
    assert recipe_findings(tmp_path, f"epochs: 5\ngroups: {groups}") == []
    elsewhere = groups.replace("parameter: bias", "path: backbone")
    (found,) = recipe_findings(tmp_path, f"epochs: 5\ngroups: {elsewhere}")
    assert found[0] == "SF505"


def test_statistics_of_norms_that_are_not_frozen(tmp_path: Path) -> None:
    keys = "stages: [{epochs: 5, freeze: FROZEN, frozen_statistics: update}]"
    assert recipe_findings(tmp_path, keys.replace("FROZEN", "backbone")) == []
    (found,) = recipe_findings(tmp_path, keys.replace("FROZEN", "head"))
    assert found == ("SF505", "update", "no batch norm is frozen in this stage")
    still = {"- batch_norm": "- {batch_norm: , trainable: false}"}
    assert recipe_findings(tmp_path, keys.replace("FROZEN", "head"), **still) == []


def test_what_was_frozen_before_counts(tmp_path: Path) -> None:
    keys = "stages: [{epochs: 5, freeze: backbone}, {epochs: 5, frozen_statistics: update}]"
    assert recipe_findings(tmp_path, keys) == []
