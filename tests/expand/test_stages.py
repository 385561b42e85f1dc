"""Stages and groups take over what they do not say."""

from pathlib import Path

import pytest

from specforge import load
from specforge.binding import plain
from specforge.resolved import spec_hash, to_yaml
from specforge.source import Mapping
from tests.expand.trees import tree_of

RECIPE = """
train:
  batch_size: 64
  optimizer: {adam: {lr: 1e-3, eps: 1e-7}}
  schedule: cosine
  loss: cross_entropy
  checkpoint: last
"""


def train_of(text: str, settings: tuple[str, ...] = ()) -> dict[str, object]:
    train = tree_of(RECIPE + text, settings).get("train")
    assert isinstance(train, Mapping)
    found = plain(train)
    assert isinstance(found, dict)
    return found


def test_a_stage_is_laid_over_the_recipe() -> None:
    first, second = train_of("""
  stages:
    - {epochs: 5, optimizer: {adam: 1e-5}}
    - {epochs: 9, schedule: null, batch_size: 32}
""")["stages"]  # type: ignore[misc]  # a tuple of two
    assert first["optimizer"] == {"adam": {"lr": 1e-5, "eps": 1e-7}}
    assert first["schedule"] == "cosine"
    assert second["optimizer"] == {"adam": {"lr": 1e-3, "eps": 1e-7}}, "never over the stage before"
    assert second["batch_size"] == 32
    assert "schedule" not in second
    assert "checkpoint" not in first, "the policy is one for the whole run"


def test_another_optimizer_takes_nothing_over() -> None:
    (stage,) = train_of("\n  stages: [{epochs: 5, optimizer: {sgd: 0.1}}]")["stages"]  # type: ignore[misc]  # a tuple
    assert stage["optimizer"] == {"sgd": 0.1}


def test_a_group_is_laid_over_the_optimizer_of_its_recipe() -> None:
    train = train_of("""
  groups: [{select: {parameter: bias}, optimizer: {adam: {weight_decay: 0.1}}}]
  stages: [{epochs: 5, optimizer: {adam: {lr: 1e-5}}}]
""")
    (group,) = train["groups"]  # type: ignore[misc]  # a tuple of one
    (in_stage,) = train["stages"][0]["groups"]  # type: ignore[index]  # a tuple of one
    assert group["optimizer"] == {"adam": {"lr": 1e-3, "eps": 1e-7, "weight_decay": 0.1}}
    assert in_stage["optimizer"] == {"adam": {"lr": 1e-5, "eps": 1e-7, "weight_decay": 0.1}}


def test_settings_reach_into_a_stage_and_into_the_recipe_of_all() -> None:
    text = "\n  stages: [{epochs: 5}, {epochs: 9, optimizer: {adam: 1e-5}}]"
    settings = ("train.stages.0.epochs=1", "train.stages.1.optimizer.lr=0.5", "train.batch_size=8")
    first, second = train_of(text, settings)["stages"]  # type: ignore[misc]  # a tuple of two
    assert (first["epochs"], first["batch_size"], second["batch_size"]) == (1, 8, 8)
    assert second["optimizer"] == {"adam": {"lr": 0.5, "eps": 1e-7}}


SPEC = """
specforge: 1
name: staged
model: {input: [1, 8, 8], layers: [flatten, {linear: 10}]}
data: {dataset: digits}
train:
  batch_size: 64
  optimizer: {adam: {lr: 1e-3, eps: 1e-7}}
  schedule: cosine
  loss: cross_entropy
  l2: 0.1
  groups:
    - {select: {parameter: bias}, optimizer: {adam: {weight_decay: 0.1, eps: 1e-8}}}
    - {select: {kind: linear}, l2: 0.5}
"""
STAGES = """
  stages:
    - {epochs: 5, schedule: null, l2: 0, freeze: {parameter: bias}}
    - {epochs: 3, unfreeze: all, optimizer: {adam: {eps: 1e-8}}}
    - {epochs: 2, optimizer: {sgd: 0.1}, groups: []}
"""


@pytest.mark.parametrize("text", [f"{SPEC}  epochs: 4", SPEC + STAGES])
def test_what_is_resolved_resolves_to_itself(tmp_path: Path, text: str) -> None:
    written, resolved = tmp_path / "a.yaml", tmp_path / "b.yaml"
    written.write_text(text)
    resolved.write_text(to_yaml(load(written)))
    assert load(resolved).train == load(written).train
    assert to_yaml(load(resolved)) == resolved.read_text()
    assert spec_hash(load(resolved)) == spec_hash(load(written))
