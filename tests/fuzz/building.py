"""A folder of specs that validate -> what happens when each is compiled: a process of its own, which imports torch.

`python -m tests.fuzz.building FOLDER…` prints one JSON object a folder with what went wrong, empty where nothing did.
Weights are made on the CPU and then forgotten: the pass through the network is on torch's meta device.
"""

import json
import os
import sys
from pathlib import Path

import torch

from specforge.analysis import analyse
from specforge.torch_backend import build
from tests.fuzz.cases import MAIN, SETTINGS


def built(folder: Path) -> dict[str, str]:
    """Why the spec of a folder does not build, or does not give the shape that was proven."""
    os.chdir(folder)
    try:
        _, graph = analyse(MAIN, tuple(json.loads(Path(SETTINGS).read_text(encoding="utf-8")))).require()
        module = build(graph, seed=0).to("meta").eval()
        state = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
        if state != graph.state():
            return {"place": "state", "detail": f"proven {graph.state()}, built {state}"[:2_000]}
        output = module(torch.empty(2, *graph.input, device="meta"))
    except Exception as error:  # noqa: BLE001  any of them is a failure
        return {"place": type(error).__name__, "detail": str(error)[:2_000]}
    if tuple(output.shape) != (2, *graph.output):
        return {"place": "shape", "detail": f"proven {graph.output}, built {tuple(output.shape)}"}
    return {}


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:]:
        print(json.dumps(built(Path(name))), flush=True)
