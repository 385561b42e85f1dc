"""What can be exported: a run, a bundle, a spec."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import specforge
from specforge.exporting import ExportError, source, weights_bytes
from specforge.prediction.weights_file import bundle_bytes
from tests.trained_runs import NOWHERE, spec_file, trained

RunOf = Callable[[str], Path]


def test_a_spec_gets_the_weights_of_its_seed(tmp_path: Path) -> None:
    spec = spec_file(tmp_path, "plain")
    found = source(str(spec), seed=7, data_dir=NOWHERE)
    expected = specforge.compile(spec, seed=7).state_dict()
    assert all(torch.equal(found.states[0][name], tensor) for name, tensor in expected.items())
    assert found.card.class_names == ()
    assert found.card.tested is None
    assert found.card.normalization is not None
    assert found.card.normalization.std == (0.2, 0.25, 0.3)


def test_settings_change_the_spec_that_is_exported(tmp_path: Path) -> None:
    spec = spec_file(tmp_path, "plain")
    found = source(str(spec), settings=("model.layers.0.conv.out_channels=6",), seed=0, data_dir=NOWHERE)
    assert found.states[0]["conv_1.weight"].shape[0] == 6
    assert "out_channels: 6" in found.card.spec


def test_a_run_and_its_bundle_give_the_same(run_of: RunOf, tmp_path: Path) -> None:
    run = source(str(run_of("plain")), data_dir=NOWHERE)
    (tmp_path / "b.specforge").write_bytes(bundle_bytes(trained(run_of("plain"))))
    bundle = source(str(tmp_path / "b.specforge"), data_dir=NOWHERE)
    assert run.card == bundle.card
    assert weights_bytes(run) == weights_bytes(bundle)


@pytest.mark.parametrize(("options", "named"), [({"seed": 1}, "--seed"), ({"settings": ("train.epochs=1",)}, "--set")])
def test_what_a_run_cannot_use_is_refused(run_of: RunOf, options: dict[str, object], named: str) -> None:
    with pytest.raises(ExportError, match=named):
        source(str(run_of("plain")), data_dir=NOWHERE, **options)  # type: ignore[arg-type]  one of two


def test_exported_weights_fill_a_network_by_name(run_of: RunOf, tmp_path: Path) -> None:
    """By the Python API, which knows nothing of cards."""
    file = tmp_path / "plain.safetensors"
    file.write_bytes(weights_bytes(trained(run_of("plain"))))
    module = specforge.compile(run_of("plain") / "spec.yaml", weights=file)
    assert torch.equal(module.state_dict()["linear_1.bias"], trained(run_of("plain")).states[0]["linear_1.bias"])
