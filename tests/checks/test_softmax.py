"""Softmax and other limits before the cross entropy, and how low the loss can then be."""

from math import log
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy

from tests.checks.recipes import findings

HEAD = "- flatten\n- linear: 10\n"


@pytest.mark.parametrize(
    ("end", "word", "low", "high"),
    [
        ("- softmax", "softmax", 0, 1),
        ("- sigmoid", "sigmoid", 0, 1),
        ("- tanh", "tanh", -1, 1),
        ("- relu6", "relu6", 0, 6),
        ("- hardtanh: {min_val: -3, max_val: 1}", "hardtanh", -3, 1),
        ("- sigmoid\n- flatten: {start_dim: 1}", "sigmoid", 0, 1),
        ("- softmax\n- relu", "softmax", 0, 1),
        ("- sequential: {layers: [sequential: {layers: [sigmoid]}]}", "sigmoid", 0, 1),
        ("- repeat: {times: 1, layers: [softmax]}", "softmax", 0, 1),
    ],
)
def test_limits_are_named_with_the_lowest_loss(tmp_path: Path, end: str, word: str, low: float, high: float) -> None:
    (found,) = [found for found in findings(tmp_path, HEAD + end) if found.code == "SF509"]
    logits = torch.full((1, 10), float(low))
    logits[0, 3] = high
    assert found.message.startswith(f"`{word}` before `cross_entropy`")
    assert found.message.endswith(f"can't fall below {cross_entropy(logits, torch.tensor([3])).item():.2f}")


def test_a_softmax_seen_through_dropout(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, HEAD + "- softmax\n- dropout: 0.5")
    assert "contains one" in found.message
    assert found.span.line == 8


def test_a_second_log_softmax_only_changes_nothing(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, HEAD + "- log_softmax")
    assert found.message == "`log_softmax` before `cross_entropy`, which contains one"


@pytest.mark.parametrize(
    "layers",
    [
        HEAD,
        HEAD + "- leaky_relu",  # has no upper limit
        HEAD + "- batch_norm: {affine: true}",
        "- flatten\n- linear: 20\n- softmax\n- linear: 10",  # the linear layer lifts the limits
        "- {id: a, flatten: }\n- linear: 64\n- sigmoid\n- {from: [a, previous], multiply: }\n- linear: 10",
        "- flatten\n- linear: 10\n- residual: {layers: [{linear: 10}, sigmoid]}",  # a sum with logits
    ],
)
def test_logits_without_limits(tmp_path: Path, layers: str) -> None:
    assert findings(tmp_path, layers) == []


def test_a_side_branch_has_a_loss_of_its_own(tmp_path: Path) -> None:
    side = "- flatten\n- auxiliary: {weight: 0.3, layers: [{linear: 10}, softmax]}\n- linear: 10"
    (found,) = findings(tmp_path, side)
    assert (found.code, found.span.line) == ("SF509", 7)


def test_the_figures_that_explain_gives() -> None:
    from specforge.checks.softmax import SOFTMAX

    for classes in (10, 100):
        lowest = log(1 + (classes - 1) / torch.e)
        assert f"{lowest:.2f}" in SOFTMAX.explanation
