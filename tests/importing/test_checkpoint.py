"""Weights without a spec: the spec that the file names, or a refusal that says what can be told."""

import json
import subprocess
import sys
from collections.abc import Mapping
from math import prod
from pathlib import Path

import pytest

from specforge.analysis import analyse
from specforge.diagnostics import SpecError
from specforge.expand.files import zoo_folder
from specforge.importing.checkpoint import read_checkpoint
from specforge.importing.zoo_weights import matching
from specforge.shapes import Shape
from specforge.source import Overlaid

SPEC = """\
specforge: 1
name: small
model:
  input: [3, 8, 8]
  layers:
    - conv: {out_channels: 4, kernel_size: 3}
    - batch_norm
    - global_avg_pool
    - linear: 10
"""
ZOO = sorted(file.stem for file in zoo_folder().glob("*.yaml"))
FAMILIES = (
    *("alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "inception_v3", "mobilenet_v2"),
    *("mobilenet_v3_small", "resnet18", "shufflenet_v2_x1_0", "squeezenet1_1", "swin_t", "vgg16_bn", "vit_b_16"),
)


def header(shapes: Mapping[str, Shape], metadata: Mapping[str, str] | None = None) -> bytes:
    entries: dict[str, object] = {} if metadata is None else {"__metadata__": metadata}
    end = 0
    for name, shape in shapes.items():
        entries[name] = {"dtype": "I8", "shape": list(shape), "data_offsets": [end, end + prod(shape)]}
        end += prod(shape)
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text


def safetensors(path: Path, shapes: Mapping[str, Shape], metadata: Mapping[str, str] | None = None) -> Path:
    """A file of zeros with these tensors, which takes no room on the disk."""
    content = header(shapes, metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.truncate(len(content) + sum(map(prod, shapes.values())))
    return path


def state(text: str) -> dict[str, Shape]:
    path = Path("checked.yaml").absolute()
    _, graph = analyse(path, files=Overlaid({path: text})).require()
    return dict(graph.state())


def zoo_state(name: str, classes: int = 1000) -> dict[str, Shape]:
    """The zoo's network under the names of its spec."""
    _, graph = analyse(zoo_folder() / f"{name}.yaml").require()
    found = dict(graph.state())
    return {key: (classes, *shape[1:]) if key.startswith("classifier.") else shape for key, shape in found.items()}


def resnet18(classes: int) -> dict[str, Shape]:
    """The names and shapes of torchvision's, in its order, written from its code's structure."""

    def norm(name: str, width: int) -> dict[str, Shape]:
        parts: dict[str, Shape] = dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (width,))
        return {f"{name}.{part}": shape for part, shape in {**parts, "num_batches_tracked": ()}.items()}

    found: dict[str, Shape] = {"conv1.weight": (64, 3, 7, 7), **norm("bn1", 64)}
    before = 64
    for stage, width in enumerate((64, 128, 256, 512), 1):
        for block in (0, 1):
            path = f"layer{stage}.{block}"
            found |= {f"{path}.conv1.weight": (width, before, 3, 3), **norm(f"{path}.bn1", width)}
            found |= {f"{path}.conv2.weight": (width, width, 3, 3), **norm(f"{path}.bn2", width)}
            if before != width:
                found |= {f"{path}.downsample.0.weight": (width, before, 1, 1), **norm(f"{path}.downsample.1", width)}
            before = width
    return {**found, "fc.weight": (classes, 512), "fc.bias": (classes,)}


def test_an_export_gives_back_its_spec(tmp_path: Path) -> None:
    file = safetensors(tmp_path / "small.safetensors", state(SPEC), {"specforge": "1", "spec": SPEC})
    found = read_checkpoint(file)
    assert found.text == SPEC
    assert "holds its spec" in found.how


def test_a_spec_in_the_metadata_that_is_none_is_refused(tmp_path: Path) -> None:
    text = SPEC.replace("linear: 10", "linaer: 10")
    file = safetensors(tmp_path / "small.safetensors", state(SPEC), {"spec": text})
    with pytest.raises(SpecError, match="line 9: unknown layer or block `linaer`") as caught:
        read_checkpoint(file)
    assert caught.value.diagnostics[0].code == "SF621"


def test_a_checkpoint_in_its_run_leads_to_the_runs_spec(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC)
    file = safetensors(tmp_path / "checkpoints" / "epoch-0003" / "weights.safetensors", state(SPEC))
    found = read_checkpoint(file)
    assert found.text == SPEC
    assert str(tmp_path) in found.how


def test_a_spec_of_another_network_nearby_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC.replace("linear: 10", "linear: 11"))
    with pytest.raises(SpecError) as caught:
        read_checkpoint(safetensors(tmp_path / "weights.safetensors", state(SPEC)))
    (found,) = caught.value.diagnostics
    assert found.code == "SF629"
    assert found.hint is not None
    assert "spec.yaml" in found.hint


@pytest.mark.parametrize("classes", [10, 1000])
def test_torchvisions_names_lead_to_the_zoo(classes: int, tmp_path: Path) -> None:
    found = read_checkpoint(safetensors(tmp_path / "best.safetensors", resnet18(classes)))
    path = tmp_path / "net.yaml"
    path.write_text(found.text)
    analysis = analyse(path)
    assert list(analysis.findings) == []
    spec, graph = analysis.require()
    assert graph.output == (classes,)
    trained = [shape for name, shape in resnet18(classes).items() if shape and "running" not in name]
    assert graph.trainable_parameters == sum(map(prod, trained))
    assert spec.name == ("resnet18" if classes == 1000 else "resnet18_10_classes")


@pytest.mark.parametrize("name", ZOO)
def test_the_specs_own_names_lead_to_the_zoo(name: str) -> None:
    (match,) = matching(zoo_state(name))
    assert (match.network, match.classes) == (name, 1000)


def test_a_network_of_each_family_of_torchvision_is_found() -> None:
    models = pytest.importorskip("torchvision.models", exc_type=ImportError)
    import torch

    for name in FAMILIES:
        drawn = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        with torch.device("meta"):
            network = getattr(models, name)(weights=None, num_classes=7, **drawn)
        shapes = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
        (match,) = matching(shapes)
        assert (match.network, match.classes, match.usual_classes) == (name, 7, 1000)


def test_the_spec_says_how_the_file_names_its_tensors(tmp_path: Path) -> None:
    """ConvNeXt's scales stand before its convolutions in torchvision's order."""
    models = pytest.importorskip("torchvision.models", exc_type=ImportError)
    import torch

    from specforge.torch_backend.weights import key_map

    with torch.device("meta"):
        network = models.convnext_tiny(weights=None, num_classes=7)
    shapes = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    found = read_checkpoint(safetensors(tmp_path / "best.safetensors", shapes))
    path = tmp_path / "net.yaml"
    path.write_text(found.text)
    spec, graph = analyse(path).require()
    assert key_map(graph.state(), shapes, spec.weights)["classifier.weight"] == "classifier.2.weight"


def test_networks_that_are_not_in_the_zoo_are_not_found() -> None:
    models = pytest.importorskip("torchvision.models", exc_type=ImportError)
    import torch

    others = ("resnet152", "wide_resnet50_2", "vgg13", "densenet169", "mobilenet_v3_large", "efficientnet_b1", "swin_s")
    for name in (other for other in others if other not in ZOO):
        with torch.device("meta"):
            network = getattr(models, name)(weights=None)
        assert matching({key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}) == []


def test_the_classes_of_both_classifiers_change(tmp_path: Path) -> None:
    """Inception v3 has a second one, for training."""
    models = pytest.importorskip("torchvision.models", exc_type=ImportError)
    import torch

    with torch.device("meta"):
        network = models.inception_v3(weights=None, num_classes=10, init_weights=False)
    shapes = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    found = read_checkpoint(safetensors(tmp_path / "inception.safetensors", shapes))
    assert "params: {classes: 10}" in found.text
    trainable = sum(parameter.numel() for parameter in network.parameters())
    assert f"trainable_parameters: {trainable}" in found.text


@pytest.mark.parametrize("wrapping", ["module.", "_orig_mod.", "module._orig_mod.", "model."])
def test_what_training_programs_put_around_is_taken_off(wrapping: str, tmp_path: Path) -> None:
    shapes = {f"{wrapping}{name}": shape for name, shape in resnet18(10).items()}
    assert "extends: zoo/resnet18.yaml" in read_checkpoint(safetensors(tmp_path / "w.safetensors", shapes)).text


def test_other_shapes_under_the_same_names_are_refused(tmp_path: Path) -> None:
    shapes = {**resnet18(10), "layer3.0.conv1.weight": (256, 128, 5, 5)}
    with pytest.raises(SpecError, match="does not say which network its 122 tensors are of"):
        read_checkpoint(safetensors(tmp_path / "w.safetensors", shapes))


def test_the_same_shapes_under_other_names_are_refused(tmp_path: Path) -> None:
    """Shapes alone make no network."""
    shapes = {f"block{number}.tensor": shape for number, shape in enumerate(resnet18(10).values())}
    with pytest.raises(SpecError, match="does not say which network"):
        read_checkpoint(safetensors(tmp_path / "w.safetensors", shapes))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cut off"),
        (b"hello", "cut off"),
        (b"\xff" * 100, "cut off"),
        ((10**15).to_bytes(8, "little") + b"{}", "cut off"),
        ((2).to_bytes(8, "little") + b"[]", "no mapping"),
        ((2).to_bytes(8, "little") + b"{{", "no safetensors file"),
        (header({"a": (2, 3)}), "as long as the file"),
        ((40_000).to_bytes(8, "little") + b"[" * 40_000, "nested"),
    ],
)
def test_broken_safetensors_are_refused(content: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    file.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        read_checkpoint(file)
    (found,) = caught.value.diagnostics
    assert found.code == "SF621"
    assert said in found.message


def test_a_file_without_tensors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no tensors"):
        read_checkpoint(safetensors(tmp_path / "w.safetensors", {}))


def test_torchs_own_format_is_read(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    tensors = {name: torch.zeros(shape, dtype=torch.int8) for name, shape in resnet18(10).items()}
    torch.save(tensors, tmp_path / "best.pth")
    assert "set: {out_features: 10}" in read_checkpoint(tmp_path / "best.pth").text


def test_a_pickle_that_calls_something_is_not_run(tmp_path: Path) -> None:
    import pickle

    class Harm:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.mkdir, (str(tmp_path / "harm"),)

    (tmp_path / "w.pth").write_bytes(pickle.dumps({"a": Harm()}))
    with pytest.raises(SpecError):
        read_checkpoint(tmp_path / "w.pth")
    assert not (tmp_path / "harm").exists()


def test_neither_safetensors_nor_descriptions_need_torch(tmp_path: Path) -> None:
    safetensors(tmp_path / "w.safetensors", resnet18(10))
    (tmp_path / "n.cfg").write_text(
        "[net]\nwidth=8\nheight=8\nchannels=3\n[convolutional]\nfilters=2\nactivation=relu\n"
    )
    keras = Path(__file__).parent / "keras" / "plain.json"
    program = (
        "import sys; sys.modules['torch'] = None; sys.modules['numpy'] = None; from specforge.cli import main; main()"
    )
    for file in (tmp_path / "w.safetensors", tmp_path / "n.cfg", keras):
        done = subprocess.run(
            [sys.executable, "-c", program, "import", str(file)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "specforge: 1" in done.stdout


def test_torchs_own_format_without_torch_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"")
    program = "import sys; sys.modules['torch'] = None; from specforge.cli import main; main()"
    command = [sys.executable, "-c", program, "import", str(tmp_path / "w.pth")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "`torch` is not installed" in done.stderr
    assert "pip install torch" in done.stderr
