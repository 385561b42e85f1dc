"""What torch may load: a network, and nothing that would run while it is read."""

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from specforge.exporting import torch_bytes
from specforge.prediction import PredictionError, open_model
from specforge.prediction.torch_archive import demand_harmless
from tests.trained_runs import NOWHERE, trained

RunOf = Callable[[str], Path]
CALLED: list[str] = []


def called() -> None:
    CALLED.append("called")


class Harm:
    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        return called, ()


@pytest.fixture(scope="module")
def content(run_of: RunOf) -> bytes:
    return torch_bytes(trained(run_of("plain")))


def changed(content: bytes, member: str, change: Callable[[bytes], bytes], *, packed: bool = False) -> bytes:
    """The archive with a member changed, or added."""
    target = io.BytesIO()
    kind = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(target, "w") as after:
        top = before.namelist()[0].partition("/")[0]
        for info in before.infolist():
            is_it = info.filename == f"{top}/{member}"
            after.writestr(
                info.filename, change(before.read(info)) if is_it else before.read(info), kind if is_it else 0
            )
        if f"{top}/{member}" not in before.namelist():
            after.writestr(f"{top}/{member}", change(b""), kind)
    return target.getvalue()


def in_json(content: bytes, member: str, change: Callable[[Any], None]) -> bytes:
    def edited(text: bytes) -> bytes:
        record = json.loads(text)
        change(record)
        return json.dumps(record).encode()

    return changed(content, member, edited)


def nodes(record: Any) -> Any:
    return record["graph_module"]["graph"]["nodes"]


def rename(target: str) -> Callable[[Any], None]:
    def change(record: Any) -> None:
        nodes(record)[0]["target"] = target

    return change


def size(text: str) -> Callable[[Any], None]:
    """Every size that is not a number becomes this text."""

    def walk(value: Any) -> None:
        if isinstance(value, dict) and "expr_str" in value:
            value["expr_str"] = text
        for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(below)

    return walk


def guard(text: str) -> Callable[[Any], None]:
    return lambda record: record.update(guards_code=[text])


def all_pickled(record: Any) -> None:
    for entry in record["config"].values():
        entry["use_pickle"] = True


MODEL, WEIGHTS, INPUTS = "models/model.json", "data/weights/model_weights_config.json", "data/sample_inputs/model.pt"
EVIL = "__import__('os').system('true')"
HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "a function of torch": lambda content: in_json(content, MODEL, rename("torch.hub.load")),
    "an operation of somebody": lambda content: in_json(content, MODEL, rename("torch.ops.evil.run.default")),
    "a function of Python": lambda content: in_json(content, MODEL, rename("_operator.attrgetter")),
    "a target that is no text": lambda content: in_json(
        content, MODEL, lambda record: nodes(record)[0].update(target=[1])
    ),
    "Python as a size": lambda content: in_json(content, MODEL, size(EVIL)),
    "a size that never ends": lambda content: in_json(content, MODEL, size("9**9**9**9")),
    "Python as a guard": lambda content: in_json(content, MODEL, guard(EVIL)),
    "Python inside a guard": lambda content: in_json(content, MODEL, guard(f"L['input'].size()[0] >= {EVIL}")),
    "weights in a pickle": lambda content: in_json(content, WEIGHTS, all_pickled),
    "inputs that run": lambda content: changed(content, INPUTS, lambda _: pickle.dumps(Harm())),
    "inputs that are packed": lambda content: changed(content, INPUTS, lambda _: _packed()),
    "constants that run": lambda content: changed(
        content, "data/constants/opaque_obj_0", lambda _: pickle.dumps(Harm())
    ),
    "a library": lambda content: changed(content, "data/aotinductor/model/model.so", lambda _: b"\x7fELF"),
    "weights of an old format": lambda content: changed(
        content, "data/weights/model.pt", lambda _: pickle.dumps(Harm())
    ),
    "a second network": lambda content: changed(content, "models/other.json", lambda _: b"{}"),
    "a name that leads out": lambda content: changed(content, "../../evil", lambda _: b"x"),
    "a packed member": lambda content: changed(content, WEIGHTS, lambda text: text, packed=True),
    "brackets without end": lambda content: changed(content, MODEL, lambda _: b"[" * 100_000),
    "another top folder": lambda content: content.replace(b"archive/byteorder", b"brchive/byteorder"),
    "half of it": lambda content: content[: len(content) // 2],
    "nothing": lambda _: b"",
    "no archive": lambda _: b"\x80\x02}q\x00." * 20,
}


def _packed() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/data.pkl", b"\0" * 10_000)
    return target.getvalue()


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_would_run_or_is_no_network_is_not_loaded(content: bytes, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "model.pt2"
    hostile = HOSTILE[kind](content)
    assert hostile != content
    file.write_bytes(hostile)
    with pytest.raises(PredictionError) as caught:
        open_model(file, data_dir=NOWHERE)
    assert "\n" not in caught.value.message
    assert str(file) in caught.value.message
    assert CALLED == []


def test_torch_says_nothing_of_itself(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "model.pt2"
    file.write_bytes(in_json(content, MODEL, rename("torch.ops.aten.no_such_operation.default")))
    with pytest.raises(PredictionError, match="can't be run by torch"):
        open_model(file, data_dir=NOWHERE)
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")


def test_what_torch_finds_wrong_with_a_program_is_told(content: bytes, tmp_path: Path) -> None:
    """Its verifier has an error of its own, which is of no other kind."""

    def change(record: Any) -> None:
        for spec in record["graph_module"]["signature"]["input_specs"]:
            for entry in spec.values():
                entry["arg"]["name"] = "another"

    file = tmp_path / "model.pt2"
    file.write_bytes(in_json(content, MODEL, change))
    with pytest.raises(PredictionError, match="can't be run by torch"):
        open_model(file, data_dir=NOWHERE)


def test_a_name_twice_is_refused(content: bytes, tmp_path: Path) -> None:
    """Of which torch may read the other one."""
    file = tmp_path / "model.pt2"
    file.write_bytes(content)
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(next(name for name in archive.namelist() if name.endswith(MODEL)), b"{}")
    with pytest.raises(PredictionError, match="a name twice"):
        demand_harmless(file)


def test_what_is_exported_passes(run_of: RunOf, tmp_path: Path) -> None:
    for name in ("digits", "ensemble"):
        for with_preprocessing in (False, True):
            file = tmp_path / "model.pt2"
            file.write_bytes(torch_bytes(trained(run_of(name)), with_preprocessing=with_preprocessing))
            demand_harmless(file)


def test_a_program_of_somebody_else_has_no_card(tmp_path: Path) -> None:
    import torch

    file = tmp_path / "foreign.pt2"
    torch.export.save(torch.export.export(torch.nn.Linear(2, 2), (torch.ones(1, 2),)), file)
    with pytest.raises(PredictionError, match="does not say which network it is"):
        open_model(file, data_dir=NOWHERE)
