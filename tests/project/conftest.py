"""A folder with settings in it, written by the test."""

from collections.abc import Callable
from pathlib import Path

import pytest

from specforge.diagnostics import Diagnostic
from specforge.project import Project, find

Settings = Callable[[str], Project]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, the top of a repository."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def settings(folder: Path) -> Settings:
    """`settings("paths: [specs]")`: the project of the working folder with this text in its file."""

    def write(text: str) -> Project:
        (folder / "specforge.yaml").write_text(text, encoding="utf-8")
        return find(folder)

    return write


def told(project: Project) -> list[str]:
    """The findings in the settings, each on a line, the hint after a semicolon."""
    return [line(found) for found in project.findings]


def line(found: Diagnostic) -> str:
    return f"{found.span} {found.severity}[{found.code}] {found.message}; {found.hint}"
