"""Reading a finished run: every number from its files, and nothing from a folder that is not whole."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from specforge.diagnostics import SpecError
from specforge.reproduction.errors import ReproductionError
from specforge.reproduction.finished import meaning, measure
from tests.reproduction.conftest import MakeRun


def test_every_number_is_that_of_the_files(make_run: MakeRun) -> None:
    found = measure(make_run(), seed=3, spec_hash="f" * 64, settings=("a=b",))
    assert found.model_dump(mode="json") == {
        "seed": 3,
        "settings": ["a=b"],
        "spec_hash": "f" * 64,
        "epochs": 2,
        "test_accuracy": 0.9125,
        "test_top5_accuracy": 0.99,
        "test_loss": 0.30000000000000004,
        "tested_epoch": 1,
        "seconds": 12.5,
        "dataset": "digits",
        "hardware": {"device": "cpu", "name": "a processor", "threads": 2},
        "versions": {"specforge": "0.0.9", "torch": "2.11.0", "python": "3.12.3"},
        "date": "2026-01-31",
    }


def test_what_other_versions_write_beside_it_does_not_matter(make_run: MakeRun) -> None:
    folder = make_run(result={"members": [1, 2], "tested_epoch": None}, environment={"cuda": "13.0", "spec_hash": None})
    assert measure(folder, seed=0, spec_hash="").tested_epoch is None


def _without(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def _with(name: str, content: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(content)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_without("result.json"), "is not finished: it has no result.json"),
        (_without("environment.json"), "is not a run"),
        (_without("metrics.jsonl"), r"metrics\.jsonl is missing"),
        (_with("metrics.jsonl", "\n"), "has no epoch"),
        (_with("result.json", "{"), "result.json is damaged: it is not JSON"),
        (_with("result.json", '{"test_loss": 1}'), "result.json is damaged: `test_accuracy`: field required"),
        (_with("environment.json", "[]"), "environment.json is damaged"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused(
    make_run: MakeRun, damage: Callable[[Path], object], message: str
) -> None:
    folder = make_run()
    damage(folder)
    with pytest.raises(ReproductionError, match=message) as raised:
        measure(folder, seed=0, spec_hash="")
    assert raised.value.hint


@pytest.mark.parametrize("accuracy", [1.5, -0.1, float("nan"), None])
def test_an_impossible_accuracy_is_refused(make_run: MakeRun, accuracy: float | None) -> None:
    folder = make_run()
    record = json.loads((folder / "result.json").read_text())
    (folder / "result.json").write_text(json.dumps({**record, "test_accuracy": accuracy}))
    with pytest.raises(ReproductionError, match="`test_accuracy`"):
        measure(folder, seed=0, spec_hash="")


def test_a_result_that_was_put_into_another_run_is_refused(make_run: MakeRun) -> None:
    folder = make_run(result={"spec_hash": "of another"})
    with pytest.raises(ReproductionError, match="of another run"):
        measure(folder, seed=0, spec_hash="")


def test_runs_that_differ_by_the_seed_mean_the_same(specs: Path) -> None:
    own, seeded, longer = (
        meaning(specs / "tiny.yaml", settings) for settings in ((), ("train.seed=7",), ("train.epochs=3",))
    )
    assert (own.seed, seeded.seed) == (0, 7)
    assert seeded.spec_hash == own.spec_hash
    assert longer.spec_hash != own.spec_hash


def test_a_network_alone_has_nothing_to_train(specs: Path) -> None:
    with pytest.raises(SpecError, match="SF601"):
        meaning(specs / "zoo" / "line.yaml")
