"""What is told of steps whose loss or gradients are not finite.

In: a learner, the batches of its stage and the number of such a step, from 0. Out: the error that ends the run, or a
sentence. The weights have not met the step's gradients: the gate was closed.
"""

from contextlib import closing

from specforge.data.batches import Batch, TrainBatches
from specforge.training.diagnosis import UNSEEN, first_fault, rows_of
from specforge.training.errors import TrainingError
from specforge.training.learner import Learner

# how often a run goes back before it gives up
MOST_ROLLBACKS = 3
# steps that are listed
_NAMED = 8


class NotFinite(Exception):
    """A step of the epoch, from 0, after which the run can't simply go on."""

    def __init__(self, step: int):
        super().__init__(f"step {step}")
        self.step = step


def error_of(
    learner: Learner, batches: TrainBatches, *, epoch: int, step: int, checkpoint: str | None, left_out: int = 0
) -> TrainingError:
    """The step is computed again to find what was at fault. `checkpoint` is the last good one."""
    batch = _batch(batches, epoch, step)
    own = first_fault(learner, batch, epoch=epoch, step=step), rows_of(batch.indices)
    # each process looks at its own images
    of_all = learner.processes.all_of(own)
    found, rows = next((one for one in of_all if one[0] != UNSEEN), of_all[0])
    rate = max(learner.rates(step).values())
    where = f"epoch {epoch + 1}, step {step + 1} of {batches.steps_per_epoch}"
    images = "" if "of the data set" in found else f"; its batch holds the images {rows}"
    message = f"training diverged in {where}: {found} is not finite, at a learning rate of {rate:g}{images}"
    kept = f"the checkpoint {checkpoint} is good" if checkpoint else "there is no checkpoint yet"
    if left_out:
        hint = f"lower the learning rate: {left_out} batches were left out already; {kept}"
    else:
        hint = (
            f"lower the learning rate, or leave such steps out with `on_nan: skip`; no weight was changed by it, {kept}"
        )
    return TrainingError(message, hint=hint)


def skips_told(epoch: int, steps: list[int], total: int) -> str:
    """`epoch 3: left out 2 of 391 steps, …: 14, 80`."""
    named = ", ".join(str(step + 1) for step in steps[:_NAMED])
    more = ", …" if len(steps) > _NAMED else ""
    why = "where the loss or a gradient was not finite"
    return f"epoch {epoch + 1}: left out {len(steps)} of {total} steps, {why}: {named}{more}"


def _batch(batches: TrainBatches, epoch: int, step: int) -> Batch:
    with closing(batches.epoch(epoch, start_step=step)) as following:  # type: ignore[type-var]  # it is a generator
        return next(following)
