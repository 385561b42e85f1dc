"""Classification with one true class for each image."""

from typing import Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Call, Loss


class CrossEntropy(Loss):
    """Minimises the negative log of the probability that the network gives to the true class.

        train:
          loss: {cross_entropy: {label_smoothing: 0.1}}

    Takes logits `(N, classes)`, without a softmax before, and class indices `(N,)`; the mean over the batch, in nats.
    `label_smoothing` is the share of the target, 0 to 1, that is spread evenly over all classes.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
    """

    also_known_as: ClassVar[tuple[str, ...]] = (
        "crossentropy",
        "cross_entropy_loss",
        "crossentropyloss",
        "categorical_crossentropy",
        "sparse_categorical_crossentropy",
    )

    label_smoothing: Annotated[float, Field(ge=0, le=1)] = 0.0

    def lower(self) -> Call:
        return Call("torch.nn.CrossEntropyLoss", {"label_smoothing": self.label_smoothing})
