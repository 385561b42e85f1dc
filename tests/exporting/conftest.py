"""Runs that several tests of this room ask: each is trained once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trained_runs import finished


@pytest.fixture(scope="session")
def run_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`run_of("digits")` is the folder of a finished run."""
    folder = tmp_path_factory.mktemp("runs")
    return lambda name: finished(folder, name)
