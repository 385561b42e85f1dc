"""A model and files of images -> for each file the classes that the model takes it for, the likeliest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from specforge.catalog.datasets.image_listing import Fault
from specforge.prediction.card import Card
from specforge.prediction.errors import PredictionError
from specforge.prediction.images import find, read
from specforge.prediction.networks import Model


@dataclass(frozen=True, slots=True)
class Answer:
    """A class, and the share of belief that it has, from 0 to 1."""

    index: int
    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model takes a file for; of equal ones the first class comes first."""

    path: Path
    top: tuple[Answer, ...]


def predict(model: Model, paths: Sequence[Path], *, top: int = 5) -> Iterator[Prediction | Fault]:
    """The `top` classes of every file, in order; folders stand for the images in them. Files are read in batches."""
    for found in read(find(paths), model.card, at_once=model.at_once):
        if isinstance(found, Fault):
            yield found
        else:
            files, pixels = found
            yield from _predictions(files, model.logits(pixels), model.card, top)


def _predictions(files: Sequence[Path], logits_nk: Tensor, card: Card, top: int) -> Iterator[Prediction]:
    if logits_nk.ndim != 2 or (card.class_names and logits_nk.shape[1] != len(card.class_names)):
        raise PredictionError(
            f"`{card.name}` gives {list(logits_nk.shape[1:])} for an image, expected one value for each class",
            hint="only classifiers of images can be asked about files",
        )
    if not logits_nk.isfinite().all():
        hint = "its training diverged, or its file was changed"
        raise PredictionError(f"`{card.name}` gives values that are no numbers", hint=hint)
    # by logits: float32 probabilities near 1 may be equal where they are not
    order = logits_nk.sort(dim=1, descending=True, stable=True).indices[:, :top]
    shares = logits_nk.softmax(1).gather(1, order)
    for file, classes, values in zip(files, order.tolist(), shares.tolist(), strict=True):
        answers = (Answer(k, _name(card, k), value) for k, value in zip(classes, values, strict=True))
        yield Prediction(file, tuple(answers))


def _name(card: Card, index: int) -> str:
    return card.class_names[index] if card.class_names else f"class {index}"
