"""One step of training: what learns, by which rules, at which rates.

In: a module, the plan of a stage and a batch on the device. Out: changed weights, and the batch's loss and logits,
which stay on the device: nothing here waits for it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from specforge.catalog.definition import Clock
from specforge.data.batches import Batch
from specforge.data.randomness import key
from specforge.graph import Settings, StagePlan
from specforge.recipe import Train
from specforge.torch_backend.calls import evaluate
from specforge.training.averaging import Average
from specforge.training.checkpoint import Checkpoint
from specforge.training.compilation import Forward
from specforge.training.device import place
from specforge.training.errors import TrainingError
from specforge.training.gate import Gate, all_finite
from specforge.training.microbatches import MicroBatches
from specforge.training.objective import Objective
from specforge.training.optimizer import OptimizerState, build_optimizer, optimizer_state, restore_optimizer
from specforge.training.precision import Precision
from specforge.training.processes import ALONE, Processes
from specforge.training.progress import Progress
from specforge.training.reduction import Reduction


@dataclass(frozen=True, slots=True)
class Elapsed:
    """What the clock of a stage's schedule has behind it when an epoch begins, of `total` epochs.

    `epochs` and `steps` count from where optimizer and schedule started: at this stage, or before it if it continues.
    `run_steps` are those of the whole run.
    """

    epochs: int
    steps: int
    total: int
    run_steps: int = 0


class Learner:
    """A module that learns on one device, stage by stage. Epochs and steps count from 0.

    `tested` is the module whose weights are validated and tested: itself, or its moving average. `steps` are those of
    the whole run, of which compiling depends; what is decided is told through `tell`. Of several `processes`, each has
    its share of every batch.
    """

    def __init__(
        self,
        module: nn.Module,
        train: Train,
        *,
        device: torch.device,
        class_counts: tuple[int, ...],
        steps: int = 0,
        tell: Callable[[str], None] = lambda _: None,
        processes: Processes = ALONE,
    ):
        self.module, self.processes = place(module, device), processes
        self._reduction = Reduction(self.module, processes)
        self._forward = Forward(self.module, train.compile, device=device, steps=steps, tell=tell)
        self.precision = Precision(train.precision, device)
        self.average = None if train.ema is None else Average(self.module, train.ema)
        self.gate = Gate(self.module, device, holds=train.on_nan != "skip", agrees=processes.count > 1)
        self.micro_batches = MicroBatches(self.module, tell=tell, processes=processes.count)
        self._train, self.device, self.class_counts = train, device, class_counts
        self._names = dict(self.module.named_parameters())
        self.optimizers: list[torch.optim.Optimizer] = []

    @property
    def tested(self) -> nn.Module:
        return self.module if self.average is None else self.average.module

    def begin_stage(
        self, plan: StagePlan, *, found: float | None = None, carried: OptimizerState | None = None
    ) -> None:
        """Freeze, thaw and build what a stage learns with; `found` is what the learning-rate finder chose for it.

        `carried` is the state of optimizers that go on.
        """
        self._plan, self._found = plan, found
        for name, parameter in self._names.items():
            parameter.requires_grad_(name not in plan.frozen)
        if not plan.groups:
            raise TrainingError("the network has no trainable parameter", hint="remove a `trainable: false`")
        self.loss: nn.Module = evaluate(plan.stage.loss.lower(self.class_counts)).to(self.device)
        self._objective = Objective(self.module, self._forward, self.loss, groups=plan.groups, names=self._names)
        self.optimizers = [self._build(settings) for settings in plan.groups]
        if carried is not None:
            restore_optimizer(self.optimizers, self.module, carried)
        self.gate.begin_stage(self.optimizers)
        self.micro_batches.begin_stage(self.loss)

    def begin_epoch(self, elapsed: Elapsed, *, steps: int) -> None:
        """Training mode, but for frozen batch norms: their statistics stay as they are, unless the stage asks."""
        self._elapsed, self._steps = elapsed, steps
        self.gate.begin_epoch(steps)
        self.module.train()
        if self._plan.stage.frozen_statistics == "keep":
            for module in self._still_norms():
                module.eval()

    def _still_norms(self) -> Iterator[nn.Module]:
        """The batch norms whose own parameters all stand still; one that has none, if its statistics do."""
        for path, module in self.module.named_modules():
            if isinstance(module, _BatchNorm):
                own = [name for name, _ in module.named_parameters(recurse=False)] or ["running_mean"]
                if all(f"{path}.{name}" in self._plan.frozen for name in own):
                    yield module

    def rates(self, step: int) -> dict[str, float]:
        """The learning rate of each group at a step of the epoch."""
        clock = self._clock(step)
        return {settings.label: self._rate(settings, clock) for settings in self._plan.groups}

    def learn(self, batch: Batch, *, epoch: int, step: int) -> tuple[Tensor, Tensor]:
        """One optimizer step; the batch's mean loss and its logits (N, classes) before it.

        Of several processes, the loss is that of all images, the logits are of its own. A loss or gradients that are
        not finite leave everything as it was: `gate` knows.
        """
        self._set_rates(self._clock(step))
        self.gate.keep()
        self._reduction.begin(batch)
        begin = partial(self.begin_step, epoch, step)
        loss, logits = self.micro_batches.gradients(batch, self.gradients, begin=begin, undo=self.gate.restore)
        if self.processes.count > 1:
            loss = self._reduction(loss, batch, self._trained)
        self._change_weights(loss, step)
        if self.average is not None:
            self.average.update(self._elapsed.run_steps + step)
        return loss, logits

    def begin_step(self, epoch: int, step: int) -> None:
        self.seed_draws(epoch, step)
        self.module.zero_grad(set_to_none=True)

    def seed_draws(self, epoch: int, step: int) -> None:
        """Dropout's draws follow from the position alone, so that a resumed run repeats them."""
        own = () if self.processes.is_first else (self.processes.number,)
        torch.manual_seed(key(self._train.seed, "dropout", epoch, step, *own))

    def gradients(self, batch: Batch, whole: Batch) -> tuple[Tensor, Tensor]:
        """Adds those of a batch that is the `whole` one or a part of it; its share of the loss, and its logits."""
        with self.precision.context():
            logits, loss = self.loss_of(batch, whole)
        scaled = loss if self.precision.scaler is None else self.precision.scaler.scale(loss)
        scaled.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return loss.detach(), logits.detach()

    def loss_of(self, batch: Batch, whole: Batch | None = None) -> tuple[Tensor, Tensor]:
        """The logits of a batch, or of a part of a `whole` one, and what is minimised."""
        return self._objective(batch, whole)

    def _change_weights(self, loss: Tensor, step: int) -> None:
        scaler = self.precision.scaler
        if scaler is None:
            self.gate.step(self._bound_gradients(loss), step)
            return
        for optimizer in self.optimizers:
            scaler.unscale_(optimizer)
        # it scales up until gradients overflow, which says nothing about them
        overflow = loss.isfinite() & (scaler.scale(torch.ones_like(loss)) > 1)
        self.gate.step(self._bound_gradients(loss), step, excused=overflow)
        scaler.update()

    def _bound_gradients(self, loss: Tensor) -> Tensor:
        """Whether they and the loss are finite, () bool."""
        clipping = self._plan.stage.gradient_clipping
        trained = self._trained
        if clipping is not None and clipping.norm is not None:
            return all_finite(loss, [nn.utils.clip_grad_norm_(trained, clipping.norm)])
        finite = all_finite(loss, [parameter.grad for parameter in trained if parameter.grad is not None])
        if clipping is not None:
            assert clipping.value is not None
            nn.utils.clip_grad_value_(trained, clipping.value)
        return finite

    @property
    def _trained(self) -> list[nn.Parameter]:
        return [self._names[name] for settings in self._plan.groups for name in settings.names]

    def _build(self, settings: Settings) -> torch.optim.Optimizer:
        parameters = [self._names[name] for name in settings.names]
        return build_optimizer(settings.optimizer, parameters, lr=self._base(settings), device=self.device)

    def _base(self, settings: Settings) -> float:
        rate = settings.optimizer.lr
        if rate != "find":
            return float(rate)
        assert self._found is not None, "the finder runs before a stage begins"
        return self._found

    def _clock(self, step: int) -> Clock:
        elapsed = self._elapsed
        return Clock(elapsed.steps + step, elapsed.epochs, step / self._steps, elapsed.total)

    def _rate(self, settings: Settings, clock: Clock) -> float:
        base = self._base(settings)
        return base if settings.schedule is None else settings.schedule.rate(base, clock)

    def _set_rates(self, clock: Clock) -> None:
        for settings, optimizer in zip(self._plan.groups, self.optimizers, strict=True):
            rate = self._rate(settings, clock)
            momentum = None if settings.schedule is None else settings.schedule.momentum(clock)
            for group in optimizer.param_groups:
                group["lr"] = rate
                if momentum is not None and "betas" in group:
                    group["betas"] = (momentum, *group["betas"][1:])
                elif momentum is not None and "momentum" in group:
                    group["momentum"] = momentum

    def checkpoint(self, progress: Progress) -> Checkpoint:
        averages = None if self.average is None else self.average.module.state_dict()
        state = optimizer_state(self.optimizers, self.module)
        return Checkpoint(progress, self.module.state_dict(), state, averages, self.precision.state())

    def restore(self, checkpoint: Checkpoint) -> None:
        """Weights, averages and the state of the optimizers of the stage that has begun."""
        load_weights(self.module, checkpoint.weights)
        if self.average is not None and checkpoint.averages is not None:
            load_weights(self.average.module, checkpoint.averages)
        restore_optimizer(self.optimizers, self.module, checkpoint.optimizer)
        self.gate.begin_stage(self.optimizers)
        self.precision.restore(checkpoint.scaler)

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
