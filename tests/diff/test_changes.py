"""All specs against a revision, in a repository of its own."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from specforge.cli import application
from specforge.diagnostics import Diagnostic, Span
from specforge.diff import Change, changes, changes_to_markdown
from specforge.expand import NOT_A_SPEC
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


def test_links_are_followed(repository: Path) -> None:
    Path("specs/link.yaml").symlink_to("same.yaml")
    Path("folder").symlink_to("specs")
    git("add", ".")
    git("commit", "--quiet", "--message", "links")
    write("same.yaml", BASE.format(name="same").replace("width: 8", "width: 5"))
    assert told("HEAD") == {"specs/link.yaml": "changed", "specs/same.yaml": "changed"}
    assert run("git:HEAD:folder/link.yaml", "specs/same.yaml").exit_code == 1
    Path("specs/link.yaml").unlink()
    Path("specs/link.yaml").symlink_to("link.yaml")
    git("commit", "--quiet", "--all", "--message", "in a circle")
    assert run("git:HEAD:specs/link.yaml", "specs/same.yaml").exit_code == 2


def test_a_spec_outside_of_the_repository(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("outside") / "other.yaml"
    file.write_text(BASE.format(name="other"), encoding="utf-8")
    found = run("--git", BRANCH, str(file))
    assert (found.exit_code, found.stdout) == (2, "")
    assert "lies outside of the repository" in found.stderr


def test_two_that_went_with_the_same_meaning(repository: Path) -> None:
    write("twin.yaml", BASE.format(name="twin").replace("width: 8", "width: 4"))
    git("add", ".")
    git("commit", "--quiet", "--message", "twins")
    for name in ("twin", "gone"):
        Path(f"specs/{name}.yaml").unlink()
    assert told("HEAD") == {"specs/gone.yaml": "removed", "specs/twin.yaml": "removed"}


def test_a_spec_that_became_a_base_went(repository: Path) -> None:
    write("same.yaml", "specforge: 1\nname: same\ntrain: {epochs: 3}\n")
    assert told() == {"specs/same.yaml": "removed"}


def test_a_repository_of_another_user(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    found = run("--git", BRANCH)
    assert found.exit_code == 2
    assert "safe.directory" in found.stderr


def test_a_comment_has_room_for_any_number_of_specs() -> None:
    findings = tuple([Diagnostic(NOT_A_SPEC, Span("a.yaml", 1, 1, 1, 2), "wrong " * 20) for _ in range(20)])
    found = [Change(f"specs/{'long' * 20}_{number}.yaml", "broken", findings=findings) for number in range(2_000)]
    text = changes_to_markdown(found, "main", 2_000)
    assert len(text) < 65_536
    assert text.startswith("### 2000 of 2000 specs differ from `main`")
    assert "specs more than fit here" in text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--git", BRANCH, "--as", "x.yaml"], "is for two files, not for --git"),
        (["--git", BRANCH, "--format", "html"], "a page is for two specs"),
        (["specs/same.yaml", "specs/gone.yaml", "--as", "specs"], "found the folder specs"),
        (["specs/same.yaml", "specs/gone.yaml", "--all", "--format", "html"], "is for text"),
        (["specs/same.yaml", ""], "a side is empty"),
        (["zoo/resnet81", "specs/same.yaml"], "did you mean `resnet18`?"),
        (["x" * 300, "specs/same.yaml"], "File name too long"),
    ],
)
def test_misuse(arguments: list[str], expected: str, repository: Path) -> None:
    found = run(*arguments)
    assert (found.exit_code, found.stdout) == (2, "")
    assert expected in " ".join(found.stderr.replace("│", " ").split())


def test_a_device_stays_one(repository: Path) -> None:
    pipe = Path("pipe")
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert run("specs/same.yaml", "specs/gone.yaml", "--output-file", "pipe").exit_code == 0
    assert os.read(reader, 20).startswith(b"specs/same.yaml")
    os.close(reader)
    assert pipe.is_fifo()
