"""`--changed-since` reads specs only where something may have changed."""

from pathlib import Path

import pytest

from specforge.cli import changes
from specforge.cli.choosing import projects
from specforge.cli.validation import Validated, Wanted
from specforge.project import Recorded
from specforge.source import DISK, Files
from tests.cli.test_validate import GIT, git


@pytest.fixture
def read(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A committed folder with two specs; the specs that are read."""
    names: list[str] = []
    really = changes.validate_file

    def validate_file(file: str, *arguments: object) -> Validated:
        names.append(file)
        return really(file, *arguments)  # type: ignore[arg-type]  # as they came

    folder = tiny.parent
    (folder / "child.yaml").write_text("specforge: 1\nextends: tiny.yaml\nname: child\nexpect: {}\n")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "x")
    monkeypatch.chdir(folder)
    for name, value in GIT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(changes, "validate_file", validate_file)
    return names


def changed(paths: list[str], files: Files = DISK) -> list[str]:
    found = projects(None, False, files)
    return [spec.name for spec in changes.validate_changed(Wanted(paths), found, "HEAD")]


@pytest.mark.parametrize("paths", [["."], []])
def test_no_spec_is_read_where_git_lists_no_difference(
    paths: list[str], read: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert changed(paths) == []
    assert read == []
    assert capsys.readouterr().err == "0 of 2 specs changed since HEAD\n"
    Path("tiny.yaml").write_text(Path("tiny.yaml").read_text() + "# more\n")
    assert changed(paths) == ["child.yaml", "tiny.yaml"]
    assert read == ["child.yaml", "tiny.yaml"]


def test_a_watch_knows_what_is_read_before_anything_changes(read: list[str]) -> None:
    files = Recorded()
    assert changed(["."], files) == []
    assert {path.name for path in files.asked} >= {"child.yaml", "tiny.yaml"}
    assert read == ["child.yaml", "tiny.yaml"]


def test_mistakes_in_the_settings_are_told_all_the_same(read: list[str]) -> None:
    Path("specforge.yaml").write_text("severities: {SF999: error}\n")
    git(Path(), "add", "-A")
    git(Path(), "commit", "-q", "-m", "settings")
    assert changed(["."]) == ["specforge.yaml"]
    assert read == []
