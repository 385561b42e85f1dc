"""One step of training: what learns, by which rule, at which rate.

In: a module, a recipe and a batch on the device. Out: changed weights, and the batch's loss and logits, which stay
on the device: nothing here waits for it.
"""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from specforge.catalog.definition import Clock
from specforge.data.batches import Batch
from specforge.data.randomness import key
from specforge.modules import Wired
from specforge.spec import Train
from specforge.torch_backend.calls import evaluate
from specforge.training.checkpoint import Checkpoint
from specforge.training.device import place
from specforge.training.errors import TrainingError
from specforge.training.optimizer import build_optimizer, optimizer_state, restore_optimizer
from specforge.training.progress import Progress


class Learner:
    """A module with its loss, optimizer and schedule on one device. Epochs and steps count from 0."""

    def __init__(self, module: nn.Module, train: Train, *, steps_per_epoch: int, device: torch.device):
        self.module = place(module, device)
        self.loss: nn.Module = evaluate(train.loss.lower()).to(device)
        self.optimizer = build_optimizer(train.optimizer, module, device=device)
        self._train, self._steps_per_epoch = train, steps_per_epoch

    def begin_epoch(self) -> None:
        """Training mode, but for frozen batch norms: their statistics stay as they are, like their weights."""
        self.module.train()
        for module in self.module.modules():
            frozen = [not parameter.requires_grad for parameter in module.parameters(recurse=False)]
            if isinstance(module, _BatchNorm) and frozen and all(frozen):
                module.eval()

    def rate(self, epoch: int, step: int) -> float:
        """The learning rate of a step."""
        base, schedule = self._train.optimizer.lr, self._train.schedule
        if schedule is None:
            return base
        done = epoch * self._steps_per_epoch + step
        return schedule.rate(base, Clock(done, self._steps_per_epoch, self._train.epochs))

    def learn(self, batch: Batch, *, epoch: int, step: int) -> tuple[Tensor, Tensor]:
        """One optimizer step; the batch's mean loss and its logits (N, classes) before it."""
        # dropout's draws follow from the position alone, so that a resumed run repeats them
        torch.manual_seed(key(self._train.seed, "dropout", epoch, step))
        rate = self.rate(epoch, step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        logits, loss = self.loss_of(batch)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.optimizer.step()
        return loss.detach(), logits.detach()

    def loss_of(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The logits of a batch, and its loss: with side branches, theirs are added by their weights."""
        output = self._outputs(batch)
        if not isinstance(output, tuple):
            loss: Tensor = self.loss(output, batch.labels)
            return output, loss
        logits, heads = output
        loss = self.loss(logits, batch.labels)
        assert isinstance(self.module, Wired)
        for path, weight in self.module.head_weights.items():
            loss = loss + weight * self.loss(heads[path], batch.labels)
        return logits, loss

    def _outputs(self, batch: Batch) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        try:
            outputs: Tensor | tuple[Tensor, dict[str, Tensor]] = self.module(batch.images)
        except ValueError as error:
            if len(batch.images) > 1:
                raise
            hint = "choose a `batch_size` that leaves no single image over"
            raise TrainingError(f"a batch of one image can't be normalised: {error}", hint=hint) from None
        return outputs

    def checkpoint(self, progress: Progress) -> Checkpoint:
        return Checkpoint(progress, self.module.state_dict(), optimizer_state(self.optimizer, self.module))

    def restore(self, checkpoint: Checkpoint) -> None:
        load_weights(self.module, checkpoint.weights)
        restore_optimizer(self.optimizer, self.module, checkpoint.optimizer)

    def is_finite(self) -> bool:
        """Whether all weights and statistics are; the device is waited for once."""
        state = [tensor for tensor in self.module.state_dict().values() if tensor.is_floating_point()]
        return bool(torch.stack([tensor.isfinite().all() for tensor in state]).all())


def load_weights(module: nn.Module, weights: dict[str, Tensor]) -> None:
    """All of a module's state; a TrainingError where names or shapes differ."""
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise TrainingError(
            f"the checkpoint does not fit the network: {error}", hint="was it made by another version of specforge?"
        ) from None
