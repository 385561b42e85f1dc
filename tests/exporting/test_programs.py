"""Programs for other machines: what they give is what the network gives, for batches of any size."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor

from specforge.exporting import ExportError, onnx_bytes, source, torch_bytes
from specforge.prediction import Trained, open_model
from specforge.prediction.networks import joined
from tests.trained_runs import NOWHERE, pictures, trained

SPECS = Path(__file__).resolve().parents[2] / "specs"
DOCUMENTED = ("lab2_bn", "residual_block", "base", "inception", "quickstart")
RunOf = Callable[[str], Path]
Program = Callable[[Tensor], Tensor]


def fresh(name: str) -> Trained:
    """A documented spec whose running statistics are not those of the start, which would hide mistakes."""
    found = source(str(SPECS / f"{name}.yaml"), seed=3, data_dir=NOWHERE)
    generator = torch.Generator().manual_seed(4)
    for state in found.states:
        for key, tensor in state.items():
            if key.endswith(("running_mean", "running_var")):
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
    return found


def by_onnx(content: bytes, name: str = "images") -> Program:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return lambda images: torch.from_numpy(session.run(["logits"], {name: images.numpy()})[0])


def by_torch(content: bytes) -> Program:
    module = torch.export.load(io.BytesIO(content)).module()
    return lambda images: module(images)


def assert_same(program: Program, network: Trained, images: Tensor) -> None:
    with torch.no_grad():
        expected = joined(network.networks(torch.device("cpu")))(images)
        found = program(images)
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= 1e-4 * expected.abs().max()


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documented_networks_give_the_same_in_onnx(name: str) -> None:
    network = fresh(name)
    program = by_onnx(onnx_bytes(network))
    for size in (1, 7):
        assert_same(program, network, torch.randn(size, *network.card.image))


@pytest.mark.parametrize("name", ["quickstart", "attention_cbam"])
def test_programs_of_torch_give_the_same(name: str) -> None:
    network = fresh(name)
    program = by_torch(torch_bytes(network))
    for size in (1, 7):
        assert_same(program, network, torch.randn(size, *network.card.image))


def test_a_network_that_needs_simpler_operations_first(tmp_path: Path) -> None:
    """Attention in windows, which torch can't translate as it stands."""
    spec = tmp_path / "windows.yaml"
    spec.write_text(
        "specforge: 1\nname: windows\nmodel:\n  input: [3, 8, 8]\n  layers:\n"
        "    - conv: {out_channels: 8, kernel_size: 2, stride: 2}\n    - permute: [2, 3, 1]\n"
        "    - window_attention: {num_heads: 2, window_size: 4}\n    - flatten\n    - linear: 4\n"
    )
    network = source(str(spec), seed=1, data_dir=NOWHERE)
    program = by_onnx(onnx_bytes(network))
    for size in (1, 3):
        assert_same(program, network, torch.randn(size, *network.card.image))


def test_an_ensemble_is_one_program(run_of: RunOf) -> None:
    network = trained(run_of("ensemble"))
    images = torch.randn(3, 3, 6, 6)
    for program in (by_onnx(onnx_bytes(network)), by_torch(torch_bytes(network))):
        assert_same(program, network, images)
        assert torch.allclose(program(images).exp().sum(1), torch.ones(3), atol=1e-5)


def test_onnx_has_a_batch_of_any_size_and_the_card_in_its_metadata(run_of: RunOf) -> None:
    network = trained(run_of("digits"))
    model = onnx.load_from_string(onnx_bytes(network))
    onnx.checker.check_model(model, full_check=True)
    (taken,), (given,) = model.graph.input, model.graph.output
    sides = [[side.dim_param or side.dim_value for side in each.type.tensor_type.shape.dim] for each in (taken, given)]
    assert (taken.name, given.name) == ("images", "logits")
    assert sides == [["batch", 1, 8, 8], ["batch", 10]]
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata == network.card.to_metadata()
    assert json.loads(metadata["class_names"]) == [str(digit) for digit in range(10)]
    assert metadata["spec"] == (run_of("digits") / "spec.yaml").read_text()


def test_the_same_run_gives_the_same_bytes_which_name_no_file_of_this_machine(run_of: RunOf) -> None:
    network = trained(run_of("plain"))
    content = onnx_bytes(network)
    assert content == onnx_bytes(network)
    root = str(Path(torch.__file__).parent).encode()
    for file in (content, torch_bytes(network)):
        assert root not in file
        assert str(SPECS.parent).encode() not in file


def test_a_network_too_large_for_onnx_is_told_before_the_work(run_of: RunOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specforge.exporting.programs._MOST_ONNX", 100)
    with pytest.raises(ExportError, match=r"an ONNX file has 100 at most"):
        onnx_bytes(trained(run_of("plain")))


def test_tensors_in_onnx_have_the_names_of_ours(run_of: RunOf) -> None:
    network = trained(run_of("plain"))
    names = {tensor.name for tensor in onnx.load_from_string(onnx_bytes(network)).graph.initializer}
    assert "linear_1.weight" in names


@pytest.mark.parametrize("name", ["plain", "ensemble"])
def test_with_preprocessing_pixels_are_taken_as_they_are(run_of: RunOf, name: str) -> None:
    network = trained(run_of(name))
    assert network.card.normalization is not None
    pixels = torch.randint(0, 256, (5, *network.card.image), dtype=torch.uint8)
    mean, std = (
        torch.tensor(values)[:, None, None]
        for values in (network.card.normalization.mean, network.card.normalization.std)
    )
    with torch.no_grad():
        expected = joined(network.networks(torch.device("cpu")))((pixels / 255 - mean) / std)
    taken = onnx_bytes(network, with_preprocessing=True)
    assert onnx.load_from_string(taken).graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    for program in (by_onnx(taken, "pixels"), by_torch(torch_bytes(network, with_preprocessing=True))):
        assert np.allclose(program(pixels).detach(), expected, atol=1e-4 * expected.abs().max().item())


@pytest.mark.parametrize(
    ("name", "with_preprocessing"), [("digits", False), ("digits", True), ("averaged", False), ("ensemble", False)]
)
def test_files_get_the_same_probabilities_from_every_format(
    run_of: RunOf, tmp_path: Path, name: str, with_preprocessing: bool
) -> None:
    from specforge.prediction.weights_file import bundle_bytes, weights_bytes

    network = trained(run_of(name))
    contents = {
        "a.onnx": onnx_bytes(network, with_preprocessing=with_preprocessing),
        "a.pt2": torch_bytes(network, with_preprocessing=with_preprocessing),
        "a.safetensors": weights_bytes(network),
        "a.specforge": bundle_bytes(network),
    }
    folder, _ = pictures(run_of(name))
    expected = shares(run_of(name), folder)
    for file, content in contents.items():
        (tmp_path / file).write_bytes(content)
        assert np.abs(shares(tmp_path / file, folder) - expected).max() <= 1e-4, file


def shares(model: Path, folder: Path) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Probabilities of all images, by class."""
    from specforge.prediction import Prediction, predict

    found = predict(open_model(model, device="cpu", data_dir=NOWHERE), [folder], top=100)
    answers = [each.top for each in found if isinstance(each, Prediction)]
    return np.array(
        [[answer.probability for answer in sorted(top, key=lambda answer: answer.index)] for top in answers]
    )


def test_statistics_that_only_the_data_know_cannot_be_in_a_program() -> None:
    network = source(str(SPECS / "quickstart.yaml"), data_dir=NOWHERE)
    with pytest.raises(ExportError, match="measured on its training images") as caught:
        onnx_bytes(network, with_preprocessing=True)
    assert "export a run" in (caught.value.hint or "")


def test_what_torch_cannot_follow_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("first line\nsecond line") from ValueError("\n  the cause\nand its story")

    network = source(str(SPECS / "quickstart.yaml"), seed=0, data_dir=NOWHERE)
    monkeypatch.setattr(torch.onnx, "export", refuse)
    with pytest.raises(ExportError, match=r"can't make an ONNX file of `quickstart`:   the cause$"):
        onnx_bytes(network)
    monkeypatch.setattr(torch.export, "export", refuse)
    with pytest.raises(ExportError, match="can't make a program"):
        torch_bytes(network)


def test_without_onnx_the_one_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from specforge.exporting import packages

    monkeypatch.setattr(packages, "find_spec", lambda name: None if name == "onnxscript" else object())
    with pytest.raises(ExportError, match="`onnxscript` is not installed") as caught:
        onnx_bytes(source(str(SPECS / "quickstart.yaml"), seed=0, data_dir=NOWHERE))
    assert caught.value.hint == "pip install onnx onnxscript onnxruntime"
