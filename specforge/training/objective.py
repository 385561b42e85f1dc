"""What a stage minimises: the loss of its output, those of its side branches, and L2.

In: a batch, or a part of one. Out: the logits, and a number whose gradients the optimizers follow.
"""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from specforge.data.batches import Batch
from specforge.data.sharding import Whole
from specforge.graph import Settings
from specforge.modules import Wired
from specforge.training.compilation import Forward
from specforge.training.errors import TrainingError
from specforge.training.microbatches import share


class Objective:
    """`names` are the module's parameters, `groups` say which of them L2 is about."""

    def __init__(
        self,
        module: nn.Module,
        forward: Forward,
        loss: nn.Module,
        *,
        groups: Sequence[Settings],
        names: Mapping[str, nn.Parameter],
    ):
        self._module, self._forward, self._loss = module, forward, loss
        self._groups, self._names = groups, names

    def __call__(self, batch: Batch, whole: Batch | None = None) -> tuple[Tensor, Tensor]:
        """Of a part of a `whole` batch, the loss is its share: those of all parts add up to the loss of the batch.

        A batch may itself be a process's share of one.
        """
        given = whole or batch
        all_of_it = given.whole or given
        output = self._outputs(batch)
        heads: dict[str, Tensor] = {}
        if isinstance(output, tuple):
            output, heads = output
        loss = self._mixed_loss(output, batch, all_of_it)
        if heads:
            assert isinstance(self._module, Wired)
            for path, weight in self._module.head_weights.items():
                loss = loss + weight * self._mixed_loss(heads[path], batch, all_of_it)
        for settings in self._groups:
            if settings.l2:
                l2 = settings.l2 if all_of_it is batch else settings.l2 * len(batch.labels) / len(all_of_it.labels)
                loss = loss + l2 * sum(self._names[name].square().sum() for name in settings.names)
        return output, loss if given.whole is None else loss / given.whole.copies

    def _mixed_loss(self, logits: Tensor, batch: Batch, whole: Batch | Whole) -> Tensor:
        """Of mixed images by both labels, each for its share."""
        logits = logits.float()
        loss = self._mean_loss(logits, batch.labels, whole.labels)
        if batch.mixed is None or whole.mixed is None:
            return loss
        return batch.mixed.between(loss, self._mean_loss(logits, batch.mixed.labels, whole.mixed.labels))

    def _mean_loss(self, logits: Tensor, labels: Tensor, whole: Tensor) -> Tensor:
        loss: Tensor = self._loss(logits, labels)
        return loss if labels is whole else loss * share(self._loss, labels, whole)

    def _outputs(self, batch: Batch) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        try:
            outputs: Tensor | tuple[Tensor, dict[str, Tensor]] = self._forward(batch.images)
        except ValueError as error:
            if len(batch.images) > 1:
                raise
            hint = "choose a `batch_size` that leaves no single image over"
            raise TrainingError(f"a batch of one image can't be normalised: {error}", hint=hint) from None
        return outputs
