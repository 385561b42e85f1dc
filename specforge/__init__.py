"""specforge compiles neural-network experiments written in YAML.

spec = specforge.load("specs/lab2_bn.yaml")         # proven, without torch
module = specforge.compile("specs/lab2_bn.yaml")    # a torch.nn.Module
run = specforge.train("specs/lab2_bn.yaml")         # a run directory with weights, metrics and a report
specforge.diff("specs/lab2.yaml", "specs/lab2_bn.yaml").same
"""

from typing import Any

__version__ = "0.1.0"
__all__ = ["SpecError", "__version__", "compile", "diff", "load", "train"]

_HOMES = {
    "load": "specforge.analysis",
    "compile": "specforge.experiment",
    "train": "specforge.experiment",
    "diff": "specforge.diff",
    "SpecError": "specforge.diagnostics",
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that `import specforge` stays light and torch-free."""
    if name not in _HOMES:
        raise AttributeError(f"module 'specforge' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
