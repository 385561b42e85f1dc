"""torchvision's classification networks: their names, the module without weights, and what is published of them.

In: a name, such as `resnet50`. Out: its `Network`, with where its weights are published and what its input is.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from specforge.diagnostics import did_you_mean
from specforge.importing.network import ImportFailure, Network

if TYPE_CHECKING:
    from torch import nn

PAGE = "https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.{}.html"
# how much the losses of side branches count, by the papers of both networks
_SIDE_WEIGHTS = {"googlenet": 0.3, "inception_v3": 0.4}


def names() -> list[str]:
    """The names of torchvision's classification networks."""
    from torchvision import models

    return list(models.list_models(module=models))


def read_torchvision(name: str) -> Network:
    """A network by its name in torchvision; ImportFailure where there is none, or it does what no layer does."""
    from specforge.importing.torch_networks.tracing import trace
    from specforge.torch_backend.torchvision_modules import module_on_meta

    known = names()
    if name not in known:
        raise ImportFailure(f"torchvision has no classification network `{name}`", hint=did_you_mean(name, known))
    module = module_on_meta(name)
    published = published_weights(name, module)
    network = trace(module, image_shape(name, module), name=name)
    sides = dict.fromkeys(network.side_outputs, _SIDE_WEIGHTS.get(name, 1.0))
    keys: dict[str, Any] = {"source": {"document": f"torchvision.models.{name}", "url": PAGE.format(name)}}
    if published is not None:
        keys["weights"] = {"url": published.url, "sha256": _checksum(published.url)}
    return replace(network, side_outputs=sides, keys=keys)


def image_shape(name: str, module: "nn.Module") -> tuple[int, int, int]:
    """The shape of the images that a network is built for, else those that its newest weights were trained with."""
    fixed = getattr(module, "image_size", None)
    if isinstance(fixed, int):
        return (3, fixed, fixed)
    newest = _weights_of(name)
    size = newest[0].transforms().crop_size[0] if newest else 224
    return (3, size, size)


def published_weights(name: str, module: "nn.Module") -> Any:
    """The newest published weights that are for the module's size of images; None where there are none."""
    size = image_shape(name, module)[1]
    fitting = [each for each in _weights_of(name) if each.transforms().crop_size[0] == size]
    return fitting[0] if fitting else None


def _weights_of(name: str) -> list[Any]:
    """All published weights of a network, the default ones first."""
    from torchvision import models

    listed = models.get_model_weights(name)
    default = getattr(listed, "DEFAULT", None)
    return [] if default is None else [default, *(each for each in listed if each is not default)]


def _checksum(url: str) -> str:
    """The first digits of the file's SHA-256, which its name ends with."""
    return url.rpartition("-")[2].partition(".")[0]
