"""A schedule inside a schedule: bound, merged, set, resolved and in the JSON schema like any other choice."""

from pathlib import Path
from typing import Any

import pytest

from specforge.analysis import analyse, choices
from specforge.catalog.definition import Schedule
from specforge.catalog.schedules.cosine import Cosine
from specforge.catalog.schedules.multi_step import MultiStep
from specforge.catalog.schedules.step import Step
from specforge.catalog.schedules.warmup import Warmup
from specforge.resolved import resolve, to_yaml
from specforge.schema import json_schema
from specforge.spec import Spec

SPEC = """\
specforge: 1
name: example
model: {input: [1, 8, 8], layers: [flatten, {linear: 10}]}
data: {dataset: digits}
train:
  epochs: 40
  batch_size: 64
  optimizer: {sgd: {lr: 0.1, momentum: 0.9}}
  schedule: SCHEDULE
  loss: cross_entropy
"""
PARENT = "{warmup: {epochs: 5, schedule: {cosine: {t_max: 35, eta_min: 1e-4}}}}"


def bound(folder: Path, text: str, settings: tuple[str, ...] = ()) -> Spec:
    file = folder / "example.yaml"
    file.write_text(text, encoding="utf-8")
    analysis = analyse(file, settings)
    assert not len(analysis.findings), [found.message for found in analysis.findings]
    assert analysis.spec is not None
    return analysis.spec


def schedule_of(folder: Path, schedule: str, *settings: str) -> Schedule | None:
    train = bound(folder, SPEC.replace("SCHEDULE", schedule), settings).train
    assert train is not None
    return train.schedule


@pytest.mark.parametrize(
    ("written", "schedule"),
    [
        ("{warmup: 5}", Warmup(epochs=5)),
        ("{warmup: {epochs: 5, schedule: cosine}}", Warmup(epochs=5, schedule=Cosine())),
        ("{warmup: {epochs: 5, schedule: {step: 30}}}", Warmup(epochs=5, schedule=Step(step_size=30))),
        ("{warmup: {epochs: 5, schedule: null}}", Warmup(epochs=5)),
        (PARENT, Warmup(epochs=5, schedule=Cosine(t_max=35, eta_min=1e-4))),
    ],
)
def test_is_bound_and_resolved_to_the_same(tmp_path: Path, written: str, schedule: Warmup) -> None:
    spec = bound(tmp_path, SPEC.replace("SCHEDULE", written))
    assert spec.train is not None
    assert spec.train.schedule == schedule
    assert bound(tmp_path, to_yaml(spec)) == spec


@pytest.mark.parametrize(
    ("child", "inner"),
    [
        ("{multi_step: [10, 20]}", MultiStep(milestones=(10, 20))),
        ("cosine", Cosine(t_max=35, eta_min=1e-4)),
        ("{cosine: {t_max: 34}}", Cosine(t_max=34, eta_min=1e-4)),
        ("null", None),
    ],
)
def test_a_child_replaces_another_word_and_merges_the_same(tmp_path: Path, child: str, inner: Schedule | None) -> None:
    (tmp_path / "parent.yaml").write_text(SPEC.replace("SCHEDULE", PARENT), encoding="utf-8")
    text = f"extends: parent.yaml\nspecforge: 1\nname: child\ntrain: {{schedule: {{warmup: {{schedule: {child}}}}}}}\n"
    train = bound(tmp_path, text).train
    assert train is not None
    assert train.schedule == Warmup(epochs=5, schedule=inner)


def test_a_stage_replaces_another_word(tmp_path: Path) -> None:
    stages = "[{epochs: 40}, {epochs: 30, schedule: {warmup: {epochs: 2, schedule: {multi_step: [10, 20]}}}}]"
    text = SPEC.replace("SCHEDULE", PARENT).replace("epochs: 40\n", f"stages: {stages}\n", 1)
    spec = bound(tmp_path, text)
    assert spec.train is not None
    first, second = spec.train.stages
    assert first.schedule == spec.train.schedule
    assert second.schedule == Warmup(epochs=2, schedule=MultiStep(milestones=(10, 20)))
    assert bound(tmp_path, to_yaml(spec)) == spec


@pytest.mark.parametrize(
    "path", ["train.schedule.warmup.schedule.cosine.t_max", "train.schedule.warmup.schedule.t_max"]
)
def test_is_set_from_the_command_line(tmp_path: Path, path: str) -> None:
    found = schedule_of(tmp_path, PARENT, f"{path}=34")
    assert found == Warmup(epochs=5, schedule=Cosine(t_max=34, eta_min=1e-4))
    assert schedule_of(tmp_path, "{warmup: 5}", "train.schedule.schedule=cosine") == Warmup(epochs=5, schedule=Cosine())


def test_the_paths_of_choices_lead_into_words() -> None:
    found = choices()
    assert found["train", "schedule", "warmup", "schedule"]("step") == "step_size"
    assert found["train", "stages", "*", "schedule", "warmup", "schedule"]("step") == "step_size"
    for path in (
        ("train", "schedule", "warmup", "epochs"),
        ("train", "schedule", "cosine", "schedule"),
        ("train", "schedule", "no_such_word", "schedule"),
        ("train", "warmup", "schedule"),
        ("schedule",),
    ):
        assert path not in found


def test_the_schema_has_it() -> None:
    definitions: dict[str, Any] = json_schema()["definitions"]
    inner = definitions["schedules.warmup"]["properties"]["schedule"]
    assert inner["$ref"] == "#/definitions/schedules"


def test_defaults_are_left_out(tmp_path: Path) -> None:
    spec = bound(tmp_path, SPEC.replace("SCHEDULE", "{warmup: {epochs: 5, start_factor: 0.01, schedule: cosine}}"))
    assert resolve(spec)["train"]["schedule"] == {"warmup": {"epochs": 5, "schedule": "cosine"}}
