"""Networks moved out: ONNX, torch.export, safetensors.

In: what a user names (a run, a bundle, a spec). Out: the bytes of a file. `source` reads, the others write.

Names are imported on first use, so that a command can say what is missing before torch is loaded.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specforge.exporting.errors import ExportError as ExportError
    from specforge.exporting.packages import require_onnx_packages as require_onnx_packages
    from specforge.exporting.programs import onnx_bytes as onnx_bytes
    from specforge.exporting.programs import torch_bytes as torch_bytes
    from specforge.exporting.sources import source as source
    from specforge.prediction.weights_file import weights_bytes as weights_bytes

_HOMES = {
    "ExportError": "specforge.exporting.errors",
    "onnx_bytes": "specforge.exporting.programs",
    "require_onnx_packages": "specforge.exporting.packages",
    "source": "specforge.exporting.sources",
    "torch_bytes": "specforge.exporting.programs",
    "weights_bytes": "specforge.prediction.weights_file",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'specforge.exporting' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
