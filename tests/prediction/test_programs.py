"""Exported programs that are not what was written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch

from specforge.exporting import onnx_bytes, torch_bytes
from specforge.prediction import PredictionError, open_model
from tests.trained_runs import NOWHERE, trained

RunOf = Callable[[str], Path]


@pytest.fixture(scope="module")
def content(run_of: RunOf) -> bytes:
    return onnx_bytes(trained(run_of("plain")))


def with_texts(content: bytes, **texts: str | None) -> bytes:
    model = onnx.load_from_string(content)
    known = {entry.key: entry.value for entry in model.metadata_props} | texts
    del model.metadata_props[:]
    for name, text in known.items():
        if text is not None:
            model.metadata_props.add(key=name, value=text)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"spec": None}, "no spec in its metadata"),
        ({"specforge": "9"}, "format 9"),
        ({"image": "[3, 1048576, 1048576]"}, r"takes \[3, 1048576, 1048576\]"),
        ({"image": "[2, 6, 6]", "normalization": None}, "does not say how its images are normalised"),
        ({"image": "[6, 6]", "normalization": '{"mean": [0,0,0,0,0,0], "std": [1,1,1,1,1,1]}'}, r"takes \[6, 6\]"),
        ({"class_names": "{}"}, "class_names"),
        ({"normalization": "[1, 2]"}, "normalization"),
    ],
)
def test_metadata_that_are_wrong_are_refused(
    content: bytes, tmp_path: Path, texts: dict[str, str | None], message: str
) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(with_texts(content, **texts))
    with pytest.raises(PredictionError, match=message):
        open_model(file, data_dir=NOWHERE)


@pytest.mark.parametrize(
    "texts",
    [{"image": "[3, 9, 9]"}, {"input": "pixels"}, {"image": "[1, 6, 6]", "normalization": '{"mean": [0], "std": [1]}'}],
)
def test_a_program_that_takes_something_else_than_it_says(
    content: bytes, tmp_path: Path, texts: dict[str, str | None]
) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(with_texts(content, **texts))
    model = open_model(file, data_dir=NOWHERE)
    with pytest.raises(PredictionError, match="can't be run by ONNX Runtime") as caught:
        model.logits(torch.zeros(2, *model.card.image, dtype=torch.uint8))
    assert "\n" not in caught.value.message


def test_a_program_of_torch_that_takes_something_else_than_it_says(run_of: RunOf, tmp_path: Path) -> None:
    network = trained(run_of("plain"))
    file = tmp_path / "model.pt2"
    lie = network.card.model_copy(update={"image": (3, 9, 9)})
    content = torch_bytes(network)
    import io
    import json
    import zipfile

    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(target, "w") as after:
        for info in before.infolist():
            is_card = info.filename.endswith("specforge.json")
            after.writestr(info.filename, json.dumps(lie.to_metadata()) if is_card else before.read(info))
    file.write_bytes(target.getvalue())
    model = open_model(file, data_dir=NOWHERE)
    with pytest.raises(PredictionError, match="can't be run by torch"):
        model.logits(torch.zeros(2, 3, 9, 9, dtype=torch.uint8))


def test_a_program_of_somebody_else_has_no_card(tmp_path: Path) -> None:
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    sides: Any = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", 3]) for name in "xy"]
    opset = [onnx.helper.make_opsetid("", 18)]
    model = onnx.helper.make_model(
        onnx.helper.make_graph([node], "g", sides[:1], sides[1:]), ir_version=10, opset_imports=opset
    )
    (tmp_path / "foreign.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(PredictionError, match="does not say which network it is"):
        open_model(tmp_path / "foreign.onnx", data_dir=NOWHERE)


@pytest.mark.parametrize(
    "damage", [lambda content: content[: len(content) // 2], lambda _: b"", lambda _: b"\x08" * 99]
)
def test_what_is_no_program_is_told(content: bytes, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(damage(content))
    with pytest.raises(PredictionError, match=r"model\.onnx can't be run by ONNX Runtime"):
        open_model(file, data_dir=NOWHERE)


def test_onnx_runtime_says_nothing_of_itself(content: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(content.replace(b"spec_hash", b"spec_\xf3\xf3\xf3\xf3"))
    with pytest.raises(PredictionError, match="can't be run by ONNX Runtime"):
        open_model(file, data_dir=NOWHERE)
    assert capfd.readouterr() == ("", "")


def test_without_its_runtime_the_one_command_is_told(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(PredictionError, match="`onnxruntime` is not installed") as caught:
        open_model(tmp_path / "model.onnx", data_dir=NOWHERE)
    assert caught.value.hint == "pip install onnxruntime"


def test_programs_are_asked_on_the_cpu(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(PredictionError, match="asked on the CPU, not on `cuda`"):
        open_model(tmp_path / "model.onnx", device="cuda", data_dir=NOWHERE)
