"""Trains a module by a recipe and tests it.

In: a module with initial weights, a checked spec, prepared data and a run directory. Out: a `Result`, and in the
directory everything that is needed to go on after a crash, a kill or Ctrl-C as if nothing had happened.
"""

import torch
from torch import nn

from specforge.data.prepare import Prepared
from specforge.spec import Spec
from specforge.training.device import repeatable
from specforge.training.environment import environment
from specforge.training.epochs import Epochs
from specforge.training.errors import TrainingError
from specforge.training.final_test import final_test
from specforge.training.interrupts import InterruptGuard
from specforge.training.listener import Listener, Silence
from specforge.training.result import Result, confusion_file
from specforge.training.run_directory import RunDirectory


def fit(
    module: nn.Module,
    spec: Spec,
    prepared: Prepared,
    *,
    run: RunDirectory,
    device: torch.device,
    resume: bool = False,
    listener: Listener | None = None,
) -> Result:
    """Train, test and write a run directory. Raises TrainingError, and Interrupted after a signal.

    With `resume` it goes on with what the directory holds, starts it when that is nothing, and returns the result at
    once when the run is finished. The weights that a resumed run ends with are those of an uninterrupted one, bit for
    bit. The module ends with the tested weights, on the device; torch's global random state is changed.
    """
    told = listener or Silence()
    _can_choose_weights(spec, prepared)
    notice = run.start(environment(device), resume=resume)
    finished = run.result()
    if finished is not None:
        told.on_message(f"{run.path} holds a finished run: there is nothing left to train")
        return finished
    if notice:
        told.on_message(notice)
    with InterruptGuard() as guard, repeatable():
        epochs = Epochs(module, spec, prepared, run=run, device=device, listener=told, guard=guard)
        progress = epochs.run()
        result, evaluation = final_test(
            module, spec, prepared, run=run, progress=progress, device=device, check=guard.check
        )
        run.write("confusion.json", confusion_file(evaluation, prepared.class_names))
        run.write("result.json", result.encode())
    return result


def _can_choose_weights(spec: Spec, prepared: Prepared) -> None:
    assert spec.train is not None, "a spec without a recipe was refused before"
    policy = spec.train.checkpoint
    if policy != "last" and prepared.validation is None:
        raise TrainingError(f"`checkpoint: {policy}` needs a validation part", hint="add `data.split.validation`")
