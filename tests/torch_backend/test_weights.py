"""Published weights: how their names are matched, and what may go wrong on the way into a network."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import specforge
from specforge.analysis import analyse
from specforge.catalog.definition import Weights
from specforge.graph import Graph
from specforge.torch_backend import WeightsError, build, load_pretrained
from specforge.torch_backend.weights import key_map, read_weights

OURS = {"a.weight": (2, 3), "b.weight": (4,), "c.weight": (5, 4)}
SPEC = """
specforge: 1
name: transfer
model:
  input: [3, 32, 32]
  layers:
    - pretrained: {model: squeezenet1_1, weights: WEIGHTS}
    - global_avg_pool
    - linear: 2
"""


def test_tensors_are_matched_in_order() -> None:
    theirs = {"x": (2, 3), "y": (4,), "z": (5, 4)}
    assert key_map(OURS, theirs) == {"a.weight": "x", "b.weight": "y", "c.weight": "z"}


def test_patterns_name_those_that_stand_elsewhere() -> None:
    theirs = {"aux.x": (1,), "y": (4,), "x": (2, 3), "z": (5, 4)}
    weights = Weights(keys={"b.*": "y"}, unused=("aux",))
    assert key_map(OURS, theirs, weights) == {"a.weight": "x", "b.weight": "y", "c.weight": "z"}


def test_the_beginning_of_a_network_leaves_the_end_of_the_file() -> None:
    theirs = {"x": (2, 3), "y": (4,), "z": (5, 4), "head": (9,)}
    assert "head" not in key_map(OURS, theirs, whole=False).values()


@pytest.mark.parametrize(
    ("theirs", "weights", "message"),
    [
        ({"x": (2, 3), "y": (4,), "z": (5, 5)}, None, r"`c.weight` is \[5, 4\], `z`.* is \[5, 5\]"),
        (
            {"x": (2, 3), "y": (4,)},
            None,
            r"the network has 1 tensors more; in order, `c.weight` \[5, 4\] meets nothing",
        ),
        (
            {"x": (2, 3), "y": (4,), "z": (5, 4), "w": (1,)},
            None,
            r"the file has 1 tensors more; in order, nothing meets `w` \[1\]",
        ),
        ({"x": (2, 3), "n": (2,), "y": (4,), "z": (5, 4)}, None, r"`b.weight` \[4\] meets `n` \[2\]"),
        ({"x": (2, 3)}, Weights(keys={"q.*": "x"}), r"names `q.\*`, which no tensor that the network has"),
        ({"x": (2, 3)}, Weights(keys={"a.*": "q"}), "names `q`, which no tensor that the file has"),
    ],
)
def test_what_does_not_agree_is_told(theirs: dict[str, tuple[int, ...]], weights: Weights, message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        key_map(OURS, theirs, weights)


def test_a_file_is_read_without_running_it(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (str(tmp_path / "ran"),))  # type: ignore[return-value]

    torch.save({"x": Hostile()}, tmp_path / "hostile.pth")
    with pytest.raises(WeightsError, match="would execute what is in it"):
        read_weights(tmp_path / "hostile.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04"])
@pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
def test_a_damaged_file_is_told(content: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match="can't be read as weights"):
        read_weights(tmp_path / name)


def test_a_file_that_is_no_state_is_told(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(WeightsError, match="holds no state dict"):
        read_weights(tmp_path / "list.pth")


def network(folder: Path, weights: str = "published") -> Graph:
    file = folder / "transfer.yaml"
    file.write_text(SPEC.replace("WEIGHTS", weights), encoding="utf-8")
    return analyse(file).require()[1]


def backbone(module: nn.Module) -> nn.Module:
    return module.get_submodule("pretrained_1")


def test_own_weights_fill_the_network(tmp_path: Path) -> None:
    source = build(network(tmp_path, "none"), seed=1)
    save_file(backbone(source).state_dict(), tmp_path / "own.safetensors")
    graph = network(tmp_path, str(tmp_path / "own.safetensors"))
    module = build(graph, seed=2)
    load_pretrained(module, graph)
    x = torch.rand(1, 3, 32, 32)
    assert torch.equal(backbone(module.eval())(x), backbone(source.eval())(x))


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Graph, nn.Module]]:
    """A server with weights under torchvision's names, and a network whose zoo entry leads there."""
    models = pytest.importorskip("torchvision.models", exc_type=ImportError)
    torch.manual_seed(5)
    theirs = models.get_model("squeezenet1_1", weights=None)
    served = tmp_path / "served"
    served.mkdir()
    torch.save(theirs.state_dict(), served / "squeezenet.pth")
    digest = hashlib.sha256((served / "squeezenet.pth").read_bytes()).hexdigest()
    handler = partial(SimpleHTTPRequestHandler, directory=str(served))
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/squeezenet.pth"
        arguments = f"published, published: {{url: '{url}', sha256: '{digest[:8]}'}}"
        config = network(tmp_path, arguments)
        yield config, theirs
        server.shutdown()


def test_published_weights_are_fetched_once_and_verified(published: tuple[Graph, nn.Module], tmp_path: Path) -> None:
    graph, theirs = published
    module = build(graph, seed=2)
    with pytest.raises(WeightsError, match="are not here") as missing:
        load_pretrained(module, graph)
    assert "--download" in str(missing.value.hint)
    load_pretrained(module, graph, download=True)
    x = torch.rand(1, 3, 32, 32)
    features = theirs.eval().get_submodule("features")
    assert torch.equal(backbone(module.eval())(x), features(x))
    cached = next((tmp_path / "cache").rglob("squeezenet.pth"))
    cached.write_bytes(cached.read_bytes()[:-1] + b"?")
    with pytest.raises(WeightsError, match="is damaged"):
        load_pretrained(module, graph, download=True)


def test_an_unknown_network_is_told(tmp_path: Path) -> None:
    file = tmp_path / "transfer.yaml"
    file.write_text(SPEC.replace("squeezenet1_1", "resnet81").replace("WEIGHTS", "none"), encoding="utf-8")
    found = list(analyse(file).findings)
    assert [entry.message for entry in found] == ["the zoo has no network `resnet81`"]
    assert found[0].hint == "did you mean `resnet18`?"


def test_a_whole_network_is_compiled_with_weights(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text("specforge: 1\nname: small\nmodel: {input: [3], layers: [{linear: 4}, relu, {linear: 2}]}\n")
    theirs = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    torch.save(theirs.state_dict(), tmp_path / "theirs.pth")
    x = torch.rand(5, 3)
    for weights in (theirs.state_dict(), tmp_path / "theirs.pth", str(tmp_path / "theirs.pth")):
        assert torch.equal(specforge.compile(file, weights=weights)(x), theirs(x))
    with pytest.raises(WeightsError, match="meets"):
        specforge.compile(file, weights=theirs[0].state_dict())


def test_safetensors_are_not_matched_in_order(tmp_path: Path) -> None:
    """Their tensors are sorted, so that two of one shape could be swapped unseen."""
    file = tmp_path / "small.yaml"
    file.write_text("specforge: 1\nname: small\nmodel: {input: [3], layers: [{linear: 3}, relu, {linear: 3}]}\n")
    theirs = nn.Sequential(OrderedDict(stem=nn.Linear(3, 3), act=nn.ReLU(), body=nn.Linear(3, 3)))
    save_file(theirs.state_dict(), tmp_path / "n.safetensors")
    with pytest.raises(WeightsError, match="don't keep the order"):
        specforge.compile(file, weights=tmp_path / "n.safetensors")


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "shufflenet_v2_x1_0", "resnet18"])
def test_a_zoo_network_keeps_its_own_defaults(name: str, tmp_path: Path) -> None:
    """Whatever `model.defaults` the spec around it has."""
    zoo = analyse(Path(__file__).parents[2] / "specs" / "zoo" / f"{name}.yaml").require()[1]
    file = tmp_path / "transfer.yaml"
    layers = f"[pretrained: {{model: {name}, weights: none, top: true}}]"
    defaults = "{batch_norm: {eps: 0.1}, conv: {bias: true}, linear: {bias: false}}"
    file.write_text(f"specforge: 1\nname: t\nmodel: {{input: [3, 224, 224], defaults: {defaults}, layers: {layers}}}\n")
    here = analyse(file).require()[1]
    assert [node.layer for node in here.leaves()] == [node.layer for node in zoo.leaves()]
