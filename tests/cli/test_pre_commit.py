"""The hooks that .pre-commit-hooks.yaml offers, run by pre-commit itself from a copy of this tree."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import ROOT
from tests.cli.test_validate import GIT, git

HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
UNTIDY = "specforge: 1\nname:   base\n"


def test_the_hooks_are_there_without_torch() -> None:
    assert {hook["id"]: hook["entry"] for hook in HOOKS} == {
        "specforge-validate": "specforge validate",
        "specforge-fmt": "specforge fmt",
    }
    # no extra, and nothing else to install: the light core
    assert all(hook["language"] == "python" and "additional_dependencies" not in hook for hook in HOOKS)


def _copied(folder: Path) -> Path:
    """What git has of this tree and would have, as a repository of its own with one commit."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if listed.returncode != 0 or "pyproject.toml" not in listed.stdout.split("\0"):
        pytest.skip("this tree is not a git repository")
    needed = ("specforge/", "specs/zoo/", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
    for name in listed.stdout.split("\0"):
        if name.startswith(needed) and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "hooks")
    return folder


def _run(folder: Path, home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= GIT | {"PRE_COMMIT_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository whose specs extend each other, with other YAML that is none of specforge's business."""
    pytest.importorskip("pre_commit")
    hooks = _copied(tmp_path / "hooks")
    folder = tmp_path / "project"
    (folder / "specs").mkdir(parents=True)
    example = yaml.safe_load((ROOT / "examples" / "ci" / "pre-commit-config.yaml").read_text(encoding="utf-8"))
    example["repos"][0] |= {"repo": str(hooks), "rev": git(hooks, "rev-parse", "HEAD")}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(example))
    (folder / "specs" / "base.yaml").write_text(UNTIDY)
    (folder / "specs" / "child.yaml").write_text("extends: base.yaml\nname: child\n")
    (folder / "compose.yaml").write_text("services:   {covn: 3}\n")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    return folder


def test_pre_commit_runs_the_hooks(project: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    installed = _run(project, home, "install-hooks")
    if installed.returncode != 0 and "No matching distribution" in installed.stdout:
        pytest.skip("pip can't reach a package index")
    assert installed.returncode == 0, installed.stdout + installed.stderr

    first = _run(project, home, "run")
    assert first.returncode == 1  # fmt changed a file
    assert "specforge validate.......................................................Passed" in first.stdout
    assert (project / "specs" / "base.yaml").read_text() == "specforge: 1\nname: base\n"
    assert (project / "compose.yaml").read_text() == "services:   {covn: 3}\n"

    git(project, "add", "-A")
    assert _run(project, home, "run").returncode == 0
    git(project, "commit", "-q", "-m", "specs")

    (project / "specs" / "base.yaml").write_text("specforge: 1\nname: base\nparmas: {width: 8}\n")
    git(project, "add", "-A")
    broken = _run(project, home, "run")
    assert broken.returncode == 1
    assert "error[SF301]" in broken.stdout
    assert "did you mean `params`?" in broken.stdout
    assert broken.stdout.count("specs/base.yaml:3:1") == 1
    assert "also reaches: specs/child.yaml" in broken.stdout
    libraries = next(home.glob("*/py_env-*/lib/python*/site-packages"))
    assert (libraries / "specforge" / "zoo" / "resnet18.yaml").is_file()
    assert not (libraries / "torch").exists()
