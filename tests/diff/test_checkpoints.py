"""Which weights load, told by layers, against loading by name and shape."""

from pathlib import Path

import pytest

from specforge.diff import diff, lines

CONV = "{conv: {out_channels: 3, kernel_size: 1}}"
SHARED = "{shared: w, conv: {out_channels: 3, kernel_size: 1}}"
NAMED = "{id: n, %s}"


def loading(folder: Path, before: str, after: str) -> list[str]:
    """What is said about weights."""
    for name, layers in (("a", before), ("b", after)):
        text = f"specforge: 1\nname: x\nmodel: {{input: [3, 8, 8], layers: [{layers}, global_avg_pool, linear: 2]}}\n"
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    said = [line.text for line in lines(diff(folder / "a.yaml", folder / "b.yaml"))]
    return said[next(n for n, line in enumerate(said) if line.startswith("weights")) :]


CASES = {
    # a new layer of the same shape took the name of the one behind it
    "a name that was taken": (
        (f"relu, {CONV}", f"{CONV}, relu, {CONV}"),
        ["all but these", "2 new: conv_1.{weight,bias}", "2 under another name: conv_1 -> conv_2"],
    ),
    "a name that was taken, of another shape": (
        (CONV, f"{{conv: {{out_channels: 3, kernel_size: 5}}}}, relu, {CONV}"),
        ["all but these", "2 new: conv_1.{weight,bias}", "2 under another name: conv_1 -> conv_2"],
    ),
    "renamed and reshaped": (
        ("{id: one, conv: {out_channels: 3, kernel_size: 1}}", "{id: two, conv: {out_channels: 3, kernel_size: 3}}"),
        [
            "all but these",
            "1 of another shape: one.weight -> two.weight [3, 3, 1, 1] -> [3, 3, 3, 3]",
            "1 under another name: one -> two",
        ],
    ),
    "another kind with the same tensors": (
        (NAMED % "group_norm: 3", NAMED % "instance_norm: {affine: true}"),
        ["yes"],
    ),
    "another kind with some of the tensors": (
        (NAMED % "batch_norm: ", NAMED % "group_norm: 3"),
        ["all but these", "3 gone: n.{running_mean,running_var,num_batches_tracked}"],
    ),
    "the owner of shared weights went": (
        (f"{SHARED}, relu, {SHARED}", f"relu, {CONV}"),
        ["yes"],
    ),
}


@pytest.mark.parametrize(("networks", "expected"), CASES.values(), ids=CASES)
def test_which_weights_load(networks: tuple[str, str], expected: list[str], tmp_path: Path) -> None:
    verdict, *details = loading(tmp_path, *networks)
    assert [verdict.partition(": ")[2], *map(str.strip, details)] == expected
