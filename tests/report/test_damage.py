"""Files that say what can't be: reports and comparisons name the file, or show it; nothing hangs, nothing escapes."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from specforge.report import write_curves, write_lr_find, write_report
from specforge.report.compare_runs import UnreadableRuns, build_tables, compare_runs, to_dict, to_html, to_markdown
from specforge.report.lr_find import _draw, read_sweeps
from specforge.report.run import RunError, read_run
from tests.report.runs import MakeRun, confusion_record, epoch_record, mistakes_record, result_record

ABSURD: tuple[Any, ...] = (
    math.nan, math.inf, -math.inf, 1.7e308, -1.7e308, 1e99, 5e-324, -1, 0, 10**30, 10**400, 5e11, 500_000_000_000, 1e-9,
    "\x1b[31m", "", "\ud800", None, [], {}, True, [[[]]], {"\x1b]0;x\x07": 1},
)  # fmt: skip
RECORDS: dict[str, Callable[[], dict[str, Any]]] = {
    "metrics.jsonl": lambda: epoch_record(2, of=3),
    "result.json": lambda: result_record(tested_epoch=2, classes=4),
    "confusion.json": lambda: confusion_record(3),
    "mistakes.json": lambda: mistakes_record(3),
}


def report(run: Path) -> str:
    page = write_report(run, name="x", description=None, source=None, layers=(), totals={}, reported=())
    return page.read_text()


def compared(run: Path, other: Path) -> str:
    found = compare_runs([other, run])
    build_tables(found)
    return to_html(found) + to_markdown(found) + json.dumps(to_dict(found))


def survives(file: str, act: Callable[[], str]) -> str:
    """What is shown, or the message: one that names the file."""
    try:
        return act()
    except (RunError, UnreadableRuns) as error:
        message = str(error)
    assert file in message
    assert len(message) < 1_000
    return message


def changed(record: Any, path: tuple[Any, ...], value: Any) -> Any:
    copy = json.loads(json.dumps(record))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copy


def places(record: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where a record holds something; of a list, its first entry."""
    entries = record.items() if isinstance(record, dict) else enumerate(record[:1]) if isinstance(record, list) else ()
    return [place for key, below in entries for place in ((*above, key), *places(below, (*above, key)))]


@pytest.fixture
def two(make_run: MakeRun, tmp_path: Path) -> tuple[Path, Path]:
    """A run that can be compared, and one to be damaged."""
    other = make_run(epochs=3, result=RECORDS["result.json"]()).rename(tmp_path / "other")
    return make_run(epochs=3, result=RECORDS["result.json"]()), other


@pytest.mark.parametrize("file", RECORDS)
def test_whatever_one_value_is(two: tuple[Path, Path], file: str) -> None:
    run, other = two
    record = RECORDS[file]()
    lines = [json.dumps(epoch_record(epoch, of=3)) for epoch in (1, 3)]
    for place in places(record):
        for value in ABSURD:
            text = json.dumps(changed(record, place, value))
            content = f"{lines[0]}\n{text}\n{lines[1]}\n" if file == "metrics.jsonl" else text
            (run / file).write_text(content)
            shown = survives(file, lambda: report(run))
            if file in ("metrics.jsonl", "result.json"):
                shown += survives(file, lambda: compared(run, other))
            assert "\x1b" not in shown, (place, value)


@pytest.mark.parametrize("value", [1e99, -1e99, 5e-324, 0, -1, math.nan])
@pytest.mark.parametrize("key", ["train_loss", "lr", "images_per_second"])
def test_curves_are_drawn_whatever_the_numbers(make_run: MakeRun, key: str, value: float) -> None:
    run = make_run(records=[{**epoch_record(epoch, of=3), key: value if epoch == 2 else 1.0} for epoch in (1, 2, 3)])
    assert write_curves(run).is_file()


def test_epochs_that_are_far_apart_take_no_time(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(records=[epoch_record(1, of=3), {**epoch_record(2, of=3), "epoch": 10_000_000}])
    assert "10000000" in report(run)
    (run / "metrics.jsonl").write_text('{"epoch": 500000000000}\n')
    with pytest.raises(RunError, match=r"metrics\.jsonl:1: `epoch`: found 500000000000, input should be less"):
        report(run)


@pytest.mark.parametrize("file", [*RECORDS, "environment.json", "lr_find.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b'{"a":' * 100_000, b"\x00", b"\xff", b"1" * 5_000])
def test_whatever_a_file_is(make_run: MakeRun, file: str, content: bytes) -> None:
    run = make_run()
    (run / file).write_bytes(content)

    def act() -> str:
        write_lr_find(run, name="x")
        return report(run)

    shown = survives(file, act)
    assert file in shown or (file, content) == ("metrics.jsonl", b"")


CURVE = {"stage": 1, "start": 2.0, "chosen": 0.1, "how": "steepest fall", "rates": [0.01, 0.1], "losses": [2.0, 1.0],
         "smoothed": [2.0, 1.5]}  # fmt: skip


@pytest.mark.parametrize("place", [(0, key) for key in CURVE] + [(0, "rates", 0), (0, "losses", 1), (0, "smoothed", 0)])
def test_whatever_a_sweep_says(make_run: MakeRun, place: tuple[Any, ...]) -> None:
    run = make_run()

    def act() -> str:
        return str(_draw(read_sweeps(run), "x"))

    for value in ABSURD:
        (run / "lr_find.json").write_text(json.dumps(changed([CURVE], place, value)))
        survives("lr_find.json", act)


def test_more_stages_than_a_picture_can_show(make_run: MakeRun) -> None:
    run = make_run()
    (run / "lr_find.json").write_text(json.dumps([{**CURVE, "stage": stage} for stage in range(1, 31)]))
    assert write_lr_find(run, name="x") == run / "lr_find.png"


def test_names_cannot_drive_a_terminal(make_run: MakeRun) -> None:
    classes = [{"index": 0, "name": "cat\x1b[2J\r\u202e", "accuracy": 0.5, "count": 2}]
    run = make_run(
        spec='specforge: 1\nname: "x\\e[31m"\ntrain:\n  stages: [{name: "\\e]0;x\\a"}]\n',
        result={**result_record(tested_epoch=1), "per_class": classes},
    )
    record = read_run(run)
    assert record.result is not None
    assert record.result.per_class[0].name == r"cat\x1b[2J\r\u202e"
    assert record.name == r"x\x1b[31m"
    assert record.stages == (r"\x1b]0;x\x07",)
    assert "\x1b" not in report(run)
