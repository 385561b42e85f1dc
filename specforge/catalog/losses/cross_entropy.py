"""Classification with one true class for each image."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from specforge.catalog.datasets.definition import DataError
from specforge.catalog.definition import Call, Literals, Loss

ClassWeights = Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)]


class CrossEntropy(Loss):
    """Minimises the negative log of the probability that the network gives to the true class.

        train:
          loss: {cross_entropy: {label_smoothing: 0.1, class_weights: balanced}}

    Takes logits `(N, classes)`, without a softmax before, and class indices `(N,)`; the mean over the batch, in nats.
    `label_smoothing` is the share of the target, 0 to 1, that is spread evenly over all classes. `class_weights` is how
    much an image of each class counts in training: a list of positive numbers in the order of the classes, or
    `balanced`, images / (classes * images of the class) of the training part, which makes all classes count the same
    and an image 1 on average. The mean is weighted: it is divided by the weights of the batch, so only their ratios
    matter. Losses of the validation and test parts are not weighted. A list that is not as long as the data set has
    classes is an error, and so is `balanced` where a class has no training image.

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
    class_weights: Literal["balanced"] | ClassWeights | None = None

    def lower(self, class_counts: tuple[int, ...] | None = None) -> Call:
        arguments: dict[str, Literals | Call] = {"label_smoothing": self.label_smoothing}
        if self.class_weights is not None and class_counts is not None:
            arguments["weight"] = Call("torch.tensor", {"data": self._weights(class_counts)})
        return Call("torch.nn.CrossEntropyLoss", arguments)

    def _weights(self, class_counts: tuple[int, ...]) -> tuple[float, ...]:
        """One weight for each class; a `DataError` where that can't be, now that the data are read."""
        if isinstance(self.class_weights, tuple):
            if len(self.class_weights) != len(class_counts):
                found = f"{len(self.class_weights)} numbers, the data set has {len(class_counts)} classes"
                raise DataError(f"`class_weights` has {found}", hint="write one number for each class, or `balanced`")
            return self.class_weights
        absent = [str(number) for number, count in enumerate(class_counts) if not count]
        if absent:
            which = (
                f"class{'es' if len(absent) > 1 else ''} {', '.join(absent[:10])}{', …' if len(absent) > 10 else ''}"
            )
            raise DataError(
                f"`class_weights: balanced` divides by the training images of each class, and there is none of {which}",
                hint="give the training part images of every class, or write the weights as a list",
            )
        return tuple(sum(class_counts) / (len(class_counts) * count) for count in class_counts)
