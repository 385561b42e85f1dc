"""Pictures are drawn into memory, whatever window system the environment names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DRAW = """
import os, sys
from specforge.report.canvas import new_figure
figure = new_figure(figsize=(1, 1))
figure.text(0.1, 0.1, "drawn", parse_math=False)
figure.savefig(sys.argv[1], format="png")
assert "matplotlib.pyplot" not in sys.modules
print(os.environ.get("MPLBACKEND"))
"""


@pytest.mark.parametrize(
    "backend", ["TkAgg", "QtAgg", "nonsense", "module://matplotlib_inline.backend_inline", "agg", ""]
)
def test_the_backend_of_the_environment_does_not_matter(backend: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment |= {"MPLBACKEND": backend, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", DRAW, str(tmp_path / "a.png")],
        env=environment,
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert done.stdout == f"{backend}\n", "who uses pyplot beside us keeps their choice"
