"""Networks of torchvision without values, also those whose builders compute with tensors."""

import pytest
import torch

pytest.importorskip("torchvision.models", reason="torchvision does not load here", exc_type=ImportError)

from specforge.torch_backend.torchvision_modules import module_on_meta
from specforge.torch_backend.weights import torchvision_shapes


@pytest.mark.parametrize("name", ["regnet_y_400mf", "swin_t", "googlenet", "resnet18"])
def test_no_tensor_has_values(name: str) -> None:
    assert {tensor.device for tensor in module_on_meta(name).state_dict().values()} == {torch.device("meta")}


def test_widths_that_a_builder_computes() -> None:
    assert torchvision_shapes("regnet_y_400mf")["fc.weight"] == (1000, 440)
