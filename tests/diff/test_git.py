"""The recipes of docs/diff.md, run with git as they are written."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

DOCUMENT = Path(__file__).parents[2] / "docs" / "diff.md"
PARENT = """
specforge: 1
name: parent
params: {width: 8}
model: {input: [1, 8, 8], layers: [flatten, {linear: $width}, relu, {linear: 10}]}
"""
CHILD = "specforge: 1\nname: lab2\nextends: parent.yaml\n"


def recipes() -> dict[str, str]:
    """The commands by what they set up: `command`, `textconv`, `cmd`."""
    found = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(encoding="utf-8").split("## In git")[1], re.DOTALL)
    assert len(found) == 3
    return {re.search(r"specforge\.(\w+)", text)[1]: text for text in found}  # type: ignore[index]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits: the child's width grows from 8 to 12, and `specforge` is on the path."""
    tools = tmp_path / "tools"
    tools.mkdir()
    program = tools / "specforge"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from specforge.cli import main; main()" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(DOCUMENT.parents[1]))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "no-config"))
    monkeypatch.setenv("GIT_PAGER", "cat")
    home = tmp_path / "clone"
    (home / "specs").mkdir(parents=True)
    monkeypatch.chdir(home)
    git("init --quiet")
    Path("specs/parent.yaml").write_text(PARENT, encoding="utf-8")
    Path("specs/lab2.yaml").write_text(CHILD, encoding="utf-8")
    git("add .")
    git("commit --quiet --message first")
    Path("specs/lab2.yaml").write_text(CHILD + "params: {width: 12}\n", encoding="utf-8")
    git("commit --quiet --all --message second")
    return home


def git(arguments: str) -> str:
    return shell(f"git -c user.name=test -c user.email=test@example.org -c commit.gpgsign=false {arguments}")


def shell(text: str) -> str:
    done = subprocess.run(["bash", "-ec", text], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_git_diff_tells_the_difference(repository: Path) -> None:
    found = shell(recipes()["command"])
    assert "~ linear_1  out_features: 8 -> 12" in found
    assert "different architecture" in found


def test_git_diff_shows_a_new_file_as_text(repository: Path) -> None:
    shell(recipes()["command"])
    Path("specs/new.yaml").write_text(PARENT, encoding="utf-8")
    git("add specs/new.yaml")
    found = git("diff --cached")
    assert "+++ b/specs/new.yaml" in found
    assert "+name: parent" in found


def test_resolved_specs_in_the_log(repository: Path) -> None:
    found = shell(recipes()["textconv"])
    assert re.search(r"^-    - linear: \{out_features: 8\}$", found, re.MULTILINE), found
    assert re.search(r"^\+    - linear: \{out_features: 12\}$", found, re.MULTILINE)
    assert "extends" not in found


def test_difftool(repository: Path) -> None:
    assert "~ linear_1  out_features: 8 -> 12" in shell(recipes()["cmd"])
