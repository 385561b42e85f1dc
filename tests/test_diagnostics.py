"""Findings: counted, ordered, accepted, and readable whatever a user's text holds; names that were probably meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specforge.diagnostics import (
    MAX_MESSAGE,
    RULES,
    Findings,
    Rule,
    Span,
    SpecError,
    Use,
    define,
    did_you_mean,
    nearest,
    one_line,
)

ERROR = Rule("XX001", "an-error", "What it is.")
WARNING = Rule("XX002", "a-warning", "What it is.", "warning")


def at(line: int, column: int = 1, file: str = "lab.yaml", used_by: Use | None = None) -> Span:
    return Span(file, line, column, line, column + 1, used_by)


def test_findings_come_in_reading_order() -> None:
    findings = Findings()
    findings.add(ERROR, at(9), "third")
    findings.add(ERROR, at(2, 5), "second")
    findings.add(ERROR, at(2, 4), "first")
    findings.add(ERROR, at(1, 1, "base.yaml"), "of another file")
    assert [found.message for found in findings] == ["of another file", "first", "second", "third"]


def test_a_mistake_that_is_met_often_is_one_finding_with_a_count() -> None:
    findings = Findings()
    for line in range(20, 50):
        findings.add(ERROR, at(7, used_by=Use("unit", at(line))), "wrong")
    (found,) = findings
    assert found.uses == 30
    assert found.context() == " (used by block `unit` at lab.yaml:20:1; 30 uses in all)"


@pytest.mark.parametrize(
    "other",
    [(WARNING, at(1), "wrong"), (ERROR, at(2), "wrong"), (ERROR, at(1, 2), "wrong"), (ERROR, at(1), "also wrong")],
)
def test_different_mistakes_are_different_findings(other: tuple[Rule, Span, str]) -> None:
    findings = Findings()
    findings.add(ERROR, at(1), "wrong")
    findings.add(*other)
    assert len(findings) == 2


def test_the_context_leads_from_the_innermost_block_to_the_network() -> None:
    outer = Use("outer", at(30, 7))
    inner = Use("inner", at(14, 9, used_by=outer))
    findings = Findings()
    findings.add(ERROR, at(7, used_by=inner), "wrong")
    (found,) = findings
    assert found.context() == " (used by block `inner` at lab.yaml:14:9, inside block `outer` at lab.yaml:30:7)"


def test_outside_blocks_there_is_no_context() -> None:
    findings = Findings()
    findings.add(ERROR, at(7), "wrong")
    findings.add(ERROR, at(7), "wrong")
    (found,) = findings
    assert found.context() == ""


@pytest.mark.parametrize("name", ["XX002", "a-warning"])
def test_a_warning_is_accepted_by_its_code_or_name(name: str) -> None:
    findings = Findings()
    findings.add(WARNING, at(1), "look")
    assert findings.accept({name: "it is meant", "XX999": "never raised"}) == {name}
    assert [found.accepted for found in findings] == ["it is meant"]


def test_an_error_is_never_accepted() -> None:
    findings = Findings()
    findings.add(ERROR, at(1), "wrong")
    assert findings.accept({"XX001": "please"}) == set()
    assert findings.has_errors


def test_a_warning_alone_is_no_error() -> None:
    findings = Findings()
    findings.add(WARNING, at(1), "look")
    assert not findings.has_errors


def test_a_code_is_defined_once() -> None:
    with pytest.raises(AssertionError, match="defined twice"):
        define(next(iter(RULES), "SF101"), "again", "Again.")


def test_a_spec_error_says_everything() -> None:
    findings = Findings()
    findings.add(ERROR, at(3, 4), "wrong", "write it right")
    findings.add(ERROR, at(5), "wrong too")
    said = str(SpecError(findings))
    assert said == "lab.yaml:3:4: error[XX001] wrong\n  hint: write it right\nlab.yaml:5:1: error[XX001] wrong too"


def test_text_of_the_user_can_not_steer_a_terminal() -> None:
    findings = Findings()
    findings.add(ERROR, at(1), "found `\x1b[31mred\n`", "not `\x07`")
    (found,) = findings
    assert found.message == r"found `\x1b[31mred\n`"
    assert found.hint == r"not `\x07`"


@given(st.text())
def test_one_line_is_one_short_printable_line(text: str) -> None:
    shown = one_line(text)
    assert shown.isprintable()
    assert len(shown) <= MAX_MESSAGE


NAMES = ("conv", "batch_norm", "max_pool", "linear", "relu", "dropout", "global_avg_pool")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("covn", "conv"),
        ("Conv", "conv"),
        ("conv2d", "conv"),
        ("Conv2D", "conv"),
        ("nn.Conv2d", "conv"),
        ("torch.nn.BatchNorm2d", "batch_norm"),
        ("batchnorm", "batch_norm"),
        ("batch-norm", "batch_norm"),
        ("MaxPool1d", "max_pool"),
        ("LINEAR", "linear"),
        ("rellu", "relu"),
        ("droput", "dropout"),
        ("transformer", None),
        ("", None),
        (".", None),
    ],
)
def test_nearest(word: str, meant: str | None) -> None:
    assert nearest(word, NAMES) == meant


def test_nearest_keeps_the_ends_of_file_names() -> None:
    assert nearest("bsae.yaml", ["list.yaml", "base.yaml"]) == "base.yaml"


@given(st.text(), st.lists(st.text()))
def test_nearest_is_a_candidate_or_nothing(word: str, candidates: list[str]) -> None:
    assert nearest(word, candidates) in [*candidates, None]


def test_a_hint_names_the_nearest_else_the_few_else_nothing() -> None:
    assert did_you_mean("covn", NAMES) == "did you mean `conv`?"
    assert did_you_mean("xyz", ["b", "a"]) == "expected one of `a`, `b`"
    assert did_you_mean("xyz", [f"name{n}" for n in range(13)]) is None
    assert did_you_mean("xyz", []) is None
