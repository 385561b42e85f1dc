"""Searches from start to result: the same seed, going on, conditions, invalid combinations, pruning, what is kept."""

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from specforge import experiment
from specforge.analysis import analyse
from specforge.diagnostics import SpecError
from specforge.resolved import spec_hash
from specforge.search import parallel
from specforge.search.errors import Complete, SearchError
from specforge.search.owners import Owners
from specforge.search.run import Opened, Request, search
from specforge.search.trial import Training
from specforge.search.worker import Worker
from tests.search.searches import SPEC, drawn, reached, searched, written


def test_the_same_seed_gives_the_same_trials_and_another_one_others(tmp_path: Path) -> None:
    file = written(tmp_path, trials=4)
    first, again = searched(file, tmp_path / "a"), searched(file, tmp_path / "b")
    assert drawn(first) == drawn(again)
    assert reached(first) == reached(again)
    other = searched(written(tmp_path, trials=2, seed=1), tmp_path / "c")
    assert drawn(other) != drawn(first)[:2]


def test_a_search_that_goes_on_has_the_trials_of_one_that_was_not_interrupted(tmp_path: Path) -> None:
    file = written(tmp_path, trials=12, spec=SPEC.replace("epochs: 2", "epochs: 1"))
    whole = searched(file, tmp_path / "whole")
    for trials in (11, 12):  # the sampler looks back from the eleventh on
        parts = searched(file, tmp_path / "parts", trials=trials, resume=True)
        assert len(parts.found.settled) == trials
    assert drawn(parts) == drawn(whole)
    assert reached(parts) == reached(whole)


def test_a_value_is_drawn_only_where_its_word_is_chosen(tmp_path: Path) -> None:
    found = searched(written(tmp_path, trials=5, sampler="random"), tmp_path / "out").found
    words = {"sgd" if "sgd" in trial.values["train.optimizer"] else "adam" for trial in found.trials}
    assert words == {"adam", "sgd"}
    for trial in found.trials:
        is_sgd = "sgd" in trial.values["train.optimizer"]
        assert ("train.optimizer.sgd.momentum" in trial.values) == is_sgd
        spec = yaml.safe_load((tmp_path / "out" / "trials" / f"{trial.number:04}" / "spec.yaml").read_text())
        (word, arguments), *_ = spec["train"]["optimizer"].items()
        assert word == ("sgd" if is_sgd else "adam")
        assert arguments["lr"] == pytest.approx(float(trial.values["train.optimizer.lr"]), rel=1e-15)


def test_the_result_is_a_spec_that_repeats_the_best_trial(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    file = written(tmp_path / "specs", trials=3)
    finished = searched(file, tmp_path / "out", settings=("train.epochs=3",))
    best = finished.found.best
    assert best is not None
    assert finished.best == tmp_path / "out" / "best.yaml"
    content = yaml.safe_load(finished.best.read_text())
    assert content["extends"] == "../specs/tiny.yaml"
    assert content["train"]["epochs"] == 3  # what `--set` said is in the result
    assert analyse(finished.best).findings.has_errors is False
    again = experiment.train(finished.best, out=tmp_path / "again")
    lines = (tmp_path / "again" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["validation_accuracy"] == best.value
    assert again.result.test_accuracy == best.test_accuracy
    run = analyse(tmp_path / "out" / "trials" / str(best.run) / "spec.yaml").spec
    written_spec = analyse(finished.best).spec
    assert run is not None
    assert written_spec is not None
    assert spec_hash(run) == spec_hash(written_spec)


@pytest.mark.parametrize(
    "space",
    [
        "train.optimizer: {choice: [{adam: {eps: 1e-7}}]}",  # a bare word whose arguments must go
        "train.schedule: {choice: [cosine]}",
        "model.layers: {choice: [[flatten, {linear: 10}]]}",
        "model.layers.2: {choice: [{linear: 16}]}",
        "data.augment: {choice: [[{crop: 1}, horizontal_flip]]}",
        "params.width: {choice: [$(2 * 6)]}",
        "data.split.seed: {choice: [7]}",
        "train.optimizer.lr: {choice: [null]}",
        "train.l2: {choice: [1e-4]}",
    ],
)
def test_every_kind_of_value_comes_back_from_the_result(tmp_path: Path, space: str) -> None:
    spec = SPEC.replace("optimizer: adam", "optimizer: {adam: {lr: 2e-3}}").replace("epochs: 2", "epochs: 1")
    spec = spec.replace("accept: {", "accept: {augmentation-changes-class: tests, ")
    finished = searched(written(tmp_path, space=space, spec=spec, trials=1), tmp_path / "out")
    assert finished.best is not None
    assert "extends: ../tiny.yaml" in finished.best.read_text()
    assert analyse(finished.best).findings.has_errors is False


def test_ends_are_proven_before_anything_is_trained(tmp_path: Path) -> None:
    space = "train.optimizer: {choice: [{sgd: {nesterov: true, momentum: 0.9}}]}\n"
    space += "train.optimizer.sgd.momentum: {choice: [0.9, 0.0]}"
    with pytest.raises(SpecError, match="nesterov"):
        searched(written(tmp_path, space=space), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_invalid_combination_is_recorded_with_its_finding(tmp_path: Path) -> None:
    space = "params.width: {integers: [1, 5]}"  # both ends are sound
    spec = SPEC.replace("linear: $width", "linear: $(0 if width == 3 else width)").replace("epochs: 2", "epochs: 1")
    found = searched(written(tmp_path, space=space, spec=spec, sampler="grid"), tmp_path / "out").found
    states = [trial.state for trial in found.trials]
    assert states == ["complete"] * 2 + ["invalid"] + ["complete"] * 2
    assert "SF3" in str(found.trials[2].reason)
    record = json.loads((tmp_path / "out" / "search.json").read_text())
    assert record["trials"][2]["reason"] == found.trials[2].reason


def test_a_trial_that_diverges_has_failed_and_the_search_goes_on(tmp_path: Path) -> None:
    space = "train.optimizer: {choice: [adam, {sgd: {lr: 1e17}}]}"
    spec = SPEC.replace("relu, ", "")  # one that is dead learns nothing, and nothing diverges
    found = searched(written(tmp_path, space=space, spec=spec, sampler="grid"), tmp_path / "out").found
    assert [trial.state for trial in found.trials] == ["complete", "failed"]
    assert found.trials[1].reason


def test_a_grid_tries_every_combination_once(tmp_path: Path) -> None:
    space = "train.optimizer: {choice: [adam, {sgd: {momentum: 0.9}}]}\ntrain.batch_size: {choice: [32, 64]}\n"
    space += "train.optimizer.sgd.momentum: {choice: [0.5, 0.9]}"
    file = written(tmp_path, space=space, sampler="grid", spec=SPEC.replace("epochs: 2", "epochs: 1"))
    finished = searched(file, tmp_path / "out")
    assert finished.found.budget == 2 + 2 * 2
    assert len({tuple(values.items()) for values in drawn(finished)}) == 6 == len(finished.found.settled)


@pytest.mark.parametrize("pruning", ["median", "asha"])
def test_pruning_ends_trials_that_are_worse(tmp_path: Path, pruning: str) -> None:
    space = "train.optimizer.lr: {choice: [1e-2, 2e-2, 1.1e-2, 1.2e-2, 1.3e-2, 1e-7, 2e-7, 3e-7]}"
    spec = SPEC.replace("epochs: 2", "epochs: 6")
    file = written(tmp_path, space=space, spec=spec, sampler="grid", pruning=pruning, objective="best")
    found = searched(file, tmp_path / "out").found
    bad = found.trials[5:]
    assert {trial.state for trial in bad} == {"pruned"}
    for trial in bad:
        assert len(trial.curve) < 6
        run = tmp_path / "out" / "trials" / f"{trial.number:04}"
        assert len((run / "metrics.jsonl").read_text().splitlines()) == len(trial.curve)
        assert not (run / "checkpoints").exists()
    assert found.best is not None
    assert found.best.value == max(max(trial.curve.values()) for trial in found.trials if trial.state == "complete")


def test_without_pruning_every_trial_is_trained_to_its_end(tmp_path: Path) -> None:
    space = "train.optimizer.lr: {choice: [1e-2, 2e-2, 1.1e-2, 1.2e-2, 1.3e-2, 1e-7]}"
    found = searched(written(tmp_path, space=space, sampler="grid"), tmp_path / "out").found
    assert {(trial.state, len(trial.curve)) for trial in found.trials} == {("complete", 2)}


def test_the_weights_of_the_best_trials_are_kept_alone(tmp_path: Path) -> None:
    for keep in (0, 2):
        finished = searched(written(tmp_path, trials=4, keep=keep), tmp_path / f"keep-{keep}")
        ranked = sorted(finished.found.trials, key=lambda trial: (-(trial.value or 0), trial.number))
        with_weights = {path.parent.name for path in (tmp_path / f"keep-{keep}").glob("trials/*/checkpoints")}
        assert with_weights == {f"{trial.number:04}" for trial in ranked[:keep]}
        assert len(list((tmp_path / f"keep-{keep}").glob("trials/*/report.html"))) == 4


def test_a_loss_is_minimised(tmp_path: Path) -> None:
    found = searched(written(tmp_path, trials=3, metric="validation_loss"), tmp_path / "out").found
    assert found.best is not None
    assert found.best.value == min(trial.value for trial in found.trials if trial.value is not None)


def test_the_time_ends_a_search_that_can_go_on(tmp_path: Path) -> None:
    file = written(tmp_path, trials=3)
    late = searched(file, tmp_path / "out", seconds=1e-9)
    assert (late.found.settled, late.found.left, late.is_time_up) == ((), 3, True)
    whole = searched(file, tmp_path / "out", resume=True, seconds=1e9)
    assert (len(whole.found.settled), whole.found.left, whole.is_time_up) == (3, 0, False)
    assert (whole.found.progress, replace(whole.found, budget=1).progress) == ("3 of 3 trials", "3 trials")


def test_trials_that_end_while_workers_stop_are_told_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = written(tmp_path, trials=2, spec=SPEC.replace("epochs: 2", "epochs: 1")), tmp_path / "out"

    class Crew:
        def __init__(self, request: Request, opened: Opened, deadline: None, tell: object):
            owners = Owners.of(opened.place, opened.folder)
            self.worker = Worker(opened.study, opened.searched, opened.place, owners, Training(out), opened.budget)

        def __enter__(self) -> "Crew":
            return self

        def is_busy(self) -> bool:
            signal.raise_signal(signal.SIGINT)
            return True

        def __exit__(self, *_: object) -> None:
            self.worker.run()

    monkeypatch.setattr(parallel, "_Crew", Crew)
    said: list[str] = []
    with pytest.raises(Complete) as interrupted:
        search(Request(str(file), out=out, workers=2), tell=said.append)
    assert (interrupted.value.ended, interrupted.value.run, interrupted.value.exit_code) == (2, out, 130)
    assert [line[:9] for line in said[1:]] == ["trial 1/2", "trial 2/2"]
    assert (out / "best.yaml").is_file()


def test_a_spec_without_a_search_and_a_text_without_a_file(tmp_path: Path) -> None:
    file = tmp_path / "plain.yaml"
    file.write_text(SPEC)
    with pytest.raises(SearchError, match="no `search:` section"):
        searched(file, tmp_path / "out")
    with pytest.raises(SearchError, match="needs a file"):
        searched(Path("-"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_or_of_a_search_is_not_taken(tmp_path: Path) -> None:
    file = written(tmp_path, trials=1)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(SearchError, match=r"holds thesis\.tex, but no search"):
        searched(file, tmp_path / "mine", resume=True)
    searched(file, tmp_path / "out")
    with pytest.raises(SearchError, match="already holds a search"):
        searched(file, tmp_path / "out")
    best = (tmp_path / "out" / "best.yaml").read_bytes()
    with pytest.raises(SearchError, match=rf"out holds the search tiny of {file}, not mine") as refused:
        searched(file, tmp_path / "out", resume=True, study="mine")
    assert refused.value.hint == "choose another `--out`"
    named = written(tmp_path, trials=1, spec=SPEC.replace("name: tiny", "name: other"))
    with pytest.raises(SearchError, match=r"holds the search tiny of .*, not other"):
        searched(named, tmp_path / "out", resume=True)
    assert (tmp_path / "out" / "best.yaml").read_bytes() == best
    changed = written(tmp_path, trials=1, spec=SPEC.replace("batch_size: 64", "batch_size: 32"))
    with pytest.raises(SearchError, match="of another spec"):
        searched(changed, tmp_path / "out", resume=True)
    more = written(tmp_path, trials=2, keep=0)  # the budget may change
    assert len(searched(more, tmp_path / "out", resume=True).found.settled) == 2
