"""The networks that the benchmark writes by hand are those that the specs compile to."""

import importlib.util
import subprocess
import sys

import pytest
import torch

import specforge
from benchmarks.cases import IMAGE, RATES, ROOT
from benchmarks.ways import networks
from specforge.analysis import analyse


@pytest.mark.parametrize("spec", ["lab2_bn", "six_conv"])
def test_both_compute_the_same(spec: str) -> None:
    compiled, by_hand = specforge.compile(ROOT / "specs" / f"{spec}.yaml", seed=0), networks.build(spec)
    by_hand.load_state_dict(dict(zip(by_hand.state_dict(), compiled.state_dict().values(), strict=True)))
    images = torch.randn(2, *IMAGE)
    with torch.no_grad():
        torch.testing.assert_close(by_hand.eval()(images), compiled.eval()(images))


@pytest.mark.parametrize("spec", RATES)
def test_the_tensors_have_the_same_shapes(spec: str) -> None:
    compiled, by_hand = specforge.compile(ROOT / "specs" / f"{spec}.yaml", seed=0), networks.build(spec)
    ours, theirs = (sorted(tuple(tensor.shape) for tensor in module.parameters()) for module in (compiled, by_hand))
    assert theirs == ours


@pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed")
@pytest.mark.parametrize("spec", RATES)
def test_kerass_has_as_many_parameters(spec: str) -> None:
    program = f"from benchmarks.ways.keras_networks import compiled; print(compiled({spec!r}).count_params())"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    found, _ = analyse(ROOT / "specs" / f"{spec}.yaml").require()
    assert found.expect is not None
    assert int(done.stdout) == found.expect.total_parameters
