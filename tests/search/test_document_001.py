"""The search of document 001, as its spec says it, on generated images."""

from pathlib import Path

from specforge.analysis import analyse
from specforge.search.space import Searched
from tests.search.searches import searched

SPEC = Path(__file__).resolve().parents[2] / "specs" / "optuna_search.yaml"
IMAGES = "data.dataset={synthetic: {image: [3, 32, 32], classes: 100, train: 200, test: 100}}"


def test_its_study_runs(tmp_path: Path) -> None:
    found = searched(SPEC, tmp_path / "out", settings=(IMAGES, "train.epochs=1"), trials=1)
    assert [trial.state for trial in found.found.trials] == ["complete"]
    for trial in found.found.trials:
        assert set(trial.values) == {"train.optimizer", "train.optimizer.lr", "train.batch_size"}
        assert trial.values["train.batch_size"] in ("32", "64", "128")
        assert 1e-5 <= float(trial.values["train.optimizer.lr"]) <= 1e-1
        assert trial.value == trial.curve[max(trial.curve)]  # of the last epoch
    assert found.best is not None
    assert analyse(found.best).findings.has_errors is False


def test_its_study_is_a_hundred_trials_by_the_last_validation_accuracy() -> None:
    search = Searched.read(SPEC).search
    assert (search.trials, search.metric, search.best_direction, search.objective) == (
        100,
        "validation_accuracy",
        "maximize",
        "last",
    )
    assert search.pruning == "none"
