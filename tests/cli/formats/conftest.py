"""Specs written by the test, validated in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from specforge.cli.choosing import Projects
from specforge.cli.validation import Validated, validate_files
from specforge.diagnostics import Diagnostic as Found
from specforge.diagnostics import Rule, Severity, Span

MODEL = "specforge: 1\nname: lab\nmodel:\n  input: [3, 32, 32]\n  layers:\n"
Validate = Callable[..., list[Validated]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, the top of a repository; no variable of a CI system is set."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("WORKSPACE", "STEP_SUMMARY", "SERVER_URL", "REPOSITORY", "SHA"):
        monkeypatch.delenv(f"GITHUB_{name}", raising=False)
    return tmp_path


@pytest.fixture
def validate(folder: Path) -> Validate:
    """`validate(lab="    - covn: 3\\n")`: the layers of `lab.yaml`, and what is said about them."""

    def run(**layers: str) -> list[Validated]:
        for name, text in layers.items():
            (folder / f"{name}.yaml").write_text(MODEL + text, encoding="utf-8")
        return validate_files([f"{name}.yaml" for name in layers], (), Projects())

    return run


def found(
    message: str, file: str = "lab.yaml", line: int = 3, *, severity: Severity = "error", hint: str | None = None
) -> Found:
    """A finding of a rule that tests have for themselves."""
    rule = Rule(f"XX{severity[0]}", f"some-{severity}", "Something. And more.", severity)
    return Found(rule, Span(file, line, 2, line, 5), message, hint)


def one_file(*findings: Found) -> list[Validated]:
    return [Validated("lab.yaml", findings)]
