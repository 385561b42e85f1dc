"""The packages that only ONNX needs: found before torch is loaded, or the one command that installs them."""

from importlib.util import find_spec

from specforge.exporting.errors import ExportError

ONNX_PACKAGES = ("onnx", "onnxscript")


def require_onnx_packages() -> None:
    """Raises `ExportError` where one is missing."""
    for package in ONNX_PACKAGES:
        if find_spec(package) is None:
            raise ExportError(
                f"`{package}` is not installed: ONNX files can't be written without it",
                hint=f"pip install {' '.join((*ONNX_PACKAGES, 'onnxruntime'))}",
            )
