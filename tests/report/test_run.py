"""Reading run directories: finished, interrupted, damaged."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from specforge.report.run import Result, RunError, read_run
from tests.report.runs import MakeRun, epoch_record


def test_a_finished_run(make_run: MakeRun) -> None:
    run = read_run(make_run(epochs=3))
    assert run.name == "lab2_bn"
    assert [record.epoch for record in run.epochs] == [1, 2, 3]
    assert run.tested_epoch == 2
    assert run.notes == ()


def test_an_interrupted_run_has_no_result_and_no_files_but_its_spec(make_run: MakeRun) -> None:
    folder = make_run(finished=False)
    (folder / "metrics.jsonl").unlink()
    (folder / "environment.json").unlink()
    run = read_run(folder)
    assert (run.result, run.epochs, run.environment, run.tested_epoch) == (None, (), {}, None)


def test_a_line_cut_off_by_a_kill_is_left_out_and_noted(make_run: MakeRun) -> None:
    folder = make_run(epochs=2, finished=False)
    with (folder / "metrics.jsonl").open("a") as stream:
        stream.write('{"epoch": 3, "train_lo')
    run = read_run(folder)
    assert len(run.epochs) == 2
    assert "line 3" in run.notes[0]


def test_a_repeated_epoch_counts_once_with_its_later_line(make_run: MakeRun) -> None:
    lines = [epoch_record(1, of=2), epoch_record(2, of=2), epoch_record(2, of=2) | {"train_loss": 9.0}]
    run = read_run(make_run(records=lines))
    assert [record.train_loss for record in run.epochs][1:] == [9.0]


def test_nan_is_kept_and_group_rates_are_read(make_run: MakeRun) -> None:
    lines: list[dict[str, Any]] = [{"epoch": 1, "train_loss": math.nan, "lr": {"head": 0.1, "body": None}}]
    record = read_run(make_run(records=lines)).epochs[0]
    assert record.train_loss is not None
    assert math.isnan(record.train_loss)
    assert record.rates == {"head": 0.1, "body": None}


def test_a_name_that_is_not_there_falls_back_to_the_folder(make_run: MakeRun) -> None:
    assert read_run(make_run(spec="specforge: 1\n")).name == "run"


def test_ranking_leaves_out_classes_without_images_and_keeps_ties_in_order() -> None:
    classes = [{"index": at, "name": name, "accuracy": value} for at, name, value in
               [(0, "a", 0.5), (1, "b", None), (2, "c", 0.9), (3, "d", 0.5)]]  # fmt: skip
    ranking = Result.model_validate({"per_class": classes}).ranking
    assert [entry.name for entry in ranking] == ["c", "a", "d"]


def test_a_folder_that_is_not_a_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"found no spec\.yaml, expected a run directory"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("metrics.jsonl", '{"epoch": 1}\nnonsense\n{"epoch": 2}\n', r"metrics\.jsonl:2:1: not JSON"),
        ("metrics.jsonl", '{"train_loss": 1}\n', r"metrics\.jsonl:1: `epoch`: found"),
        ("metrics.jsonl", "[1, 2]\n", r"metrics\.jsonl:1: found \[1, 2\]"),
        ("result.json", '{"test_accuracy": "good"}', r"result\.json: `test_accuracy`: found 'good'"),
        ("result.json", "{", r"result\.json:1:2: not JSON"),
        ("environment.json", "[]", r"environment\.json: found a list, expected a JSON object"),
    ],
)
def test_damaged_files_say_where(make_run: MakeRun, file: str, content: str, message: str) -> None:
    folder = make_run()
    (folder / file).write_text(content)
    with pytest.raises(RunError, match=message):
        read_run(folder)


def test_bytes_that_are_not_text(make_run: MakeRun) -> None:
    folder = make_run()
    (folder / "metrics.jsonl").write_bytes(json.dumps({"epoch": 1}).encode() + b"\xff\n")
    with pytest.raises(RunError, match="byte 12 is not UTF-8"):
        read_run(folder)


def test_stages_have_their_names_from_the_spec(make_run: MakeRun) -> None:
    spec = "name: x\ntrain:\n  stages: [{name: head only, epochs: 3}, {epochs: 3}, 7]\n"
    run = read_run(make_run(spec=spec))
    assert run.stages == ("head only", None, None)
    assert [run.stage_name(stage) for stage in (1, 2, 9, "warm")] == ["head only", "stage 2", "stage 9", "warm"]


def test_members_and_the_plain_result_are_read_where_they_are() -> None:
    assert (Result.model_validate({}).members, Result.model_validate({}).plain) == ((), None)
    found = Result.model_validate({"members": [{"epoch": 3, "new": 1}], "plain": {"test_accuracy": 0.5}})
    assert found.members[0].epoch == 3
    assert found.plain is not None
    assert found.plain.test_accuracy == 0.5
