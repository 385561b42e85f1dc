"""A `Network` as a spec without blocks or repeats, so that readers can be tested without folding."""

import json
from pathlib import Path

import torch
from torch import Tensor, nn

import specforge
from specforge.catalog.definition import Merge
from specforge.importing.network import Network
from specforge.importing.recording import layer_of
from specforge.importing.specs import Imported


def flat_spec(network: Network) -> str:
    """One item for each operation, `v1` and so on, which says what it reads."""
    items = []
    for number, operation in enumerate(network.operations, 1):
        reads = ["input" if value == 0 else f"v{value}" for value in operation.inputs]
        shared = {} if operation.shared is None else {"shared": operation.shared}
        item = {"id": f"v{number}", "from": reads if len(reads) > 1 else reads[0], **shared}
        items.append({**item, operation.word: dict(operation.arguments)})
    end = "input" if network.output == 0 else f"v{network.output}"
    items.append({"id": "end", "from": end, "identity": {}})
    model = {"input": list(network.input), "layers": items}
    return json.dumps({"specforge": 1, "name": "flat", "accept": {}, "model": model})


def compiled(network: Network, folder: Path) -> nn.Module:
    file = folder / "flat.yaml"
    file.write_text(flat_spec(network))
    return specforge.compile(str(file)).eval()


def macs(network: Network) -> int:
    """Of all operations, those of side branches too."""
    total = 0
    for operation in network.operations:
        layer = layer_of(operation.word, operation.arguments)
        if not isinstance(layer, Merge):
            total += layer.macs(network.shape_of(operation.inputs[0]), operation.shape)
    return total


def same_outputs(network: Network, imported: Imported, image: Tensor, folder: Path) -> bool:
    """Whether the spec as it is written computes what the single layers compute, from the same random weights."""
    flat = compiled(network, folder)
    torch.manual_seed(1)
    state = {name: torch.rand_like(each.float()) - 0.3 for name, each in flat.state_dict().items()}
    state = {name: each.abs() + 0.5 if "running_var" in name else each for name, each in state.items()}
    flat.load_state_dict(state)
    numbers = {each.shared: number for number, each in reversed([*enumerate(network.operations, 1)]) if each.shared}
    file = folder / "folded.yaml"
    file.write_text(imported.text)
    folded = specforge.compile(str(file)).eval()
    ours = {}
    for name, theirs in imported.names.items():
        layer, _, parameter = theirs.partition(".") if "#" not in theirs else theirs.rpartition("#")[2].partition(".")
        ours[name] = state[f"v{layer if layer.isdigit() else numbers[layer]}.{parameter}"]
    folded.load_state_dict(ours)
    with torch.no_grad():
        expected, found = flat(image), folded(image)
    scale = expected.abs().max()
    assert 0 < scale < float("inf")
    return torch.allclose(found, expected, rtol=1e-4, atol=1e-5 * float(scale))
