"""The header of a safetensors file -> the type and shape of every tensor. No tensor is read, nothing is executed.

    8 bytes: the length of the header; the header in JSON; the tensors, one behind the other without gaps
    {"fc.weight": {"dtype": "F32", "shape": [10, 128], "data_offsets": [0, 5120]}, …}

Source: https://github.com/huggingface/safetensors#format
"""

from math import prod
from pathlib import Path
from typing import Any

from specforge.shapes import Shape
from specforge.training.parsing import parsed

# the library reads no larger ones
_LONGEST = 100_000_000
_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2, "U32": 4,
    "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8,
}  # fmt: skip


def read_shapes(path: Path) -> dict[str, Shape]:
    """The tensors by name; raises ValueError for what is not a whole safetensors file, and OSError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, _LONGEST):
            raise ValueError("it is not a safetensors file, or cut off")
        header = parsed(file.read(length))
    if not isinstance(header, dict):
        raise ValueError("its header is no mapping")
    header.pop("__metadata__", None)
    found = {name: _entry(name, entry) for name, entry in header.items()}
    end = 0
    for name, (_, first, last) in sorted(found.items(), key=lambda pair: pair[1][1:]):
        if first != end:
            raise ValueError(f"tensor `{name}` does not begin where the one before it ends")
        end = last
    if end != size - 8 - length:
        raise ValueError("its tensors are not as long as the file")
    return {name: shape for name, (shape, _, _) in found.items()}


def _entry(name: str, entry: Any) -> tuple[Shape, int, int]:
    try:
        shape, (first, last), width = tuple(entry["shape"]), entry["data_offsets"], _BYTES[entry["dtype"]]
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"tensor `{name}` is not described") from None
    if any(type(size) is not int or size < 0 for size in (*shape, first, last)) or last - first != prod(shape) * width:
        raise ValueError(f"tensor `{name}` has another length than its shape")
    return shape, first, last
