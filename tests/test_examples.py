"""Every example runs, and prints what it says that it prints."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
PROGRAM = "import sys; from specforge.cli import main; sys.argv[0] = 'specforge'; main()"
_PLAIN = {"NO_COLOR": "1", "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}


def _run(command: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=os.environ | _PLAIN | variables,
        capture_output=True, text=True, encoding="utf-8", timeout=300,
    )  # fmt: skip


def test_python_api(tmp_path: Path) -> None:
    run = _run([sys.executable, str(EXAMPLES / "python_api.py")], tmp_path)
    assert run.returncode == 0, run.stderr
    assert "67,754 trainable parameters" in run.stdout
    assert "four images -> (4, 10)" in run.stdout
    assert "the same: False" in run.stdout
    assert list(tmp_path.iterdir()) == []  # it cleans up after itself


@pytest.mark.parametrize("name", ["names", "shapes"])
def test_first_error(name: str) -> None:
    file = f"examples/first_error/{name}.yaml"
    run = _run([sys.executable, "-c", PROGRAM, "validate", file], ROOT)
    assert run.returncode == 1
    assert run.stdout == (EXAMPLES / "first_error" / f"{name}.txt").read_text(encoding="utf-8")


@pytest.fixture
def steps() -> list[str]:
    """What the workflow runs, in order."""
    workflow = yaml.safe_load((EXAMPLES / "ci" / "github-workflow.yml").read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()
    assert all(("run" in step) != ("uses" in step) for step in job["steps"])
    return [step["run"] for step in job["steps"] if "run" in step]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder with the specs, and a `specforge` on its PATH."""
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    script = tmp_path / "bin" / "specforge"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{PROGRAM}" "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return tmp_path


def _execute(steps: list[str], repository: Path) -> int:
    """The steps after the installation, each as GitHub runs it, until one fails."""
    for step in steps:
        path = f"{repository / 'bin'}{os.pathsep}{os.environ['PATH']}"
        code = _run(["bash", "-e", "-c", step], repository, PATH=path).returncode
        if code != 0:
            return code
    return 0


def test_workflow_installs_the_light_core(steps: list[str]) -> None:
    assert steps[0] == "pip install ."
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert not [name for name in project["dependencies"] if name.startswith(("torch", "numpy", "matplotlib"))]


def test_workflow_passes_for_right_specs(steps: list[str], repository: Path) -> None:
    assert len(steps) > 1
    assert _execute(steps[1:], repository) == 0


def test_workflow_fails_for_an_error(steps: list[str], repository: Path) -> None:
    shutil.copy(EXAMPLES / "first_error" / "names.yaml", repository / "specs")
    assert _execute(steps[1:], repository) == 1


def test_workflow_fails_for_a_warning(steps: list[str], repository: Path) -> None:
    text = (repository / "specs" / "quickstart.yaml").read_text(encoding="utf-8")
    assert "train: 0.9" in text
    (repository / "specs" / "careless.yaml").write_text(text.replace("train: 0.9", "train: 0.5"), encoding="utf-8")
    assert _execute(steps[1:], repository) == 1
