"""Lightning's trainer on the tutorial's network and batches, with nothing else switched on."""

from typing import Any

import lightning
import torch
from torch import Tensor, nn

from benchmarks.cases import Case
from benchmarks.turns import Turns
from benchmarks.ways import networks
from benchmarks.ways.device import finish
from benchmarks.ways.pictures import loader


class Classifier(lightning.LightningModule):
    """As Lightning's first page has it."""

    def __init__(self, spec: str):
        super().__init__()
        self.spec, self.network, self.loss_of = spec, networks.build(spec), nn.CrossEntropyLoss()

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        images, labels = batch
        loss: Tensor = self.loss_of(self.network(images), labels)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return networks.optimizer(self.spec, self.network, fused=False)


class TakesTurns(lightning.Callback):
    """Holds the trainer after every step until it may go on."""

    def __init__(self, turns: Turns):
        self.turns = turns

    def on_train_start(self, *_: Any) -> None:
        self.turns.begin(finish)

    def on_train_batch_end(self, *_: Any, **__: Any) -> None:
        self.turns.step()

    def on_train_epoch_end(self, *_: Any) -> None:
        self.turns.again()


def run(case: Case, turns: Turns) -> None:
    torch.manual_seed(0)
    trainer = lightning.Trainer(
        max_epochs=-1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[TakesTurns(turns)],
    )
    trainer.fit(Classifier(case.spec), loader(case))
