"""`edit:`: what each operation makes of the items as written, and what is said when an address leads nowhere."""

import time
from pathlib import Path
from textwrap import dedent

import pytest

from specforge.analysis import analyse
from specforge.binding import plain
from specforge.diagnostics import Findings
from tests.expand.trees import expanded, leaves_of, tree_of

LAYERS = """
    - {id: stem, conv: {out_channels: 8, kernel_size: 3}}
    - relu
    - repeat: {times: 2, layers: [unit: 8, relu, {dropout: 0.5}]}
    - residual: {layers: [relu], shortcut: [{linear: 3}]}
    - branches: {paths: [[relu, {linear: 4}], [tanh]]}
    - auxiliary: [linear: 2]
    - sequential: [{linear: 5}, $act]
    - relu
"""
BLOCKS = """
    unit: {params: {channels: required, k: 3}, layers: [{conv: {out_channels: $channels, kernel_size: $k}}, relu]}
    around: {params: {layers: required layers, n: 1}, layers: [{repeat: {times: $n, layers: $layers}}]}
    plain: {layers: [relu]}
"""


def text(edits: str, layers: str = LAYERS) -> str:
    parts = ["params: {act: elu}"]
    for part, key in ((edits, "edit:"), (BLOCKS, "blocks:")):
        parts += [key, *(f"  {line}" for line in dedent(part).strip().splitlines())]
    body = [f"    {line}" for line in dedent(layers).strip().splitlines()]
    return "\n".join([*parts, "model:", "  input: [3]", "  layers:", *body]) + "\n"


def paths(edits: str, layers: str = LAYERS) -> list[str]:
    return leaves_of(plain(tree_of(text(edits, layers)))["model"]["layers"])


def told(edits: str, layers: str = LAYERS) -> list[tuple[str, str | None]]:
    """Message and hint of every finding."""
    findings = Findings()
    expanded(text(edits, layers), findings)
    assert {found.code for found in findings} <= {"SF214"}
    return [(found.message, found.hint) for found in findings]


# --- operations


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ("replace: tanh", ["tanh_1"]),
        ("replace: {linear: 3}", ["linear_1 3"]),
        ("replace: [tanh, {id: a, elu: }]", ["tanh_1", "a"]),
        ("replace: $act", ["elu_1"]),
        ("remove: true", []),
        ("insert_before: tanh", ["tanh_1", "relu_1"]),
        ("insert_after: [relu, tanh]", ["relu_1", "relu_2", "tanh_1"]),
        ("set: {id: a}", ["a"]),
        ("set: {when: false}", []),
        ("wrap: sequential", ["sequential_1.relu_1"]),
        ("wrap: {id: a, repeat: {times: 2}}", ["a.0.relu_1", "a.1.relu_1"]),
        ("wrap: {residual: {shortcut: [tanh]}}", ["residual_1.relu_1", "residual_1.shortcut.tanh_1"]),
        ("wrap: {around: {n: 2}}", ["around_1.repeat_1.0.relu_1", "around_1.repeat_1.1.relu_1"]),
    ],
)
def test_operations(edit: str, expected: list[str]) -> None:
    assert paths(f"- {{at: relu_1, {edit}}}", "- relu") == expected


@pytest.mark.parametrize(
    ("item", "values", "expected"),
    [
        (
            "{conv: {out_channels: 8, kernel_size: 3}}",
            "{kernel_size: 5}",
            "conv_1 {'out_channels': 8, 'kernel_size': 5}",
        ),
        ("{linear: 8}", "{bias: false}", "linear_1 {'out_features': 8, 'bias': False}"),
        ("{linear: 8}", "{out_features: 9}", "linear_1 {'out_features': 9}"),
        ("{linear: {out_features: 8, bias: false}}", "{bias: null}", "linear_1 {'out_features': 8}"),
        ("softmax", "{dim: 1}", "softmax_1 {'dim': 1}"),
        ("{id: a, softmax: }", "{id: b, dim: 1}", "b {'dim': 1}"),
        ("{id: a, softmax: }", "{id: null}", "softmax_1"),
        ("{linear: 8}", "{when: true}", "linear_1 8"),
        ("{unit: 8}", "{k: 1}", "unit_1.conv_1 {'out_channels': 8, 'kernel_size': 1}"),
    ],
)
def test_set_merges_into_the_arguments_of_any_form(item: str, values: str, expected: str) -> None:
    layers = f"- {item}"
    kind = "unit_1" if "unit" in item else "a" if "id: a" in item else item.strip("{}").partition(":")[0] + "_1"
    assert paths(f"- {{at: {kind}, set: {values}}}", layers)[:1] == [expected]


def test_set_initialises_by_parameter() -> None:
    edits = "- {at: linear_1, set: {init: {bias: ones}, trainable: false}}"
    tree = plain(tree_of(text(edits, "- {linear: 3, init: {weight: zeros, bias: zeros}}")))
    (item,) = tree["model"]["layers"]
    assert (item["init"], item["trainable"]) == ({"weight": "zeros", "bias": "ones"}, False)


def test_edits_see_what_those_above_them_have_made() -> None:
    edits = """
        - {at: relu_1, remove: true}
        - {at: relu_1, replace: {id: kept, tanh: }}
        - {at: kept, insert_before: {id: new, elu: }}
        - {at: new, wrap: {id: box, sequential: }}
        - {at: box.new, set: {alpha: 0.5}}
    """
    assert paths(edits, "- relu\n- relu") == ["box.new {'alpha': 0.5}", "kept"]


# --- addresses


@pytest.mark.parametrize(
    "address",
    [
        "stem",
        "relu_1",
        "relu_2",
        "repeat_1",
        "repeat_1.relu_1",
        "repeat_1.unit_1",
        "residual_1.relu_1",
        "residual_1.shortcut.linear_1",
        "branches_1.0.linear_1",
        "branches_1.1.tanh_1",
        "auxiliary_1.linear_1",
        "sequential_1.linear_1",
        "blocks.unit.conv_1",
        "blocks.around.repeat_1",
    ],
)
def test_an_address_is_the_path_as_written(address: str) -> None:
    assert "mark" in str(
        paths(f"- {{at: {address}, replace: {{id: mark, sequential: [elu]}}}}\n") + paths_of_unit(address)
    )


def paths_of_unit(address: str) -> list[str]:
    """A block is seen where it is used."""
    if not address.startswith("blocks.around"):
        return []
    return paths(f"- {{at: {address}, replace: {{id: mark, sequential: [elu]}}}}", "- around: {layers: relu}")


def test_a_layer_in_a_repeat_is_edited_in_every_iteration() -> None:
    found = paths("- {at: repeat_1.dropout_1, set: {p: 0.1}}")
    assert [path for path in found if "dropout" in path] == [f"repeat_1.{i}.dropout_1 {{'p': 0.1}}" for i in (0, 1)]


def test_iterations_that_are_written_out_are_edited_one_by_one_or_all() -> None:
    layers = "- repeat: {iterations: [[relu, tanh], [relu], [tanh]]}"
    one = paths("- {at: repeat_1.1.relu_1, replace: elu}", layers)
    every = paths("- {at: repeat_1.relu_1, replace: elu}", layers)
    assert [path.split(".", 1)[1] for path in one] == ["0.relu_1", "0.tanh_1", "1.elu_1", "2.tanh_1"]
    assert [path.split(".", 1)[1] for path in every] == ["0.elu_1", "0.tanh_1", "1.elu_1", "2.tanh_1"]


def test_what_a_splice_holds_is_neither_entered_nor_counted() -> None:
    assert paths("- {at: elu_1, replace: tanh}", "- $act\n- elu") == ["elu_1", "tanh_1"]


def test_an_id_that_is_computed_is_its_text() -> None:
    layers = "- repeat: {times: 2, layers: [{id: act_$index, relu: }]}"
    assert paths("- {at: repeat_1.act_$index, set: {id: a_$index}}", layers) == ["repeat_1.0.a_0", "repeat_1.1.a_1"]


# --- mistakes


@pytest.mark.parametrize(
    ("edit", "message", "hint"),
    [
        ("{at: relu_3, remove: true}", "there is no `relu_3` to edit", "did you mean `relu_2`?"),
        (
            "{at: repeat_1.rellu_1, remove: true}",
            "there is no `repeat_1.rellu_1` to edit",
            "did you mean `repeat_1.relu_1`?",
        ),
        ("{at: dropout_1, remove: true}", "there is no `dropout_1` to edit", "did you mean `repeat_1.dropout_1`?"),
        (
            "{at: model.layers.tanh_1, remove: true}",
            "there is no `model.layers.tanh_1` to edit",
            "did you mean `branches_1.1.tanh_1`?",
        ),
        (
            "{at: repeat_1.unit_1.conv_1, remove: true}",
            "`repeat_1.unit_1` is a use of block `unit`",
            "its layers are below `blocks.unit`: write `blocks.unit.conv_1`",
        ),
        (
            "{at: repeat_1.0.relu_1, remove: true}",
            "the layers of `repeat_1` are written once",
            "leave the number out: `repeat_1.relu_1` is the layer in every iteration",
        ),
        ("{at: stem.relu_1, remove: true}", "`stem` holds no layers that an edit can reach", "name the item itself"),
        ("{at: residual_1.shortcut, remove: true}", "`residual_1.shortcut` is a list of layers", "name one of them"),
        (
            "{at: branches_1.relu_1, remove: true}",
            "`branches_1` has no `relu_1`",
            "its lists of layers are `branches_1.0`, `branches_1.1`",
        ),
        ("{at: branches_1.2.relu_1, remove: true}", "`branches_1` has no `2`", None),
        ("{at: blocks.unit, remove: true}", "`blocks.unit` is a block, not one of its layers", None),
        ("{at: blocks.unti.conv_1, remove: true}", "there is no block `unti`", "did you mean `unit`?"),
        ("{at: blocks, remove: true}", "this address names no block", "the layers of a block are `blocks.NAME.conv_1`"),
        (
            "{at: blocks.unit.conv_2, remove: true}",
            "there is no `blocks.unit.conv_2` to edit",
            "did you mean `blocks.unit.conv_1`?",
        ),
        ("{at: relu_1}", "this edit does nothing to `relu_1`", None),
        ("{remove: true}", "an edit needs `at`, the address of an item", "write `at: repeat_1.conv_1`"),
        ("{at: 3, remove: true}", "an edit needs `at`, the address of an item", None),
        ("{at: a..b, remove: true}", "an edit needs `at`, the address of an item", None),
        ("{at: relu_1, remove: true, set: {a: 1}}", "an edit does one thing, found `remove` and `set`", None),
        ("{at: relu_1, delete: true}", "an edit has no `delete`", None),
        ("{at: relu_1, insert: relu}", "an edit has no `insert`", None),
        ("{at: relu_1, remove: false}", "`remove` takes `true`", None),
        ("{at: relu_1, set: 3}", "`set` maps arguments to values", None),
        ("{at: relu_1, set: {}}", "`set` maps arguments to values", None),
        ("{at: relu_1, replace: }", "`replace` takes a layer or a list of layers", None),
        ("{at: relu_1, insert_after: []}", "`insert_after` takes a layer or a list of layers", None),
        ("{at: relu_1, wrap: [residual]}", "`wrap` takes one layer", None),
        ("{at: relu_1, wrap: relu}", "`relu` has no `layers` to put the item in", None),
        ("{at: relu_1, wrap: plain}", "`plain` has no `layers` to put the item in", "give the block a param `layers`"),
        ("{at: relu_1, wrap: {residual: projection}}", "`residual` takes named arguments here", None),
        ("{at: relu_1, wrap: {sequential: [tanh]}}", "the item becomes the `layers` of what wraps it", "remove them"),
        ("relu_1", "an edit is a mapping", None),
    ],
)
def test_a_mistake_in_an_edit(edit: str, message: str, hint: str | None) -> None:
    ((found, advice),) = told(f"- {edit}")
    assert found == message
    assert advice is not None
    assert hint in (None, advice)


def test_arguments_without_names_can_not_be_set() -> None:
    ((message, _),) = told("- {at: residual_1, set: {shortcut: projection}}", "- residual: $act")
    assert message == "`residual_1` is written `residual: $act`, without names of arguments"


def test_layers_that_a_param_holds_are_not_entered() -> None:
    ((message, hint),) = told("- {at: sequential_1.elu_1, remove: true}", "- sequential: {layers: $act}")
    assert message == "`sequential_1` holds no layers that an edit can reach"
    assert hint == "change the param that holds its layers"


@pytest.mark.parametrize("edit", ["edit: 3", "edit: {at: relu_1, remove: true}"])
def test_edits_are_a_list(edit: str) -> None:
    findings = Findings()
    expanded(f"{edit}\nmodel: {{input: [3], layers: [relu]}}\n", findings)
    assert [found.message for found in findings] == ["`edit` is a list of edits"]


@pytest.mark.parametrize("edit", ["edit:", "edit: []"])
def test_no_edits_are_no_mistake(edit: str) -> None:
    assert plain(tree_of(f"{edit}\nmodel: {{input: [3], layers: [relu]}}\n"))["model"]["layers"] != ()


def test_a_spec_without_layers_has_nothing_to_edit() -> None:
    findings = Findings()
    expanded("edit: [{at: relu_1, remove: true}]\nname: a\n", findings)
    assert [found.message for found in findings] == ["the spec has no list of layers to edit"]


# --- order


def family(folder: Path, base: str, middle: str, child: str) -> Path:
    head = "specforge: 1\nname: a\n"
    (folder / "base.yaml").write_text(head + dedent(base))
    (folder / "middle.yaml").write_text(f"{head}extends: base.yaml\n" + dedent(middle))
    (folder / "child.yaml").write_text(f"{head}extends: middle.yaml\n" + dedent(child))
    return folder / "child.yaml"


def test_a_parent_is_edited_before_its_child(tmp_path: Path) -> None:
    file = family(
        tmp_path,
        "model: {input: [3], layers: [{linear: 4}, relu]}\nedit: [{at: relu_1, replace: {id: act, elu: }}]\n",
        "edit: [{at: act, replace: {id: act, tanh: }}, {at: linear_1, set: {id: first}}]\n",
        "edit: [{at: act, insert_after: {linear: 2}}, {at: first, set: {out_features: 8}}]\n",
    )
    graph = analyse(file).require()[1]
    assert [(leaf.path, leaf.output) for leaf in graph.leaves()] == [
        ("first", (8,)),
        ("act", (8,)),
        ("linear_2", (2,)),
    ]


def test_settings_come_after_edits(tmp_path: Path) -> None:
    file = family(
        tmp_path,
        "params: {width: 4}\nmodel: {input: [3], layers: [relu]}\n",
        "edit: [{at: relu_1, replace: {linear: $width}}]\n",
        "",
    )
    assert analyse(file, ("params.width=9",)).require()[1].output == (9,)


def test_mistakes_in_edits_are_told_in_their_file(tmp_path: Path) -> None:
    file = family(
        tmp_path,
        "model: {input: [3], layers: [{linear: 4}]}\n",
        "edit: [{at: linear_1, set: {features: 3}}]\n",
        "edit: [{at: linear_1, set: {out_features: x}}]\n",
    )
    found = [(Path(f.span.file).name, f.span.line, f.message) for f in analyse(file).findings]
    assert found == [
        ("child.yaml", 4, "`out_features` must be a whole number, found the text `x`"),
        ("middle.yaml", 4, "`linear` has no `features`"),
    ]


def test_many_edits_of_many_layers_are_fast() -> None:
    layers = "\n".join(["- relu"] * 4_000)
    edits = "\n".join(f"- {{at: relu_{number}, set: {{when: true}}}}" for number in range(1, 1_001))
    start = time.perf_counter()
    assert len(paths(edits, layers)) == 4_000
    assert time.perf_counter() - start < 10
