"""Graph -> nn.Module, and the closed table of what a graph may be built from."""

from specforge.torch_backend.build import build

__all__ = ["build"]
