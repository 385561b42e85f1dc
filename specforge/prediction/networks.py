"""A trained network that answers: pixels -> what it says of each image.

Legend of shapes: N images, C channels, H rows, W columns, K classes.
"""

from math import prod
from typing import Protocol

import torch
from torch import Tensor, nn

from specforge.data.batches import Normalizer
from specforge.graph.memory import kept_memory
from specforge.prediction.card import Card
from specforge.prediction.errors import PredictionError
from specforge.prediction.trained import Trained
from specforge.training.precision import Precision

# images that are asked about at once, their pixels and channels, and bytes of what the network makes of them
_IMAGES, _VALUES, _MEMORY = 256, 2**21, 2**30
# bytes for one image beyond which a file may have been made to take all memory
_MOST_MEMORY = 2**34
_LARGEST = 2**26  # pixels and channels of an image


class Model(Protocol):
    """What can be asked: `logits` takes bytes (N, C, H, W) on the CPU and gives (N, K) float32 on the CPU.

    Their softmax are the probabilities, for ensembles too. `notes` are for the user; `at_once` is how many images a
    batch should have.
    """

    @property
    def card(self) -> Card: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    @property
    def at_once(self) -> int: ...

    def logits(self, pixels: Tensor) -> Tensor: ...


class Ensemble(nn.Module):
    """(N, C, H, W) -> (N, K): the log of the mean of the members' probabilities, whose softmax is that mean."""

    def __init__(self, members: list[nn.Module]):
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, images: Tensor) -> Tensor:
        believed = torch.stack([member(images).float().softmax(1) for member in self.members])
        mean = believed.mean(0)
        return mean.clamp_min(torch.finfo(mean.dtype).tiny).log()


def joined(networks: list[nn.Module]) -> nn.Module:
    """One module for a network, or for the members of an ensemble, in evaluation mode."""
    return (networks[0] if len(networks) == 1 else Ensemble(networks)).eval()


class Networks:
    """Asks the networks of a `Trained` in the arithmetic in which the run was tested."""

    def __init__(self, trained: Trained, device: torch.device):
        self.card, self.notes = require_answers(trained.card), trained.notes
        self.at_once = batch_size(self.card, image_bytes=kept_memory(trained.graph).total)
        assert self.card.normalization is not None
        self._module, self._device = joined(trained.networks(device)), device
        mean, std = self.card.normalization.mean, self.card.normalization.std
        self._normalize = Normalizer(mean, std, device=device)
        word = "auto" if trained.spec.train is None else trained.spec.train.precision
        # a CPU has no training in float16, but any network can be asked there
        self._precision = Precision("float32" if word == "float16" and device.type == "cpu" else word, device)

    def logits(self, pixels: Tensor) -> Tensor:
        try:
            with torch.inference_mode(), self._precision.context():
                found: Tensor = self._module(self._normalize(pixels.to(self._device)))
            return found.float().cpu()
        except (RuntimeError, MemoryError) as error:
            if not isinstance(error, torch.OutOfMemoryError | MemoryError) and "allocate memory" not in str(error):
                raise
            message = f"`{self.card.name}` needs more memory for {len(pixels)} images than there is on {self._device}"
            raise PredictionError(message, hint="ask it on another machine, or with another `--device`") from error


def batch_size(card: Card, *, image_bytes: int = 0) -> int:
    """How many images to ask about at once, where the values of one in the network take so many bytes."""
    if image_bytes > _MOST_MEMORY:
        size, most = image_bytes / 2**30, _MOST_MEMORY // 2**30
        message = f"`{card.name}` needs {size:,.0f} GiB for one image, {most} GiB is the most that is tried"
        raise PredictionError(message, hint="was it made to take all memory?")
    by_memory = _MEMORY // max(image_bytes, 1)
    return max(1, min(_IMAGES, _VALUES // prod(card.image), by_memory))


def require_answers(card: Card) -> Card:
    """The card of a model that can be asked about files of images; raises `PredictionError` for others."""
    name = f"`{card.name}`"
    if card.normalization is None:
        raise PredictionError(
            f"{name} does not say how its images are normalised: it was exported from a spec, not from a run",
            hint="train the spec, and give the run",
        )
    if len(card.image) != 3 or card.image[0] not in (1, 3) or prod(card.image) > _LARGEST:
        raise PredictionError(
            f"{name} takes {list(card.image)}; files are read as grey or RGB images, [1, H, W] or [3, H, W], of up to "
            f"{_LARGEST:,} values",
            hint="use `specforge.compile` in Python for other inputs",
        )
    return card
