"""The room's front door."""

import subprocess
import sys
from pathlib import Path

import pytest

import specforge.training


def test_every_promised_name_is_there() -> None:
    for name in specforge.training._HOMES:
        assert getattr(specforge.training, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        specforge.training.absent  # noqa: B018


def test_what_stops_a_run_and_who_listens_need_no_torch() -> None:
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from specforge.training import Interrupted, Listener, TrainingError\n"
        "from specforge.training.listener import Silence"
    )
    command = [sys.executable, "-c", program]
    subprocess.run(command, cwd=Path(__file__).parents[2], check=True, timeout=60)
