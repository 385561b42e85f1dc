"""Golden differences: two specs and what is said about them, and the shape that JSON promises."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import specforge
from specforge.analysis import analyse
from specforge.diagnostics import SpecError
from specforge.diff import Difference, diff, lines, to_markdown

SPECS = Path(__file__).parents[1] / "specs"

BASE = """
specforge: 1
name: base
params: {width: 8, times: 2}
model:
  input: [3, 16, 16]
  layers:
    - conv: {out_channels: $width, kernel_size: 3, padding: same}
    - relu
    - repeat:
        times: $times
        layers:
          - conv: {out_channels: 16, kernel_size: 3, padding: same}
          - relu
    - max_pool: 2
    - flatten
    - linear: 10
data: {dataset: {synthetic: {image: [3, 16, 16]}}, augment: [horizontal_flip, crop]}
train: {epochs: 2, batch_size: 8, optimizer: {adam: {lr: 1e-3}}, loss: cross_entropy}
"""


def compared(before: str, after: str, folder: Path) -> Difference:
    for name, text in (("a.yaml", before), ("b.yaml", after)):
        (folder / name).write_text(text, encoding="utf-8")
    return diff(folder / "a.yaml", folder / "b.yaml")


def edited(*edits: tuple[str, str], text: str = BASE) -> str:
    for old, new in edits:
        assert text.count(old) == 1, f"{text.count(old)} times {old!r}"
        text = text.replace(old, new)
    return text


def said(difference: Difference) -> list[str]:
    return [text for _, text in lines(difference)]


def paths(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["path"] for entry in entries]


FIRST_RELU = ("same}\n    - relu\n", "same}\n    - batch_norm\n    - relu\n")

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


def assert_same(difference: Difference) -> None:
    found = difference.to_dict()
    assert found["same"] is True
    assert found["architecture"] == {"added": [], "removed": [], "changed": [], "moved": []}
    assert found["recipe"] == found["data"] == []
    assert found["checkpoint_compatible"] == {"compatible": True, "missing": [], "unexpected": [], "mismatched": []}
    assert found["parameters"]["before"] == found["parameters"]["after"]
    assert said(difference)[0].startswith("same architecture")
    assert {style for style, _ in lines(difference)} == {"heading", "plain"}


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


def test_a_rule_and_a_layer_of_the_same_initial_weights(tmp_path: Path) -> None:
    by_rule = edited(("  input:", "  init: [{select: {kind: linear, parameter: bias}, initializer: zeros}]\n  input:"))
    assert_same(compared(by_rule, edited(("    - linear: 10", "    - {linear: 10, init: {bias: zeros}}")), tmp_path))


def test_extends_and_its_written_out_form(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    child = "specforge: 1\nname: child\nextends: base.yaml\nparams: {width: 12}\ntrain: {epochs: 7}\n"
    assert_same(compared(child, edited(("width: 8", "width: 12"), ("epochs: 2", "epochs: 7")), tmp_path))


BLOCKS = """
specforge: 1
name: blocks
model:
  input: [3, 8, 8]
  layers:
    - {id: one, sequential: {layers: [{conv: {out_channels: 4, kernel_size: 1}}, batch_norm, relu]}}
    - {id: two, sequential: {layers: [{conv: {out_channels: 5, kernel_size: 1}}, {dropout: 0.3}]}}
    - flatten
"""


def test_blocks_swapped_are_moved_not_changed(tmp_path: Path) -> None:
    first, second = re.findall(r"    - \{id: .*\n", BLOCKS)
    found = compared(BLOCKS, BLOCKS.replace(first + second, second + first), tmp_path).to_dict()["architecture"]
    assert (found["added"], found["removed"], found["changed"]) == ([], [], [])
    assert paths(found["moved"]) == ["two.conv_1", "two.dropout_1"]
    assert not any(entry["renamed"] for entry in found["moved"])
    assert paths(found["moved"][0]["consequences"]) == ["one.conv_1", "flatten_1"]


def test_an_inlined_block_is_only_renamed(tmp_path: Path) -> None:
    inlined = BLOCKS.replace(
        "    - {id: one, sequential: {layers: [{conv: {out_channels: 4, kernel_size: 1}}, batch_norm, relu]}}\n",
        "    - conv: {out_channels: 4, kernel_size: 1}\n    - batch_norm\n    - relu\n",
    )
    difference = compared(BLOCKS, inlined, tmp_path)
    assert [(entry.both[0].path, entry.both[1].path) for entry in difference.architecture.moved] == [
        ("one.conv_1", "conv_1"),
        ("one.batch_norm_1", "batch_norm_1"),
    ]
    assert difference.architecture.is_only_renamed
    assert said(difference)[0] == "same architecture, weights under other names"
    assert not difference.same


RESIDUAL = """
specforge: 1
name: residual
model:
  input: [4, 8, 8]
  layers:
    - conv: {out_channels: 4, kernel_size: 1}
    - residual:
        layers: [{conv: {out_channels: 4, kernel_size: 3, padding: same}}, batch_norm]
        shortcut: projection
    - relu
"""


def test_wrapping_layers_in_a_sum_moves_none(tmp_path: Path) -> None:
    plain = RESIDUAL.replace("residual:\n", "sequential:\n").replace("        shortcut: projection\n", "")
    found = compared(plain, RESIDUAL, tmp_path).to_dict()["architecture"]
    assert [(entry["path"], entry["kind"]) for entry in found["added"]] == [("residual_1", "residual")]
    assert (found["removed"], found["changed"]) == ([], [])
    assert all(entry["renamed"] for entry in found["moved"])


def test_the_body_of_a_sum_is_compared_inside(tmp_path: Path) -> None:
    shorter = RESIDUAL.replace(", batch_norm]", "]")
    found = compared(shorter, RESIDUAL, tmp_path).to_dict()["architecture"]
    assert paths(found["added"]) == ["residual_1.batch_norm_1"]
    assert (found["removed"], found["changed"], found["moved"]) == ([], [], [])


def test_what_leaves_the_sum_is_a_difference_though_the_layers_are_equal(tmp_path: Path) -> None:
    outside = RESIDUAL.replace(", batch_norm]", "]").replace("    - relu", "    - batch_norm\n    - relu")
    difference = compared(RESIDUAL, outside, tmp_path)
    assert not difference.same
    assert paths(difference.to_dict()["architecture"]["moved"]) == ["batch_norm_1"]


def test_a_projection_made_up_from_shapes_is_a_consequence(tmp_path: Path) -> None:
    before, after = (
        RESIDUAL.replace("channels: 4, kernel_size: 3", f"channels: {width}, kernel_size: 3") for width in (6, 8)
    )
    found = compared(before, after, tmp_path).to_dict()["architecture"]
    assert paths(found["changed"]) == ["residual_1.conv_1"]
    assert "residual_1.shortcut.conv_1" in paths(found["changed"][0]["consequences"])


def test_a_given_id_decides_which_of_equal_layers_went(tmp_path: Path) -> None:
    text = BLOCKS.replace("    - flatten", "    - {id: left, relu: }\n    - {id: right, relu: }\n    - flatten")
    found = compared(text, text.replace("    - {id: left, relu: }\n", ""), tmp_path).to_dict()["architecture"]
    assert paths(found["removed"]) == ["left"]


def test_the_most_similar_layer_of_a_gap_is_the_changed_one(tmp_path: Path) -> None:
    wide = "{conv: {out_channels: 4, kernel_size: 1, bias: false}}"
    after = BLOCKS.replace(
        "{conv: {out_channels: 4, kernel_size: 1}}", "{conv: {out_channels: 9, kernel_size: 3}}, " + wide
    )
    found = compared(BLOCKS, after, tmp_path).to_dict()["architecture"]
    assert paths(found["added"]) == ["one.conv_1"]
    assert [(entry["path_before"], entry["path"]) for entry in found["changed"]] == [("one.conv_1", "one.conv_2")]
    assert found["changed"][0]["arguments"] == {"bias": {"before": True, "after": False}}


def test_searches_differ_by_path(tmp_path: Path) -> None:
    space = "search: {trials: 9, space: {train.epochs: {choice: [1, 2]}, train.optimizer.lr: {uniform: [0.1, 0.9]}}"
    space += ", metric: train_loss}\n"
    other = space.replace("trials: 9, ", "").replace("[0.1, 0.9]", "[0.1, 0.5]").replace("choice", "integers")
    found = compared(BASE + space, BASE + other, tmp_path)
    assert (found.same, found.recipe) == (False, ())
    assert found.to_dict()["search"] == [
        {"path": "search.space.train.epochs", "before": "choice", "after": "integers"},
        {"path": "search.space.train.epochs.values", "before": [1, 2], "after": None},
        {"path": "search.space.train.epochs.bounds", "before": None, "after": [1, 2]},
        {"path": "search.space.train.optimizer.lr.bounds", "before": [0.1, 0.9], "after": [0.1, 0.5]},
        {"path": "search.trials", "before": 9, "after": 100},
    ]
    assert next(iter(lines(found))) == ("heading", "same architecture, data and recipe, different search")
    assert compared(BASE + space, BASE + space, tmp_path).same
    one_sided = compared(BASE + space, BASE, tmp_path)
    assert [setting.path for setting in one_sided.search] == ["search"]


def test_json_has_the_promised_shape(tmp_path: Path) -> None:
    found = compared(BASE, edited(FIRST_RELU, ("width: 8", "width: 12")), tmp_path).to_dict()
    assert list(found)[:6] == ["same", "architecture", "parameters", "macs", "recipe", "data"]
    assert list(found)[6:] == ["search", "checkpoint_compatible"]
    assert list(found["architecture"]) == ["added", "removed", "changed", "moved"]
    assert list(found["checkpoint_compatible"]) == ["compatible", "missing", "unexpected", "mismatched"]
    assert found["architecture"]["added"][0] == {
        "path": "batch_norm_1",
        "kind": "batch_norm",
        "arguments": {},
        "output": [12, 16, 16],
        "parameters": 48,
        "macs": 0,
        "consequences": [],
    }
    conv = found["architecture"]["changed"][0]
    # the added layer is nearer to them, but can't be why: it keeps the shape
    assert paths(conv.pop("consequences")) == ["relu_1", "repeat_1.0.conv_1"]
    assert conv == {
        "path": "conv_1",
        "path_before": "conv_1",
        "kind": "conv",
        "arguments": {"out_channels": {"before": 8, "after": 12}},
        "output": {"before": [8, 16, 16], "after": [12, 16, 16]},
        "parameters": {"before": 224, "after": 336},
        "macs": {"before": 55296, "after": 82944},
    }
    assert found["parameters"]["before"] == {"trainable": 13962, "non_trainable": 0, "total": 13962}
    assert found["macs"]["before"] == 950272
    assert found["checkpoint_compatible"]["mismatched"][0] == {
        "name": "conv_1.weight",
        "before": [8, 3, 3, 3],
        "after": [12, 3, 3, 3],
    }
    assert json.loads(json.dumps(found)) == found


def test_many_like_changes_are_one_line(tmp_path: Path) -> None:
    found = said(
        compared(
            edited(("times: 2", "times: 9")),
            edited(("times: 2", "times: 9"), ("channels: 16", "channels: 20")),
            tmp_path,
        )
    )
    assert len([line for line in found if line.startswith("~")]) == 1
    assert any(line.startswith("~ 9 conv layers  out_channels: 16 -> 20  parameters: ") for line in found)


def test_markdown_is_a_fenced_diff(tmp_path: Path) -> None:
    text = to_markdown(compared(BASE, edited(FIRST_RELU, ("epochs: 2", "epochs: 3")), tmp_path))
    body = text.splitlines()
    assert body[0].startswith("### `")
    assert body[2] == "**different architecture and recipe, same data**"
    assert body[4] == "```diff"
    assert "+ batch_norm_1  batch_norm  [8, 16, 16]  32 parameters" in body
    assert "! train.epochs: 2 -> 3" in body
    assert body[-1] == "```"


def test_markdown_cannot_be_closed_by_a_value(tmp_path: Path) -> None:
    data = ("{synthetic: {image: [3, 16, 16]}}", '{npz: {path: "```.npz"}}')
    text = to_markdown(compared(BASE, edited(data), tmp_path))
    assert "````diff" in text
    assert text.endswith("\n````\n")


def test_wrong_specs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="unknown layer"):
        compared(BASE, edited(("    - flatten", "    - flaten")), tmp_path)
    with pytest.raises(SpecError, match="no layers here"):
        compared(BASE, "specforge: 1\nname: base\ntrain: {epochs: 1}\n", tmp_path)


def test_analyses_are_sides_too(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(BASE, encoding="utf-8")
    difference = diff(analyse(tmp_path / "a.yaml"), analyse(tmp_path / "a.yaml", ("train.epochs=9",)))
    assert [(setting.path, setting.before, setting.after) for setting in difference.recipe] == [("train.epochs", 2, 9)]


def test_python_api_stays_a_function_after_imports() -> None:
    import specforge.diff as package

    assert callable(specforge.diff)
    assert specforge.diff(SPECS / "lab2.yaml", SPECS / "lab2.yaml").same
    assert package.diff is diff


def test_lab2_and_its_batch_normalised_form() -> None:
    found = diff(SPECS / "lab2.yaml", SPECS / "lab2_bn.yaml").to_dict()
    assert {entry["kind"] for entry in found["architecture"]["added"]} == {"batch_norm"}
    assert len(found["architecture"]["added"]) == 5
    assert found["architecture"]["removed"] == found["architecture"]["moved"] == []
    assert {entry["kind"] for entry in found["architecture"]["changed"]} == {"dropout"}
    assert found["parameters"]["after"]["total"] - found["parameters"]["before"]["total"] == 2816
    assert found["checkpoint_compatible"]["compatible"] is False
    assert found["checkpoint_compatible"]["unexpected"] == []
