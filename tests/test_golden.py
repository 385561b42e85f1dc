"""Broken specs and what is said about them: `golden/NNN_name.yaml` with `golden/NNN_name.txt`.

`golden/fixed/NNN_name.yaml`, where there is one, is the spec after following its hints; nothing may be left to say.
`SPECFORGE_UPDATE_GOLDEN=1 pytest tests/test_golden.py` rewrites the `.txt` files: read the difference before
keeping it.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from specforge.analysis import analyse
from specforge.diagnostics import RULES, Diagnostic

FOLDER = Path(__file__).with_name("golden")
BROKEN = sorted(path.stem for path in FOLDER.glob("[0-9]*.yaml"))
FIXED = sorted(path.stem for path in (FOLDER / "fixed").glob("*.yaml"))


@pytest.fixture(autouse=True)
def beside_the_specs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages name files as they were given, so the tests give bare names."""
    monkeypatch.chdir(FOLDER)


def blocks(findings: Iterator[Diagnostic]) -> str:
    lines = []
    for found in findings:
        lines.append(f"{found.span}: {found.severity}[{found.code}] {found.message}{found.context()}")
        lines += [f"  hint: {found.hint}"] if found.hint else []
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_is_told_as_recorded(name: str) -> None:
    if "_yaml_" in name and not yaml.__with_libyaml__:
        pytest.skip("libyaml words its syntax errors otherwise than the parser in Python")
    said = blocks(iter(analyse(f"{name}.yaml").findings))
    golden = FOLDER / f"{name}.txt"
    if os.environ.get("SPECFORGE_UPDATE_GOLDEN"):
        golden.write_text(said, encoding="utf-8")
    assert said == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_is_located_inside_the_text(name: str) -> None:
    analysis = analyse(f"{name}.yaml")
    assert len(analysis.findings)
    for found in analysis.findings:
        text = analysis.texts.get(found.span.file)
        if text is None:  # not even text
            continue
        lines = re.split("\r\n|\n", text) or [""]
        assert 1 <= found.span.line <= found.span.end_line <= len(lines)
        assert 1 <= found.span.column <= len(lines[found.span.line - 1]) + 1
        assert (found.span.line, found.span.column) <= (found.span.end_line, found.span.end_column)


@pytest.mark.parametrize("name", FIXED)
def test_following_the_hints_leaves_nothing_to_say(name: str) -> None:
    findings = analyse(f"fixed/{name}.yaml").findings
    assert [found.message for found in findings if found.accepted is None] == []


def test_every_fixed_spec_has_its_broken_one() -> None:
    assert set(FIXED) <= set(BROKEN)


def test_every_golden_text_has_its_spec() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.txt")) == BROKEN


def test_every_rule_of_reading_a_spec_is_met() -> None:
    """SF1xx to SF4xx are about the text, expansion, binding and shapes: a golden spec shows each of them."""
    said = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt"))
    met = set(re.findall(r"\[(SF\d+)\]", said))
    settings = {"SF204"}  # only `--set` raises it
    assert {code for code in RULES if code[2] in "1234"} - met == settings
