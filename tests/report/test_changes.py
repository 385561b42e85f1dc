"""Changes of a run's spec, told in the report."""

import json
from typing import Any

import pytest

from specforge.report.changes import changes
from specforge.report.page import write_report
from tests.report.runs import MakeRun

EPOCHS = {"path": "train.epochs", "before": 10, "after": 20}


def test_each_time_is_a_sentence() -> None:
    early = {"path": "train.early_stopping", "before": {"patience": 3}, "after": None}
    found = changes({"changes": [{"epoch": 0, "settings": [early]}, {"epoch": 10, "settings": [EPOCHS, EPOCHS]}]})
    assert found == (
        "The spec was changed before its first checkpoint: train.early_stopping: {'patience': 3} -> none.",
        "The spec was changed after epoch 10: train.epochs: 10 -> 20; train.epochs: 10 -> 20.",
    )


@pytest.mark.parametrize(
    "content",
    [
        None,
        3,
        "x",
        {},
        [],
        [3],
        ["x"],
        [{}],
        [{"settings": 3}],
        [{"settings": []}],
        [{"settings": ["x", None]}],
        [[EPOCHS]],
    ],
)
def test_what_is_no_change_is_left_out(content: Any) -> None:
    assert changes({"changes": content}) == ()


@pytest.mark.parametrize("value", ["\x1b[2J", "<b>", "x" * 10_000, float("nan"), {"a": ["b"] * 1000}, 10**300])
@pytest.mark.parametrize("epoch", [None, "x", 3, -1, float("inf")])
def test_any_value_is_one_line(value: Any, epoch: Any) -> None:
    (found,) = changes({"changes": [{"epoch": epoch, "settings": [{"path": value, "before": value, "after": value}]}]})
    assert found.isprintable()
    assert len(found) <= 500


def test_the_report_shows_them(make_run: MakeRun) -> None:
    folder = make_run()
    environment = json.loads((folder / "environment.json").read_text())
    entry = {"at": "2026-01-01", "epoch": 10, "settings": [{**EPOCHS, "after": "<b>"}]}
    (folder / "environment.json").write_text(json.dumps({**environment, "changes": [entry]}))
    page = write_report(folder, name="n", description=None, source=None, layers=[], totals={}, reported=[]).read_text()
    assert '<p class="note">The spec was changed after epoch 10: train.epochs: 10 -&gt; &lt;b&gt;.</p>' in page
    assert "2026-01-01" not in page
