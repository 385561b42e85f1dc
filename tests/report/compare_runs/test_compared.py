"""What is compared: results, equal epochs, specs, classes, and what stands in the way."""

import math
from typing import Any

import pytest

from specforge.report.compare_runs import ChoiceError, compare_runs
from specforge.report.compare_runs.architecture import network_changes
from specforge.report.compare_runs.classes import class_changes, extremes
from specforge.report.compare_runs.measures import MEASURES, chance, reached
from specforge.report.compare_runs.runs import ComparedRun, read_runs
from specforge.report.compare_runs.settings import NOWHERE
from specforge.report.run import Result
from tests.report.compare_runs.conftest import MakeRun
from tests.report.runs import class_records, epoch_record

BY_KEY = {measure.key: measure for measure in MEASURES}


def value(run: ComparedRun, key: str) -> float | None:
    return BY_KEY[key].value(run)


def test_measures(run: MakeRun) -> None:
    lines = [{"epoch": at, "validation_accuracy": accuracy, "validation_loss": loss, "seconds": 2.0,
              "images_per_second": speed} for at, (accuracy, loss, speed) in
             enumerate([(0.2, 2.0, 10), (0.4, math.nan, 90), (0.4, 1.0, 100)], start=1)]  # fmt: skip
    first, part = read_runs([run("a", records=lines), run("b", records=lines, finished=False)])
    assert value(first, "best_validation_accuracy") == 0.4
    assert value(first, "best_validation_accuracy_epoch") == 2  # the first of equal ones
    assert value(first, "best_validation_loss_epoch") == 3  # NaN is no best loss
    assert value(first, "images_per_second") == 90  # the first epoch compiles
    assert value(first, "seconds") == 63.2
    assert value(part, "seconds") == 6.0  # what is recorded so far
    assert value(part, "test_accuracy") is None
    assert value(first, "parameters") == 64 * 32 + 32 + 32 * 10 + 10
    assert value(first, "macs") == 64 * 32 + 32 * 10


def test_members_and_results_without_augmented_views(run: MakeRun) -> None:
    result = {"members": [{"epoch": 1, "test_accuracy": 0.3}, {"epoch": 2, "test_accuracy": 0.4}],
              "plain": {"test_accuracy": 0.52}}  # fmt: skip
    first, other = read_runs([run("a", result=result), run("b")])
    keys = ("members", "best_member_test_accuracy", "plain_test_accuracy")
    assert [value(first, key) for key in keys] == [2, 0.4, 0.52]
    assert [value(other, key) for key in keys] == [None, None, None]


def test_reaching_an_accuracy(run: MakeRun) -> None:
    lines: list[dict[str, Any]] = [
        {"epoch": 1, "validation_accuracy": 0.2, "seconds": 1.5},
        {"epoch": 2, "validation_accuracy": None, "seconds": 1.5},
        {"epoch": 3, "validation_accuracy": 0.4, "seconds": 1.5},
    ]
    first, other = read_runs([run("a", records=lines), run("b", records=[*lines[:2], {"epoch": 3}])])
    assert (reached(first, 0.4).epoch, reached(first, 0.4).seconds) == (3, 4.5)
    assert reached(other, 0.4).epoch is None
    # without a wish: what the weakest run reached, so that every run has an epoch
    assert compare_runs([first.record.folder, other.record.folder]).accuracies == (0.2,)


def test_chance_is_the_width_of_two_binomial_tests(run: MakeRun) -> None:
    result: dict[str, Any] = {"test_accuracy": 0.5}
    found = chance(read_runs([run("a", result=result), run("b", result=result)]))
    assert found is not None
    assert found[1] == 1000
    assert found[0] == pytest.approx(1.96 * math.sqrt(2 * 0.25 / 1000))
    fewer = {"per_class": class_records(5)}
    assert chance(read_runs([run("c"), run("d", result=fewer)])) is None


def test_the_final_test_stands_at_an_epoch_only_where_it_belongs(run: MakeRun) -> None:
    chosen = {"checkpoint_policy": "best_validation_loss"}
    found = compare_runs(
        [
            run("ended_there", epochs=4),
            run("last_of_more", epochs=6),
            run("chosen_before", epochs=6, result=chosen | {"tested_epoch": 3}),
            run("chosen_later", epochs=6, result=chosen | {"tested_epoch": 5}),
            run("ensemble", epochs=6, result=chosen | {"tested_epoch": 3, "members": [{"epoch": 3}]}),
            run("stopped_there", epochs=6, done=4, finished=False),
        ],
        epoch=4,
    )
    belongs = {run.name for run, each in zip(found.runs, found.at_epoch, strict=True) if each.final}
    assert belongs == {"ended_there", "chosen_before"}
    assert {each.record.epoch for each in found.at_epoch} == {4}


def test_an_epoch_that_a_run_does_not_have(run: MakeRun) -> None:
    with pytest.raises(ChoiceError, match="epoch 4: b has 3, c has 2") as error:
        compare_runs([run("a", epochs=5), run("b"), run("c", epochs=5, done=2)], epoch=4)
    assert "`--epochs 2`" in error.value.hint


def test_settings_by_path_in_every_run(run: MakeRun) -> None:
    found = compare_runs(
        [run("a"), run("b", optimizer="adam: {lr: 3e-3}"), run("c", optimizer="sgd: {lr: 0.1, momentum: 0.9}", seed=1)]
    )
    values = {setting.path: setting.values for setting in found.settings}
    assert values["train.optimizer"] == ("adam", "adam", "sgd")
    assert values["train.optimizer.lr"] == (1e-3, 3e-3, 0.1)
    assert values["train.optimizer.momentum"] == (NOWHERE, NOWHERE, 0.9)
    assert values["train.seed"] == (0, 0, 1)
    paths = list(values)
    assert paths.index("train.optimizer") < paths.index("train.optimizer.lr")


def test_a_value_that_only_one_side_has_is_shown_whole(run: MakeRun) -> None:
    step = ("loss: cross", "schedule: {step: {step_size: 2}}, loss: cross")
    cosine = ("loss: cross", "schedule: cosine, loss: cross")
    found = compare_runs([run("a"), run("b", spec=step)])
    assert [(s.path, s.values) for s in found.settings] == [("train.schedule", (None, {"step": {"step_size": 2}}))]
    both = compare_runs([run("c"), run("d", spec=step), run("e", spec=cosine)])
    assert [s.values for s in both.settings] == [(None, {"step": {"step_size": 2}}, "cosine")]


def test_networks(run: MakeRun) -> None:
    found = compare_runs([run("a"), run("b", width=64), run("c"), run("d", spec=("    - relu\n", ""))])
    changed, removed = network_changes(found)
    assert (changed.run, changed.headline) == (1, "1 layer changed")
    assert (removed.run, removed.headline) == (3, "1 layer removed")
    assert changed.lines[-1] == ("plain", "MACs: 2,368 -> 4,736 (+2,368)")
    assert not any("weights of A" in text for change in (changed, removed) for _, text in change.lines)


def test_a_long_difference_is_cut_and_says_how_to_see_it_all(run: MakeRun) -> None:
    many = "".join(f"    - linear: {width}\n" for width in range(20, 60))
    found = compare_runs([run("a"), run("b", spec=("    - relu\n", many))])
    (change,) = network_changes(found)
    assert len(change.lines) == 12 + 3
    assert change.lines[12][1].startswith("and ")
    assert "specforge diff" in change.lines[12][1]


def result(*accuracies: float | None, names: str = "abcdefgh") -> Result:
    classes = [{"index": at, "name": names[at], "accuracy": accuracy} for at, accuracy in enumerate(accuracies)]
    return Result.model_validate({"per_class": classes})


def test_classes_that_gained_and_lost() -> None:
    changes = class_changes(result(0.5, 0.5, None, 0.5, 0.5), result(0.4, 0.9, 0.3, 0.5, 0.6))
    assert [change.name for change in changes] == ["b", "e", "d", "a"]
    gained, lost = extremes(changes, 5)
    assert [change.name for change in gained] == ["b", "e"]  # d did not change
    assert [change.name for change in lost] == ["a"]


def test_other_classes_are_not_compared() -> None:
    assert class_changes(result(0.5, 0.5), result(0.5, 0.5, names="xy")) == ()
    assert class_changes(result(0.5), None) == ()


def kinds(folders: list[Any]) -> list[str]:
    return [caution.kind for caution in compare_runs(folders).cautions]


def test_comparable_runs_need_no_warning(run: MakeRun) -> None:
    assert kinds([run("a"), run("b", width=64, optimizer="sgd: {lr: 0.1}")]) == []


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("data", {"spec": ("dataset: digits", "dataset: mnist", "8, 8", "28, 28")},
         "results are not comparable: digits (a), mnist (b)"),
        ("split", {"spec": ("train: 0.9", "train: 0.7", "validation: 0.1", "validation: 0.1, test: 0.2")},
         "test results are not comparable"),
        ("split", {"spec": ("train: 0.9, validation: 0.1", "train: 0.8, validation: 0.2")}, "validation figures"),
        ("split", {"spec": ("validation: 0.1", "validation: 0.1, seed: 5")}, "other images are in each part: 0 (a), 5"),
        ("seed", {"seed": 7}, "0 (a), 7 (b)"),
        ("environment", {"environment": {"threads": 1}}, "times are not comparable: threads (4 (a), 1 (b))"),
        ("unfinished", {"epochs": 9, "done": 2, "finished": False}, "b is not finished: 2 of 9 epochs"),
        ("test", {"result": {"plain": {"test_accuracy": 0.5}}}, "final test of b averages augmented views"),
        ("spec", {"spec": ("relu", "reluuu")}, "the spec of b can't be read"),
    ],
)  # fmt: skip
def test_warnings(run: MakeRun, kind: str, changes: dict[str, Any], words: str) -> None:
    cautions = compare_runs([run("a"), run("b", **changes)]).cautions
    assert kind in [caution.kind for caution in cautions]
    assert any(words in caution.message for caution in cautions), cautions


def test_a_spec_that_can_not_be_read_brings_no_other_warning(run: MakeRun) -> None:
    assert kinds([run("a"), run("b", spec=("relu", "reluuu"))]) == ["spec"]


def test_the_seed_of_ranges_draws_nothing(run: MakeRun) -> None:
    ranges = ("train: 0.9, validation: 0.1", "train: [[0.1, 1.0]], validation: [[0.0, 0.1]]")
    other = (ranges[0], ranges[1] + ", seed: 5")
    assert kinds([run("a", spec=ranges), run("b", spec=other)]) == []


def test_a_cut_off_line_is_a_warning(run: MakeRun) -> None:
    a, b = run("a"), run("b", finished=False)
    with (b / "metrics.jsonl").open("a") as stream:
        stream.write('{"epoch"')
    assert kinds([a, b]) == ["unfinished", "damaged"]


def test_epochs_without_any_record(run: MakeRun) -> None:
    first, other = run("a"), run("b", finished=False)
    (other / "metrics.jsonl").write_text("")
    found = compare_runs([first, other])
    assert found.runs[1].last_epoch == 0
    assert found.accuracies == (epoch_record(3, of=3)["validation_accuracy"],)
