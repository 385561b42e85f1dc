"""What an epoch is measured by: the numbers of its line of metrics.

In: what its steps added up to, and the parts of the data that are measured after it. Out: `train_loss`, …, as they
stand in `metrics.jsonl`. The device is waited for here.
"""

from collections.abc import Callable
from math import isfinite

from torch import nn

from specforge.data.parts import Part
from specforge.data.prepare import Prepared
from specforge.graph import StagePlan
from specforge.torch_backend.calls import evaluate as built
from specforge.training.errors import TrainingError
from specforge.training.evaluation import Evaluation, evaluate, evaluation_batches
from specforge.training.learner import Learner
from specforge.training.progress import Line


class Measures:
    """Of a learner on these data; `check` is called between batches and may raise."""

    def __init__(self, learner: Learner, prepared: Prepared, *, with_test: bool, check: Callable[[], None]):
        self._learner, self._prepared, self._check = learner, prepared, check
        self._parts = {"validation": prepared.validation, **({"test": prepared.test} if with_test else {})}

    def of_parts(self, plan: StagePlan, *, epoch: int, step: int) -> Line:
        """Loss and accuracy of every part after an epoch, from 0, of so many steps."""
        line: Line = {}
        for name, part in self._parts.items():
            if part is not None:
                found = self._evaluation(part, plan)
                self.demand_finite(found.loss, f"{name} loss", epoch=epoch, step=step)
                line |= {f"{name}_loss": found.loss, f"{name}_accuracy": found.accuracy}
        return line

    def rates(self, plan: StagePlan) -> float | dict[str, float]:
        """The rate of the epoch's first step, or that of every group."""
        rates = self._learner.rates(0)
        # the same form in every epoch of a stage, also where rates happen to meet
        differ = len({(group.optimizer.lr, group.schedule) for group in plan.groups}) > 1
        return rates if differ else next(iter(rates.values()))

    def demand_finite(self, loss: float, what: str, *, epoch: int, step: int) -> None:
        if isfinite(loss) and self._learner.is_finite():
            return
        rates = self._learner.rates(max(0, step - 1)).values()
        found = f"the {what} is {loss}" if not isfinite(loss) else "weights are no longer finite"
        raise TrainingError(
            f"training diverged in epoch {epoch + 1}: {found}, at a learning rate of {max(rates):g}",
            hint="lower the learning rate; the checkpoints in the folder are of earlier steps and intact",
        )

    def _evaluation(self, part: Part, plan: StagePlan) -> Evaluation:
        learner = self._learner
        loss: nn.Module = built(plan.stage.loss.lower()).to(learner.device)
        fits = learner.micro_batches.limit or plan.stage.batch_size
        batches = evaluation_batches(part, self._prepared, train_batch_size=fits, shard=learner.processes.shard)
        with learner.precision.context():
            return evaluate(
                learner.tested, loss, batches, classes=len(self._prepared.class_names), check=self._check,
                processes=learner.processes,
            )  # fmt: skip
