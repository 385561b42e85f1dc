"""The program that ends at the first step of training trains that step."""

import subprocess
import sys
from pathlib import Path

from benchmarks.cases import ROOT
from benchmarks.start_up import FIRST_STEP


def test_it_ends_after_the_first_step_and_before_the_first_epoch(tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = subprocess.run([sys.executable, "-c", *FIRST_STEP, str(run)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (run / "spec.yaml").exists()
    assert "epoch" not in done.stderr
    assert not (run / "result.json").exists()
