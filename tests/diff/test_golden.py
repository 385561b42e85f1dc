"""Golden differences, and texts that mean the same."""

from pathlib import Path

import pytest

from tests.diff.texts import BASE, FIRST_RELU, assert_same, compared, edited, said

GOLDEN = {
    "insert": (
        [FIRST_RELU],
        """\
different architecture, same data and recipe
+ batch_norm_1  batch_norm  [8, 16, 16]  32 parameters
parameters: 13,962 -> 13,994 (+32)
MACs: 950,272
weights of A load into B: no
  5 only in B: batch_norm_1.weight, batch_norm_1.bias, batch_norm_1.running_mean and 2 more""",
    ),
    "insert a layer of a kind that is there": (
        [("    - max_pool", "    - relu\n    - max_pool")],
        """\
different architecture, same data and recipe
+ relu_2  relu  [16, 16, 16]
parameters: 13,962
MACs: 950,272
weights of A load into B: yes""",
    ),
    "insert at the start, so that paths are renumbered": (
        [("layers:\n    - conv", "layers:\n    - conv: {out_channels: 3, kernel_size: 1}\n    - conv")],
        """\
different architecture, same data and recipe
+ conv_1  conv {out_channels: 3, kernel_size: 1}  [3, 16, 16]  12 parameters
parameters: 13,962 -> 13,974 (+12)
MACs: 950,272 -> 952,576 (+2,304)
weights of A load into B: no
  2 only in B: conv_2.weight, conv_2.bias
  2 of another shape: conv_1.weight [8, 3, 3, 3] -> [3, 3, 1, 1], conv_1.bias [8] -> [3]""",
    ),
    "delete with consequences": (
        [("    - max_pool: 2\n", "")],
        """\
different architecture, same data and recipe
- max_pool_1  max_pool {kernel_size: 2}  [16, 8, 8]
    2 layers differ as a consequence: linear_1 10,250 -> 40,970 parameters
parameters: 13,962 -> 44,682 (+30,720)
MACs: 950,272 -> 980,992 (+30,720)
weights of A load into B: no
  1 of another shape: linear_1.weight [10, 1024] -> [10, 4096]""",
    ),
    "width through a param": (
        [("width: 8", "width: 12")],
        """\
different architecture, same data and recipe
~ conv_1  out_channels: 8 -> 12  parameters: 224 -> 336 (+112)
    2 layers differ as a consequence: repeat_1.0.conv_1 1,168 -> 1,744 parameters
parameters: 13,962 -> 14,650 (+688)
MACs: 950,272 -> 1,125,376 (+175,104)
weights of A load into B: no
  3 of another shape: conv_1.weight [8, 3, 3, 3] -> [12, 3, 3, 3], conv_1.bias [8] -> [12], repeat_1.0.conv_1.weight \
[16, 8, 3, 3] -> [16, 12, 3, 3]""",
    ),
    "repeat 2 -> 3": (
        [("times: 2", "times: 3")],
        """\
different architecture, same data and recipe
+ repeat_1.2  2 layers (conv, relu)  2,320 parameters
parameters: 13,962 -> 16,282 (+2,320)
MACs: 950,272 -> 1,540,096 (+589,824)
weights of A load into B: no
  2 only in B: repeat_1.2.conv_1.weight, repeat_1.2.conv_1.bias""",
    ),
    "replaced by another kind": (
        [("    - max_pool: 2", "    - avg_pool: 2")],
        """\
different architecture, same data and recipe
- max_pool_1  max_pool {kernel_size: 2}  [16, 8, 8]
+ avg_pool_1  avg_pool {kernel_size: 2}  [16, 8, 8]
parameters: 13,962
MACs: 950,272
weights of A load into B: yes""",
    ),
    "swapped": (
        [
            ("    - max_pool: 2\n    - flatten\n", "    - flatten\n"),
            ("same}\n    - relu\n", "same}\n    - max_pool: 2\n    - relu\n"),
        ],
        """\
different architecture, same data and recipe
~ max_pool_1  moved: behind repeat_1.1.relu_1 -> behind conv_1
    5 layers differ as a consequence, in shape only
parameters: 13,962
MACs: 950,272 -> 286,720 (-663,552)
weights of A load into B: yes""",
    ),
    "recipe only": (
        [("{adam: {lr: 1e-3}}", "{sgd: {lr: 0.1, momentum: 0.9}}"), ("epochs: 2,", "epochs: 3, schedule: cosine,")],
        """\
same architecture and data, different recipe
~ train.epochs: 2 -> 3
~ train.optimizer: adam -> sgd
~ train.optimizer.lr: 1e-3 -> 0.1
~ train.optimizer.momentum: none -> 0.9
~ train.schedule: none -> cosine
parameters: 13,962
MACs: 950,272
weights of A load into B: yes""",
    ),
    "data only": (
        [("[3, 16, 16]}}", "[3, 16, 16], train: 64}}"), ("crop]", "crop: 2]")],
        """\
same architecture and recipe, different data
~ data.dataset.train: 512 -> 64
~ data.augment[1].padding: 4 -> 2
parameters: 13,962
MACs: 950,272
weights of A load into B: yes""",
    ),
    "augmentation added": (
        [("[horizontal_flip, crop]", "[{horizontal_flip: 0.3}]")],
        """\
same architecture and recipe, different data
~ data.augment: [horizontal_flip, crop] -> [{horizontal_flip: {probability: 0.3}}]
parameters: 13,962
MACs: 950,272
weights of A load into B: yes""",
    ),
    "input": (
        [("  input: [3, 16, 16]", "  input: [3, 24, 24]"), ("image: [3, 16, 16]", "image: [3, 24, 24]")],
        """\
different architecture and data, same recipe
~ model.input  input: [3, 16, 16] -> [3, 24, 24]
    9 layers differ as a consequence: linear_1 10,250 -> 23,050 parameters
~ data.dataset.image: [3, 16, 16] -> [3, 24, 24]
parameters: 13,962 -> 26,762 (+12,800)
MACs: 950,272 -> 2,138,112 (+1,187,840)
weights of A load into B: no
  1 of another shape: linear_1.weight [10, 1024] -> [10, 2304]""",
    ),
    "initial weights": (
        [("  input:", "  init: [{select: {kind: conv, parameter: bias}, initializer: zeros}]\n  input:")],
        """\
different architecture, same data and recipe
~ model.init  init: [] -> [{select: {kind: conv, parameter: bias}, initializer: zeros}]
parameters: 13,962
MACs: 950,272
weights of A load into B: yes""",
    ),
    "one layer's initial weights, frozen": (
        [("    - linear: 10", "    - {linear: 10, init: {bias: zeros}, trainable: false}")],
        """\
different architecture, same data and recipe
~ linear_1  init.bias: none -> zeros  trainable: true -> false
parameters: 13,962
MACs: 950,272
weights of A load into B: yes""",
    ),
    "renamed with weights": (
        [("    - linear: 10", "    - {id: head, linear: 10}")],
        """\
same architecture, data and recipe, weights under other names
~ linear_1 -> head  renamed
parameters: 13,962
MACs: 950,272
weights of A load into B: no
  2 only in A: linear_1.weight, linear_1.bias
  2 only in B: head.weight, head.bias""",
    ),
    "residual sum": (
        [
            (
                "    - max_pool",
                "    - residual: {layers: [relu]}\n    - max_pool",
            )
        ],
        """\
different architecture, same data and recipe
+ residual_1  2 layers (residual, relu)  0 parameters
parameters: 13,962
MACs: 950,272
weights of A load into B: yes""",
    ),
    "no recipe": (
        [("train: {epochs: 2, batch_size: 8, optimizer: {adam: {lr: 1e-3}}, loss: cross_entropy}\n", "")],
        """\
same architecture and data, different recipe
~ train: {epochs: 2, batch_size: 8, optimizer: adam, loss: cross_entropy} -> none
parameters: 13,962
MACs: 950,272
weights of A load into B: yes""",
    ),
}


@pytest.mark.parametrize(("edits", "expected"), GOLDEN.values(), ids=GOLDEN)
def test_golden(edits: list[tuple[str, str]], expected: str, tmp_path: Path) -> None:
    difference = compared(BASE, edited(*edits), tmp_path)
    assert "\n".join(said(difference)) == expected
    assert not difference.same


@pytest.mark.parametrize("edits", [edits for edits, _ in GOLDEN.values()], ids=GOLDEN)
def test_a_spec_does_not_differ_from_itself(edits: list[tuple[str, str]], tmp_path: Path) -> None:
    assert_same(compared(edited(*edits), edited(*edits), tmp_path))


SAME = {
    "words about it": [("name: base", "name: other\ndescription: text\nexpect: {output: [10]}")],
    "explicit defaults": [
        ("lr: 1e-3", "lr: 0.001, eps: 1e-8"),
        ("padding: same}\n    - relu\n    - repeat", "padding: same, bias: true}\n    - relu\n    - repeat"),
    ],
    "the value instead of the param": [("$width", "8")],
    "written out instead of repeated": [("times: $times", "for: {unused: [1, 2]}")],
    "an id without weights": [("    - flatten", "    - {id: vector, flatten: }")],
    "an empty group": [("    - flatten", "    - sequential: {layers: []}\n    - flatten")],
}


@pytest.mark.parametrize("edits", SAME.values(), ids=SAME)
def test_same_meaning(edits: list[tuple[str, str]], tmp_path: Path) -> None:
    assert_same(compared(BASE, edited(*edits), tmp_path))
