"""Lines of metrics that can't be true."""

import json
from typing import Any

import pytest

from specforge.verification.metrics import contradiction, differs, read_lines


def encoded(*lines: dict[str, Any]) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


LINE = {"train_loss": 1.5, "train_accuracy": 0.25, "lr": {"bias": 0.1, "others": None}, "seconds": 2}


def test_lines_that_count_up_pass() -> None:
    content = encoded(*({"epoch": epoch, **LINE} for epoch in (1, 2, 3)))
    lines, is_cut, problem = read_lines(content)
    assert (len(lines), is_cut, problem) == (3, False, None)
    assert read_lines(b"") == ([], False, None)


def test_a_line_that_was_cut_off_is_told_of() -> None:
    whole = encoded({"epoch": 1})
    assert read_lines(whole + b'{"epoch": 2') == ([{"epoch": 1}], True, None)
    assert read_lines(b'{"ep') == ([], True, None)


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        ({"epoch": 3, **LINE}, "line 2 is of epoch 3, not 2"),
        ({"epoch": 1, **LINE}, "line 2 is of epoch 1, not 2"),
        ({"epoch": 5e11, **LINE}, "line 2 is not that of an epoch"),
        ({"epoch": True, **LINE}, "line 2 is not that of an epoch"),
        ([], "line 2 is not that of an epoch"),
        ({"epoch": 2}, "line 2 has other keys than the first one"),
        ({"epoch": 2, **LINE, "train_loss": float("nan")}, "`train_loss` of epoch 2 is not a finite number"),
        ({"epoch": 2, **LINE, "train_loss": "low"}, "`train_loss` of epoch 2 is not a finite number"),
        ({"epoch": 2, **LINE, "seconds": 10**400}, "`seconds` of epoch 2 is not a finite number"),
        ({"epoch": 2, **LINE, "lr": {"a": float("inf")}}, "`lr` of epoch 2 is not a finite number"),
        ({"epoch": 2, **LINE, "train_accuracy": 25.0}, "`train_accuracy` of epoch 2 is 25, not a share of one"),
    ],
)
def test_what_cannot_be_is_said(second: Any, problem: str) -> None:
    lines, _, found = read_lines(encoded({"epoch": 1, **LINE}, second))
    assert found == problem
    assert len(lines) == 1


@pytest.mark.parametrize("text", [b"nonsense", b"[" * 50_000, b"", b"\xff"])
def test_what_is_not_json_is_said(text: bytes) -> None:
    assert read_lines(encoded({"epoch": 1}) + text + b"\n")[2] == "line 2 is not JSON"


def test_a_checkpoint_remembers_the_epochs_before_it() -> None:
    lines = [{"epoch": 1, "a": 1}, {"epoch": 2, "a": 2}]
    assert differs(lines, lines[:1]) is None
    assert differs(lines[:1], lines) is None
    assert differs(lines, [lines[0], {"epoch": 2, "a": 3}]) == 2


def test_results_fit_their_run() -> None:
    environment = {"spec_hash": "a", "found_spec_hash": "b"}
    assert contradiction({"tested_epoch": 3, "spec_hash": "a"}, environment, 3) is None
    assert contradiction({}, {}, 0) is None
    assert "weights of epoch 4" in (contradiction({"tested_epoch": 4}, environment, 3) or "")
    assert "another spec" in (contradiction({"spec_hash": "c"}, environment, 3) or "")
