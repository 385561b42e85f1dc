"""Graph -> nn.Module, the closed table of what a graph may be built from, and weights from elsewhere."""

from specforge.torch_backend.build import build, fill_from_images
from specforge.torch_backend.pretrained import load_pretrained, load_weights
from specforge.torch_backend.weights import WeightsError

__all__ = ["WeightsError", "build", "fill_from_images", "load_pretrained", "load_weights"]
