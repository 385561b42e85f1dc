"""Published weights into the parts of a network that are `pretrained`.

Files lie in torch's own cache, as torchvision's do; a file is read only when its checksum is that of the zoo spec.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor, nn

from specforge.catalog.definition import Weights
from specforge.catalog.layers.pretrained import Pretrained
from specforge.graph import Graph
from specforge.torch_backend.weights import WeightsError, is_ordered, key_map, read_weights, renamed, shapes


def load_pretrained(module: nn.Module, graph: Graph, *, download: bool = False) -> None:
    """Fill every `pretrained` layer of a network; WeightsError where its file is missing or does not fit."""
    for node in graph.root.walk():
        if isinstance(node.layer, Pretrained) and node.layer.weights != "none" and node.shares is None:
            _fill(module.get_submodule(node.path), node.layer, download=download)


def load_weights(module: nn.Module, weights: str | Path | Mapping[str, Tensor], names: Weights | None = None) -> None:
    """Fill a whole network from a file or a state dict; WeightsError for what does not fit."""
    state = weights if isinstance(weights, Mapping) else read_weights(Path(weights))
    ordered = isinstance(weights, Mapping) or is_ordered(Path(weights))
    found = key_map(shapes(module.state_dict()), shapes(state), names, ordered=ordered)
    module.load_state_dict(renamed(state, found))


def _fill(module: nn.Module, layer: Pretrained, *, download: bool) -> None:
    own = layer.weights != "published"
    file = Path(layer.weights) if own else published_file(layer.published, layer.model, download=download)
    state = read_weights(file)
    ours, theirs = shapes(module.state_dict()), shapes(state)
    names = key_map(ours, theirs, layer.published, whole=layer.top, ordered=is_ordered(file))
    module.load_state_dict(renamed(state, names))


def published_file(published: Weights | None, network: str, *, download: bool) -> Path:
    """The file of a network's published weights, with the right checksum."""
    if published is None or published.url is None or published.sha256 is None:
        raise WeightsError(f"no weights of `{network}` are published", hint="write `weights: none`, or a file")
    file = Path(torch.hub.get_dir()) / "checkpoints" / published.url.rpartition("/")[2]
    if not file.is_file():
        if not download:
            hint = f"`--download` fetches {published.url}; or write `weights: none`"
            raise WeightsError(f"the weights of `{network}` are not here: there is no {file}", hint=hint)
        _download(published.url, file)
    digest = sha256(file.read_bytes()).hexdigest()
    if not digest.startswith(published.sha256):
        message = f"{file} is damaged: its checksum is {digest[:8]}…, not {published.sha256}…"
        raise WeightsError(message, hint="remove it, and run again with `--download`")
    return file


def _download(url: str, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        torch.hub.download_url_to_file(url, str(file))
    except OSError as error:
        raise WeightsError(f"{url} can't be fetched: {error}", hint=f"put the file there by hand: {file}") from None
