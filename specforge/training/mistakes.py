"""What a tested network takes for something else: `mistakes.json`, with the images.

In: a part of the data, and for each of its images the class that was predicted and how sure the network was. Out: JSON

    {"classes": ["cat", "dog"], "mistakes": [{"index": 7, "true": 0, "predicted": 1, "confidence": 0.98, "png": "…"}],
     "pairs": [{"true": 0, "predicted": 1, "count": 12, "examples": [{"index": 7, …}]}]}

`index` is the row in the data set, `png` the image in base64; the surest mistakes come first. Pairs are ordered: a cat
taken for a dog is not a dog taken for a cat.
"""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from specforge.data.parts import Part
from specforge.training import durable

MISTAKES, PAIRS, EXAMPLES = 40, 10, 3
_LARGEST = 96  # pixels of height and width: a page shows thumbnails, and 70 photographs would be megabytes


def mistakes_file(part: Part, predicted: Tensor, confidence: Tensor, class_names: Sequence[str]) -> bytes:
    """The surest mistakes and examples of the most confused pairs; predictions (N,) int64 and confidences (N,) of 0..1.

    The same predictions give the same bytes.
    """
    wrong = _Wrong.of(part, predicted, confidence)
    return durable.encode(
        {
            "classes": list(class_names),
            "mistakes": [_example(part, wrong, at) for at in range(min(MISTAKES, len(wrong.rows)))],
            "pairs": _pairs(part, wrong),
        },
        indent=None,
    )


@dataclass(frozen=True, slots=True)
class _Wrong:
    """The mistakes, the surest first, equally sure ones in the part's order; `rows` are rows of the part. All (M,)."""

    rows: Tensor
    true: Tensor
    predicted: Tensor
    confidence: Tensor

    @classmethod
    def of(cls, part: Part, predicted: Tensor, confidence: Tensor) -> "_Wrong":
        labels, predicted, confidence = part.labels.cpu(), predicted.cpu(), confidence.cpu()
        rows = (predicted != labels).nonzero().flatten()
        rows = rows[torch.sort(confidence[rows], descending=True, stable=True).indices]
        return cls(rows, labels[rows], predicted[rows], confidence[rows])


def _pairs(part: Part, wrong: _Wrong) -> list[dict[str, Any]]:
    """The pairs with the most mistakes; of equally frequent ones, those of the first classes."""
    if not len(wrong.rows):
        return []
    both, counts = torch.unique(torch.stack([wrong.true, wrong.predicted]), dim=1, return_counts=True)
    order = torch.sort(counts, descending=True, stable=True).indices[:PAIRS].tolist()
    found = []
    for (true, predicted), count in ((both[:, at].tolist(), int(counts[at])) for at in order):
        among = ((wrong.true == true) & (wrong.predicted == predicted)).nonzero().flatten()[:EXAMPLES].tolist()
        examples = [_example(part, wrong, at) for at in among]
        found.append({"true": true, "predicted": predicted, "count": count, "examples": examples})
    return found


def _example(part: Part, wrong: _Wrong, at: int) -> dict[str, Any]:
    row = int(wrong.rows[at])
    return {
        "index": int(part.indices[row]),
        "true": int(wrong.true[at]),
        "predicted": int(wrong.predicted[at]),
        "confidence": round(float(wrong.confidence[at]), 6),
        "png": base64.b64encode(_png(part.pixels(row))).decode("ascii"),
    }


def _png(image: Tensor) -> bytes:
    """A thumbnail of one image (C, H, W) uint8: of three or more channels the first three are red, green and blue."""
    from PIL import Image

    image = image.cpu()
    pixels = image[:3].permute(1, 2, 0) if len(image) >= 3 else image[0]
    picture = Image.fromarray(pixels.contiguous().numpy())
    picture.thumbnail((_LARGEST, _LARGEST))
    stream = io.BytesIO()
    picture.save(stream, format="PNG", optimize=True)
    return stream.getvalue()
