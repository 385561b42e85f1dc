"""The weights of runs, and what must be known to ask them."""

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
import safetensors.torch
import torch

from specforge.catalog.datasets.definition import DataError
from specforge.prediction import PredictionError, open_model, open_trained
from specforge.training.errors import TrainingError
from tests.damaged_runs import harm
from tests.trained_runs import NOWHERE, trained

RunOf = Callable[[str], Path]


def test_the_weights_are_those_that_were_tested(run_of: RunOf) -> None:
    for name in ("digits", "averaged"):
        run = run_of(name)
        weights = safetensors.torch.load_file(run / json.loads((run / "result.json").read_text())["weights"])
        (state,) = trained(run).states
        assert state.keys() == weights.keys()
        assert all(torch.equal(state[key], weights[key]) for key in weights)


def test_the_card_says_which_they_are(run_of: RunOf) -> None:
    assert trained(run_of("plain")).card.tested == "weights of epoch 2"
    assert trained(run_of("averaged")).card.tested == "averaged weights of epoch 2"
    assert trained(run_of("ensemble")).card.tested == "ensemble of epochs 2, 4"
    for name in ("plain", "averaged", "ensemble"):
        result = json.loads((run_of(name) / "result.json").read_text())
        assert str(result["tested_epoch"]) in (trained(run_of(name)).card.tested or "")


def test_measured_statistics_are_remembered_by_the_result(run_of: RunOf, tmp_path: Path) -> None:
    run = run_of("digits")
    remembered = json.loads((run / "result.json").read_text())["normalization"]
    card = trained(run).card
    assert card.normalization is not None
    assert [*card.normalization.mean] == remembered["mean"]
    assert [*card.normalization.std] == remembered["std"]


def test_a_result_of_before_is_completed_from_the_data(run_of: RunOf, tmp_path: Path) -> None:
    run = Path(copytree(run_of("digits"), tmp_path / "run"))
    (run / "checksums.json").unlink()
    result = json.loads((run / "result.json").read_text())
    del result["normalization"]
    (run / "result.json").write_text(json.dumps(result))
    # measured anew, to the last bit
    assert trained(run).card == trained(run_of("digits")).card
    assert trained(run).notes == ()


def test_a_run_without_a_result_is_asked_as_it_stands_and_reads_its_data(run_of: RunOf, tmp_path: Path) -> None:
    run = Path(copytree(run_of("digits"), tmp_path / "run"))
    (run / "result.json").unlink()
    found = trained(run)
    assert found.card == trained(run_of("digits")).card
    assert "no result yet" in found.notes[0]


def test_data_that_is_needed_and_missing_is_an_error(run_of: RunOf, tmp_path: Path) -> None:
    run = Path(copytree(run_of("plain"), tmp_path / "run"))
    (run / "result.json").unlink()
    text = (run / "spec.yaml").read_text()
    (run / "spec.yaml").write_text(
        text.replace(text[text.index("  dataset:") :].splitlines()[0], "  dataset: {npz: {path: gone.npz}}")
    )
    (run / "checksums.json").unlink()
    with pytest.raises(DataError, match=r"gone\.npz"):
        trained(run)


def test_damage_is_named(run_of: RunOf, tmp_path: Path) -> None:
    run = Path(copytree(run_of("plain"), tmp_path / "run"))
    harm(run, "checkpoints/epoch-0002/weights.safetensors", "flip")
    with pytest.raises(TrainingError, match=r"epoch 2 cannot be tested.*weights\.safetensors"):
        trained(run)
    harm(run, "spec.yaml", "cut")
    with pytest.raises(TrainingError, match=r"spec\.yaml is damaged"):
        trained(run)


def test_a_result_that_somebody_has_written_is_not_believed(run_of: RunOf, tmp_path: Path) -> None:
    run = Path(copytree(run_of("plain"), tmp_path / "run"))
    (run / "checksums.json").unlink()
    result = json.loads((run / "result.json").read_text())
    for changes, message in (
        ({"normalization": {"mean": ["x"], "std": [1]}}, "normalization"),
        ({"normalization": {"mean": [0.0], "std": [1.0]}}, "number of channels"),
        ({"per_class": result["per_class"][:3]}, "3 classes"),
        ({"per_class": [{**entry, "name": ["a"]} for entry in result["per_class"]]}, "class_names"),
    ):
        (run / "result.json").write_text(json.dumps({**result, **changes}))
        with pytest.raises(PredictionError, match=message):
            trained(run)


def test_what_has_no_weights_says_what_to_give(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("specforge: 1\n")
    for name, message in (("a.yaml", "is a spec, which has no weights"), ("gone", "is not there")):
        with pytest.raises(PredictionError, match=message) as caught:
            open_model(tmp_path / name, data_dir=NOWHERE)
        assert caught.value.hint
    with pytest.raises(TrainingError, match="is not a run"):
        open_trained(tmp_path, data_dir=NOWHERE)
