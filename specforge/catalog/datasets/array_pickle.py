"""Decodes pickles of numpy arrays and plain Python values, and of nothing else.

In: bytes whose checksum is the published one. Out: what they hold. A file of its own because proving a spec imports the
data sets' classes, and Python's pickle is slow to import.
"""

import io
import pickle
import struct
from functools import cache
from typing import Any

from specforge.catalog.datasets.definition import DataError


@cache
def _admitted() -> dict[tuple[str, str], Any]:
    """All that a pickled numpy array refers to. numpy moved `_reconstruct`; asking an array for it works in each."""
    import numpy as np

    reconstruct = np.zeros(0).__reduce__()[0]
    return {
        ("numpy.core.multiarray", "_reconstruct"): reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): reconstruct,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }


# what Python and numpy raise for pickles that are damaged, or made to do harm
_DAMAGE = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


class _ArrayUnpickler(pickle.Unpickler):
    """Decodes plain values and numpy arrays; a pickle that asks for anything else is refused."""

    def find_class(self, module: str, name: str) -> Any:
        admitted = _admitted()
        if (module, name) not in admitted:
            raise DataError(f"a data file asks for `{module}.{name}`, which a data file has no use for; it was refused")
        return admitted[module, name]


def read_pickle(content: bytes) -> Any:
    """Decode a pickle of arrays and plain values, or raise `DataError`. Python 2's strings arrive as bytes."""
    try:
        return _ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()
    except _DAMAGE as error:
        raise DataError(f"it is no pickle of arrays: {str(error) or type(error).__name__}") from error
