"""Specs with all that can be lost between two steps, trained as `specforge train` does it.

All have epochs of three steps.
"""

from pathlib import Path
from unittest import mock

from specforge import experiment
from specforge.training.listener import Listener

STEPS = 3
RECIPES = ("plain", "everything", "stages", "snapshots", "found")


def spec_of(recipe: str) -> Path:
    return Path(__file__).parent / "specs" / f"{recipe}.yaml"


def train_recipe(folder: Path, recipe: str, *, resume: bool = False, listener: Listener | None = None) -> None:
    """On the CPU. The report is left out: drawing takes longer than training here."""
    with mock.patch.object(experiment, "write_reports"):
        experiment.train(spec_of(recipe), out=folder, resume=resume, device="cpu", listener=listener)
