"""Weights that carry their spec: exported files and bundles, and those of strangers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from specforge.prediction import PredictionError, WeightsFile
from specforge.prediction.container import Container, pack
from specforge.prediction.weights_file import bundle_bytes, weights_bytes
from tests.trained_runs import trained

RunOf = Callable[[str], Path]


@pytest.fixture
def bundle(run_of: RunOf, tmp_path: Path) -> Path:
    file = tmp_path / "plain.specforge"
    file.write_bytes(bundle_bytes(trained(run_of("plain"))))
    return file


def forge(file: Path, *, tensors: dict[str, torch.Tensor] | None = None, **metadata: Any) -> Path:
    """A bundle whose checksum is right, with other content; None removes a text."""
    found = Container.open(file)
    changed = {**found.metadata, **metadata}
    texts = {name: text for name, text in changed.items() if text is not None}
    file.write_bytes(pack({**found.tensors(), **(tensors or {})}, texts))
    return file


def test_a_bundle_says_what_the_run_does(run_of: RunOf, bundle: Path) -> None:
    run, found = run_of("plain"), WeightsFile(bundle)
    result, environment = (json.loads((run / name).read_text()) for name in ("result.json", "environment.json"))
    assert found.card.spec == (run / "spec.yaml").read_text()
    assert found.card.spec_hash == result["spec_hash"]
    assert found.card.class_names == tuple(entry["name"] for entry in result["per_class"])
    assert found.result is not None
    assert found.result.test_accuracy == result["test_accuracy"]
    assert found.environment["torch"] == environment["torch"]
    assert found.means_the_same
    assert found.card.normalization is not None
    assert found.card.normalization.mean == (0.4, 0.5, 0.6)


def test_an_exported_file_has_the_weights_alone(run_of: RunOf, tmp_path: Path) -> None:
    (tmp_path / "plain.safetensors").write_bytes(weights_bytes(trained(run_of("plain"))))
    found = WeightsFile(tmp_path / "plain.safetensors")
    assert (found.result, found.environment) == (None, {})
    states = trained(run_of("plain")).states
    assert {name: tensor.tolist() for name, tensor in found.trained().states[0].items()} == {
        name: tensor.tolist() for name, tensor in states[0].items()
    }


def test_two_bundles_of_a_run_are_the_same_bytes(run_of: RunOf, bundle: Path) -> None:
    assert bundle.read_bytes() == bundle_bytes(trained(run_of("plain")))


def test_members_of_an_ensemble_are_numbered(run_of: RunOf, tmp_path: Path) -> None:
    file = tmp_path / "ensemble"
    file.write_bytes(bundle_bytes(trained(run_of("ensemble"))))
    found = WeightsFile(file)
    assert found.card.members == 2
    assert {name.partition(".")[0] for name in found.container.shapes} == {"0", "1"}
    before, after = trained(run_of("ensemble")), found.trained()
    assert len(after.states) == 2
    for state, other in zip(before.states, after.states, strict=True):
        assert all(torch.equal(state[name], other[name]) for name in state)
    assert not torch.equal(after.states[0]["linear_1.weight"], after.states[1]["linear_1.weight"])


OTHER_SPEC = "specforge: 1\nname: other\nmodel: {input: [3, 6, 6], layers: [flatten, {linear: 5}]}\n"
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no spec": ({"spec": None}, "no spec in its metadata"),
    "a later format": ({"specforge": "2"}, "format 2"),
    "a spec that is no YAML": ({"spec": "{" * 9}, "refuses"),
    "a spec of another network": ({"spec": OTHER_SPEC}, "the network's is|is not in it"),
    "a spec of more than there is memory": (
        {"spec": OTHER_SPEC.replace("5", "2000000000")},
        "the network's is|not in it",
    ),
    "a spec with an unknown layer": ({"spec": OTHER_SPEC.replace("flatten", "import_os")}, "unknown layer"),
    "a spec that reads files": ({"spec": "extends: /etc/passwd\nspecforge: 1\nname: x\n"}, "refuses"),
    "a spec that includes files": ({"spec": OTHER_SPEC + "include: [../../secret.yaml]\n"}, "refuses"),
    "a spec that nests without end": ({"spec": "[" * 100_000}, "refuses"),
    "classes that are no list": ({"class_names": '{"a": 1}'}, "class_names"),
    "classes that are numbers": ({"class_names": "[1, 2, 3, 4, 5]"}, "class_names"),
    "too few classes": ({"class_names": '["a", "b"]'}, "classes"),
    "classes that are no JSON": ({"class_names": "[" * 1000}, "metadata"),
    "an image of another size": ({"image": "[3, 7, 7]"}, "an image of"),
    "an image without end": ({"image": "[3, 1e99, 6]"}, "image"),
    "no image": ({"image": None}, "image"),
    "a deviation of zero": ({"normalization": '{"mean": [0, 0, 0], "std": [0, 1, 1]}'}, "normalization"),
    "a deviation that is no number": ({"normalization": '{"mean": [0, 0, 0], "std": [NaN, 1, 1]}'}, "normalization"),
    "normalization of one channel": ({"normalization": '{"mean": [0], "std": [1]}'}, "number of channels"),
    "members that are not there": ({"members": "2"}, "is not in it"),
    "no members": ({"members": "0"}, "members"),
    "members that are no number": ({"members": '"many"'}, "members"),
    "another way to resize": ({"resize": "explode"}, "resize"),
    "a result that is no JSON": ({"result": "nothing"}, "result"),
    "an accuracy above one": ({"result": '{"test_accuracy": 7}'}, "result"),
    "an environment that is a list": ({"environment": "[]"}, "environment"),
    "an environment that is no JSON": ({"environment": "{"}, "environment"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_bundle_that_says_something_wrong_is_refused(bundle: Path, kind: str) -> None:
    changes, message = WRONG[kind]
    with pytest.raises(PredictionError, match=message) as caught:
        WeightsFile(forge(bundle, **changes))
    assert str(bundle) in caught.value.message
    assert "\n" not in caught.value.message


def test_tensors_that_are_not_those_of_the_network_are_refused(bundle: Path) -> None:
    original = bundle.read_bytes()
    for tensors, message in (
        ({"linear_1.bias": torch.ones(6)}, r"`linear_1.bias` is \[6\], the network's is \[5\]"),
        ({"../../etc/passwd": torch.ones(1)}, r"the network has no `../../etc/passwd`"),
    ):
        bundle.write_bytes(original)
        with pytest.raises(PredictionError, match=message):
            WeightsFile(forge(bundle, tensors=tensors))


def test_weights_that_are_no_numbers_are_found_by_a_check(bundle: Path) -> None:
    file = WeightsFile(bundle)
    file.demand_finite()
    spoilt = WeightsFile(forge(bundle, tensors={"linear_1.bias": torch.tensor([0.0, 1.0, float("nan"), 0.0, 0.0])}))
    with pytest.raises(PredictionError, match=r"`linear_1.bias` has values that are not finite"):
        spoilt.demand_finite()


def test_a_spec_that_means_something_else_by_now_is_told_of(bundle: Path) -> None:
    found = WeightsFile(forge(bundle, spec_hash="0" * 64))
    assert not found.means_the_same
    assert "in another way" in found.trained().notes[0]


def test_names_cannot_drive_a_terminal(bundle: Path) -> None:
    found = WeightsFile(forge(bundle, class_names=json.dumps(["\x1b[2J", "\u202eb", "c", "d", "e"])))
    assert all(name.isprintable() for name in found.card.class_names)
