"""From a module, a recipe and prepared data to a run directory: the loop, checkpoints, metrics and the final test.

Names are imported on first use, so that what stops a run (`errors`) and who listens (`listener`) need no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specforge.training.device import choose_device as choose_device
    from specforge.training.errors import Interrupted as Interrupted
    from specforge.training.errors import SpecChanged as SpecChanged
    from specforge.training.errors import TrainingError as TrainingError
    from specforge.training.final_test import evaluate_run as evaluate_run
    from specforge.training.listener import Listener as Listener
    from specforge.training.result import Result as Result
    from specforge.training.run_directory import RunDirectory as RunDirectory
    from specforge.training.trainer import fit as fit

_HOMES = {
    "Interrupted": "errors",
    "Listener": "listener",
    "Result": "result",
    "RunDirectory": "run_directory",
    "SpecChanged": "errors",
    "TrainingError": "errors",
    "choose_device": "device",
    "evaluate_run": "final_test",
    "fit": "trainer",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'specforge.training' has no attribute {name!r}")
    return getattr(import_module(f"specforge.training.{_HOMES[name]}"), name)
