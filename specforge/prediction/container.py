"""Tensors and texts in one file with a checksum: a safetensors file, which other programs read too.

    8 bytes: the length of the header; the header in JSON; the tensors, one behind the other without gaps
    {"__metadata__": {"name": "lab2_bn", …, "sha256": "9f86…"}, "fc.weight": {"dtype": "F32", …}, …}

In: tensors by name and metadata. Out: bytes, the same for the same content; and back, from a file that may come from
anybody: nothing in it is packed, is executed or names a file, and it is read only when its header agrees with its size.

`sha256` is the sum of the whole file with zeros in the place of the sum.

Source: https://github.com/huggingface/safetensors#format
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

import safetensors.torch
import torch
from torch import Tensor

from specforge.diagnostics import one_line
from specforge.prediction.card import damaged
from specforge.prediction.errors import PredictionError
from specforge.shapes import Shape
from specforge.training.parsing import parsed
from specforge.verification.tensors import read_shapes

SUM = "sha256"
_METADATA = "__metadata__"
_ZEROS = "0" * 64
# of a header: the spec, and a line for each tensor and each class
_LONGEST = 2**25
_PIECE = 2**20


@dataclass(frozen=True, slots=True)
class Container:
    """An opened file: what its header says. The tensors are still on the disk."""

    path: Path
    metadata: Mapping[str, str]
    shapes: Mapping[str, Shape]
    header: bytes

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read the header; raises `PredictionError` for what is no such file, and `OSError`."""
        header = _header(path)
        try:
            shapes = read_shapes(path)
            metadata = parsed(header).get(_METADATA, {})
        except (ValueError, OverflowError) as error:
            raise damaged(str(path), str(error)) from None
        if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
            raise damaged(str(path), "its metadata are not texts")
        return cls(path, metadata, shapes, header)

    def verify(self) -> str:
        """The checksum, if the file is what was written; raises `PredictionError`. Not more than a piece is in memory.

        A file without a checksum, such as another program writes it, is not one of ours.
        """
        expected = self.metadata.get(SUM, "")
        if len(expected) != len(_ZEROS) or self.header.count(f'"{expected}"'.encode()) != 1:
            raise damaged(str(self.path), "it has no checksum")
        zeroed = self.header.replace(expected.encode(), _ZEROS.encode())
        running = sha256(_length(zeroed) + zeroed)
        with self.path.open("rb") as file:
            file.seek(8 + len(self.header))
            while piece := file.read(_PIECE):
                running.update(piece)
        if running.hexdigest() != expected:
            raise damaged(str(self.path), "its checksum is not the one that was written")
        return expected

    def tensors(self) -> dict[str, Tensor]:
        """All tensors, in memory of their own."""
        try:
            return safetensors.torch.load(self.path.read_bytes())
        except (safetensors.SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise damaged(str(self.path), str(error)) from None


def pack(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """The file's bytes. Tensors that share memory, or are laid out in another order, are written as values."""
    plain = {
        name: torch.empty(tensor.shape, dtype=tensor.dtype).copy_(tensor.detach()) for name, tensor in tensors.items()
    }
    written = safetensors.torch.save(plain)
    end = 8 + int.from_bytes(written[:8], "little")
    # put in by hand: the library writes the metadata in another order every time
    texts = {"format": "pt", **metadata, SUM: _ZEROS}
    header = _padded({_METADATA: texts, **json.loads(written[8:end])})
    total = sha256(_length(header) + header)
    total.update(memoryview(written)[end:])
    zeros, digest = f'"{SUM}": "{_ZEROS}"'.encode(), f'"{SUM}": "{total.hexdigest()}"'.encode()
    return b"".join((_length(header), header.replace(zeros, digest, 1), memoryview(written)[end:]))


def _padded(header: Mapping[str, object]) -> bytes:
    """So that tensors begin at a multiple of eight bytes."""
    text = json.dumps(header, ensure_ascii=False).encode()
    return text + b" " * (-len(text) % 8)


def _length(header: bytes) -> bytes:
    return len(header).to_bytes(8, "little")


def _header(path: Path) -> bytes:
    if not path.is_file():
        what = "is not a file" if path.exists() else "is not there"
        raise PredictionError(f"{one_line(str(path))} {what}", hint="give a run, a bundle or an exported file")
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(9)
        length = int.from_bytes(start[:8], "little")
        if len(start) < 9 or start[8:] != b"{" or length > _LONGEST:
            raise PredictionError(
                f"{one_line(str(path))} is no bundle and no file of weights that specforge wrote",
                hint="give a run, a bundle (`specforge bundle RUN`), or what `specforge export` wrote",
            )
        if length > size - 8:
            raise damaged(str(path), "it is cut off")
        return start[8:] + file.read(length - 1)
