"""Which runs are compared, under which names, and what is refused."""

from pathlib import Path

import pytest

from specforge.report.compare_runs.runs import ChoiceError, UnreadableRuns, letter, read_runs
from tests.report.compare_runs.conftest import MakeRun


def test_names_are_as_short_as_they_can_be(run: MakeRun) -> None:
    found = read_runs([run("new/base"), run("old/base"), run("new/deep")])
    assert [each.name for each in found] == ["new/base", "old/base", "deep"]
    assert [each.letter for each in found] == ["A", "B", "C"]


def test_the_baseline_comes_first_by_path_or_name_and_may_be_one_more(run: MakeRun) -> None:
    a, b, c = run("a"), run("b"), run("c")
    assert [each.name for each in read_runs([a, b, c], baseline=c)] == ["c", "a", "b"]
    assert [each.name for each in read_runs([a, b, c], baseline=Path("b"))] == ["b", "a", "c"]
    assert [each.name for each in read_runs([a], baseline=c)] == ["c", "a"]


def test_letters_go_on_after_z() -> None:
    assert [letter(number) for number in (0, 25, 26, 27)] == ["A", "Z", "AA", "AB"]


def test_one_run_is_nothing_to_compare(run: MakeRun) -> None:
    with pytest.raises(ChoiceError, match="nothing to compare") as error:
        read_runs([run("a")])
    assert "a/report.html" in error.value.hint


def test_the_same_run_by_another_path(run: MakeRun) -> None:
    a = run("a")
    with pytest.raises(ChoiceError, match="are the same run"):
        read_runs([a, a / ".." / "a"])


def test_every_path_that_is_no_run_is_named(run: MakeRun, tmp_path: Path) -> None:
    a, empty = run("a"), tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UnreadableRuns) as error:
        read_runs([a, tmp_path / "nowhere", a / "spec.yaml", empty])
    nowhere, file, folder = error.value.messages
    assert "nowhere: there is no such folder" in nowhere
    assert "`specforge diff` compares specs" in file
    assert "found no spec.yaml" in folder


def test_damaged_metrics_name_file_and_line(run: MakeRun) -> None:
    a, b = run("a"), run("b")
    (b / "metrics.jsonl").write_text('{"epoch": 1}\nnonsense\n{"epoch": 2}\n')
    with pytest.raises(UnreadableRuns, match=r"b/metrics\.jsonl:2:1: not JSON"):
        read_runs([a, b])


def test_a_spec_of_another_version_leaves_the_results(run: MakeRun) -> None:
    _, other = read_runs([run("a"), run("b", spec=("relu", "reluuu"))])
    assert other.spec is None
    assert other.graph is None
    assert "reluuu" in (other.problem or "")
    assert other.record.result is not None


def test_what_a_run_was_meant_to_be(run: MakeRun) -> None:
    whole, part = read_runs([run("a"), run("b", epochs=9, done=2, finished=False)])
    assert (whole.is_finished, whole.last_epoch, whole.planned_epochs) == (True, 3, 3)
    assert (part.is_finished, part.last_epoch, part.planned_epochs) == (False, 2, 9)
