"""All specs against a revision, in a repository of its own."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from specforge.cli import application
from specforge.diff import changes
from specforge.git import GitError

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

BASE = """
specforge: 1
name: {name}
params: {{width: 8}}
model: {{input: [1, 8, 8], layers: [flatten, {{linear: $width}}, relu, {{linear: 10}}]}}
"""
CHILD = "specforge: 1\nname: child\nextends: base.yaml\n"
BRANCH = "main"


def git(*arguments: str) -> None:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


def write(name: str, text: str) -> None:
    file = Path("specs") / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A base with a child, and three others, committed on `main`; the work goes on in a branch."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "no-config"))
    git("init", "--quiet", "--initial-branch", BRANCH)
    for name in ("base", "same", "gone", "moved"):
        write(f"{name}.yaml", BASE.format(name=name).replace("width: 8", f"width: {len(name)}"))
    write("child.yaml", CHILD)
    git("add", ".")
    git("commit", "--quiet", "--message", "first")
    git("switch", "--quiet", "--create", "work")
    return tmp_path


def told(revision: str = BRANCH) -> dict[str, str]:
    return {change.file: change.status for change in changes(revision, sorted(Path("specs").glob("*.yaml")))}


def run(*arguments: str) -> Any:
    return CliRunner().invoke(application({"diff": "diff", "list": "list_words"}), ["diff", *arguments])


def test_nothing(repository: Path) -> None:
    assert told() == {}
    found = run("--git", BRANCH)
    assert (found.exit_code, found.stdout) == (0, "")
    assert "0 of 5 specs differ from main" in found.stderr


def test_a_base_changes_what_extends_it(repository: Path) -> None:
    write("base.yaml", BASE.format(name="base").replace("width: 8", "width: 5"))
    assert told() == {"specs/base.yaml": "changed", "specs/child.yaml": "changed"}
    found = run("--git", BRANCH, "specs/child.yaml")
    assert found.exit_code == 1
    assert "git:main:specs/child.yaml (A) -> specs/child.yaml (B)" in found.stdout
    assert "out_features: 4 -> 5" in found.stdout
    assert "1 of 1 specs differ" in found.stderr


def test_what_came_went_and_was_moved(repository: Path) -> None:
    write("new.yaml", BASE.format(name="new").replace("width: 8", "width: 33"))
    Path("specs/gone.yaml").unlink()
    Path("specs/same.yaml").write_text("# a comment\n" + Path("specs/same.yaml").read_text(), encoding="utf-8")
    Path("specs/moved.yaml").rename("specs/elsewhere.yaml")
    git("add", ".")
    git("commit", "--quiet", "--message", "second")
    assert told() == {
        "specs/elsewhere.yaml": "moved",
        "specs/gone.yaml": "removed",
        "specs/new.yaml": "added",
        "specs/same.yaml": "rewritten",
    }
    found = json.loads(run("--git", BRANCH, "--format", "json").stdout)
    assert [spec["status"] for spec in found["specs"]] == ["moved", "removed", "added", "rewritten"]
    assert found["specs"][0]["moved_from"] == "specs/moved.yaml"
    assert found["specs"][3]["difference"]["same"] is True
    text = run("--git", BRANCH)
    assert "specs/new.yaml: new: 2,485 parameters, 2,442 MACs" in text.stdout
    assert text.exit_code == 1


def test_only_the_writing_is_no_difference(repository: Path) -> None:
    Path("specs/same.yaml").write_text("# a comment\n" + Path("specs/same.yaml").read_text(), encoding="utf-8")
    found = run("--git", BRANCH)
    assert (found.exit_code, found.stdout) == (0, "specs/same.yaml: only the writing differs\n")


def test_what_is_done_on_the_other_branch_is_not_told(repository: Path) -> None:
    git("switch", "--quiet", BRANCH)
    write("same.yaml", BASE.format(name="same").replace("width: 8", "width: 99"))
    git("commit", "--quiet", "--all", "--message", "theirs")
    git("switch", "--quiet", "work")
    assert told() == {}


def test_a_broken_spec_is_told_with_its_errors(repository: Path) -> None:
    write("same.yaml", BASE.format(name="same").replace("relu", "rellu"))
    found = run("--git", BRANCH)
    assert found.exit_code == 2
    assert "specs/same.yaml: broken: 1 error" in found.stdout
    assert "did you mean `relu`?" in found.stdout
    markdown = run("--git", BRANCH, "--format", "markdown").stdout
    assert "`specs/same.yaml` is broken:" in markdown


def test_one_that_was_broken_before_is_new(repository: Path) -> None:
    write("same.yaml", "specforge: 1\nname: broken\nmodel: {input: [1, 8, 8], layers: [rellu]}\n")
    git("commit", "--quiet", "--all", "--message", "broken")
    write("same.yaml", BASE.format(name="same"))
    assert told("HEAD") == {"specs/same.yaml": "added"}


def test_markdown_has_a_row_for_each(repository: Path) -> None:
    write("base.yaml", BASE.format(name="base").replace("width: 8", "width: 5"))
    found = run("--git", BRANCH, "--format", "markdown")
    rows = [line for line in found.stdout.splitlines() if line.startswith("| `")]
    assert len(rows) == 2
    assert all("different architecture" in row and "310 → 385" in row for row in rows), rows
    assert found.stdout.count("<details>") == 2
    assert found.stdout.startswith("### 2 of 5 specs differ from `main`")


def test_the_settings_say_which_specs_count(repository: Path) -> None:
    Path("specforge.yaml").write_text("paths: [specs]\nexclude: [specs/gone.yaml]\n", encoding="utf-8")
    Path("specs/gone.yaml").unlink()
    Path("other.yaml").write_text(BASE.format(name="other"), encoding="utf-8")
    assert run("--git", BRANCH).stdout == ""


def test_an_unknown_revision(repository: Path) -> None:
    with pytest.raises(GitError, match="git has no revision `nowhere`"):
        told("nowhere")
    found = run("--git", "nowhere")
    assert (found.exit_code, found.stdout) == (2, "")
    assert "git has no revision `nowhere`" in found.stderr


@pytest.mark.parametrize("sides", [[], ["a.yaml"], ["a.yaml", "b.yaml", "c.yaml"]])
def test_two_sides_are_needed(sides: list[str]) -> None:
    found = run(*sides)
    assert found.exit_code == 2
    assert "give the two sides, or --git REV" in found.stderr


def test_written_to_a_file(repository: Path) -> None:
    found = run("specs/same.yaml", "specs/gone.yaml", "--format", "markdown", "--output-file", "out.md")
    assert (found.exit_code, found.stdout) == (0, "")
    assert Path("out.md").read_text(encoding="utf-8").startswith("### `specs/same.yaml`")
    found = run("specs/same.yaml", "specs/gone.yaml", "--output-file", "nowhere/out.md")
    assert found.exit_code == 2
    assert "can't write nowhere/out.md" in found.stderr
