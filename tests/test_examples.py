"""Every example runs, and prints what it says that it prints."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
