"""What is told about the thing under the cursor, `|`."""

from pathlib import Path

import pytest

from specforge.analysis import analyse
from specforge.lsp.addresses import is_item, kind_of
from specforge.lsp.documents import Document, Known
from specforge.lsp.hover import hover
from specforge.lsp.text import Text
from tests.lsp.specs import LAB, document, marked


def told(text: str, folder: Path, analysed: str | None = LAB) -> str:
    content, position = marked(text)
    found = hover(document(content, folder, analysed), position)
    return "" if found is None else found.markdown


def at(word: str, *, behind: str = "") -> str:
    """The lab with the cursor in a word, the first one behind a text."""
    start = LAB.index(word, LAB.index(behind)) + 1
    return f"{LAB[:start]}|{LAB[start:]}"


def test_a_layer_in_a_block_shows_every_place_that_it_became(tmp_path: Path) -> None:
    text = told(at("conv:"), tmp_path)
    assert text.startswith("**conv** (layer, 4 in the network)")
    assert "| `repeat_1.0.conv_unit_2.conv_1` | [32, 32, 32] | 9,248 | 9,437,184 |" in text
    assert "| **total** |  | 65,568 | 24,477,696 |" in text
    assert "| `out_channels` | 32, 64 |  |" in text
    assert "| `stride` | 1 | default |" in text


def test_a_block_where_it_is_used_and_where_it_is_defined(tmp_path: Path) -> None:
    use = told(at("conv_unit", behind="repeat"), tmp_path)
    assert use.startswith("**conv_unit** (block, 2 in the network)")
    assert "channels: required\nkernel_size: 3" in use
    assert told(at("conv_unit"), tmp_path).startswith("**conv_unit** (block, 4 in the network)")


def test_rows_end_where_there_are_too_many(tmp_path: Path) -> None:
    many = LAB.replace("for: {width: [32, 64]}", "for: {width: [32, 64, 8, 8, 8]}").replace("max_pool: 2", "relu")
    start = many.index("conv:") + 1
    text = told(f"{many[:start]}|{many[start:]}", tmp_path, many)
    assert "(layer, 10 in the network)" in text
    assert "… 2 more" in text
    assert text.count("| `repeat_1.") == 8


def test_a_composite_counts_what_it_holds(tmp_path: Path) -> None:
    assert "| `repeat_1` | [64, 8, 8] | 65,568 | 24,477,696 |" in told(at("repeat"), tmp_path)


RESIDUAL = """\
specforge: 1
name: lab
model:
  input: [3, 32, 32]
  layers:
    - residual:
        layers:
          - conv: {out_channels: 8, kernel_size: 3, padding: 1}
        shortcut: projection
    - global_avg_pool
    - linear: 10
"""


def test_a_layer_of_a_body_is_not_taken_for_one_of_the_shortcut(tmp_path: Path) -> None:
    text = told(RESIDUAL.replace("conv:", "co|nv:"), tmp_path, RESIDUAL)
    assert text.startswith("**conv** (layer)")
    assert "| `kernel_size` | 3 |  |" in text
    assert "shortcut" not in text.partition("| argument |")[0]


def test_an_argument_shows_the_layers_that_it_asks_for(tmp_path: Path) -> None:
    text = told(RESIDUAL.replace("projection", "project|ion"), tmp_path, RESIDUAL)
    assert text.startswith("**shortcut** of `residual`")
    assert "| `residual_1.shortcut.conv_1` | [8, 32, 32] | 24 | 24,576 |" in text
    assert "| `residual_1.conv_1`" not in text


def test_what_a_composite_makes_up_is_told_as_part_of_it(tmp_path: Path) -> None:
    """By a default of the model, these layers stand where the composite does."""
    spec = RESIDUAL.replace("        shortcut: projection\n", "").replace(
        "  layers:\n    - residual", "  defaults: {residual: {shortcut: projection}}\n  layers:\n    - residual"
    )
    text = told(spec.replace("- residual:", "- resi|dual:"), tmp_path, spec)
    assert text.startswith("**residual** (layer)")
    assert "| `residual_1` | [8, 32, 32] |" in text
    assert "| `residual_1.shortcut" not in text


def test_an_item_with_an_id(tmp_path: Path) -> None:
    assert "| `head` | [100] |" in told(at("linear"), tmp_path)


@pytest.mark.parametrize(
    ("word", "behind", "parts"),
    [
        ("out_channels", "", ["**out_channels** of `conv`: whole number ≥ 1, required", "Here: `32`, `64`"]),
        ("padding", "", ["`same`", "**padding** of `conv`"]),
        ("same", "", ["**padding** of `conv`", "Here: `same`"]),
        ("$dropout", "", ["**dropout** (param, line 3)", "dropout: 0.5", "Here: `0.5`"]),
        ("$width", "", ["**width** (variable of `repeat`, line 14)", "width: [32, 64]"]),
        ("$channels", "", ["**channels** (param of block `conv_unit`, line 6)", "required", "Here: `32`, `64`"]),
        ("channels:", "repeat", ["**channels** (param of block `conv_unit`)"]),
        ("classes", "", ["**classes** (param, line 3)", "classes: 100"]),
        ("kernel_size: 3", "", ["**kernel_size** (param of block `conv_unit`, line 6)", "kernel_size: 3"]),
        ("width", "", ["**width** (variable of `repeat`, line 14)"]),
        ("input", "", ["**input**", "channels, height, width"]),
        ("for:", "", ["**for**", "walked together", "Here:\n\n```yaml\nwidth: [32, 64]\n```"]),
        ("id:", "", ["**id**", "name in paths"]),
        ("2\n", "max_pool", ["**max_pool** (layer, 2 in the network)"]),
    ],
)
def test_keys_values_and_names(word: str, behind: str, parts: list[str], tmp_path: Path) -> None:
    text = told(at(word, behind=behind), tmp_path)
    for part in parts:
        assert part in text


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("train:\n  optimizer: ad|am", "Adam"),
        ("train:\n  optimizer: {ad|am: {lr: 1e-3}}", "Adam"),
        ("train:\n  optimizer: {adam: {l|r: 1e-3}}", "size per update"),
        ("train:\n  bat|ch_size: 5", "batch"),
        ("model:\n  layers:\n    - re|lu", "**relu** (layer)"),
        ("model:\n  defaults: {batch_no|rm: {}}", "**batch_norm** (layer)"),
        ("edit:\n  - {at: a, rem|ove: true}", "Takes the item out"),
    ],
)
def test_documentation_needs_no_network(text: str, part: str, tmp_path: Path) -> None:
    assert part in told(f"specforge: 1\n{text}", tmp_path, None)


@pytest.mark.parametrize(
    "text",
    ["specforge: 1\n|", "# com|ment", "model:\n  layers:\n    - unkn|own", "x:\n  y|: 1", "train: {epochs: 3}  |"],
)
def test_nothing_is_said_where_nothing_is_known(text: str, tmp_path: Path) -> None:
    assert told(text, tmp_path, None) == ""


def test_a_broken_spec_keeps_the_last_good_network(tmp_path: Path) -> None:
    """Above and below what is typed; a line that was edited where it stands is still the layer that it was."""
    added = LAB.replace("    - flatten\n", "    - conv: {out_ch\n    - flatten\n")
    start = added.index("linear:") + 1
    assert "| `head` | [100] |" in told(f"{added[:start]}|{added[start:]}", tmp_path)
    start = added.index("conv:") + 1
    assert "4 in the network" in told(f"{added[:start]}|{added[start:]}", tmp_path)
    start = added.index("out_ch\n") - 6
    assert told(f"{added[:start]}|{added[start:]}", tmp_path).startswith("**conv** (layer)")
    edited = LAB.replace("- max_pool: 2", "- max_pool: {")
    start = edited.index("max_pool") + 1
    assert "2 in the network" in told(f"{edited[:start]}|{edited[start:]}", tmp_path)


@pytest.mark.parametrize("name", ["lab2_bn", "inception", "zoo/shufflenet_v2_x1_0", "zoo/densenet121"])
def test_every_layer_of_a_real_spec_is_found_in_its_network(name: str) -> None:
    path = Path(__file__).parents[2] / "specs" / f"{name}.yaml"
    text = path.read_text(encoding="utf-8")
    analysis = analyse(path)
    found = Document(path.as_uri(), path, 1, Text(text), True)
    found.learn(Known(analysis, found.text, (), frozenset()))
    items = [part for part in found.tree.walk() if part.kind == "item" and is_item(found, part)]
    assert items
    for item in items:
        word = kind_of(item)
        if word is not None:  # a splice has none
            shown = hover(found, found.text.position(text.index(word, found.text.offset_at(item.start))))
            assert shown is not None
            assert "| path |" in shown.markdown


def test_the_rows_of_a_repeat_by_the_names_of_the_first(tmp_path: Path) -> None:
    rows = "for:\n          - [width, size]\n          - [32, 1]\n          - [$(2 * 32), 2]\n"
    text = LAB.replace("for: {width: [32, 64]}\n", rows)
    found = told(text.replace("for:", "fo|r:"), tmp_path, text)
    assert "width: [32, $(2 * 32)]\nsize: [1, 2]" in found
    assert "none" not in found


@pytest.mark.parametrize("key", ["times: 2", "index: i"])
def test_what_expansion_takes_out_has_no_value_in_the_network(key: str, tmp_path: Path) -> None:
    text = LAB.replace("for: {width: [32, 64]}", key).replace("$width", "8")
    if key == "index: i":
        text = text.replace(key, f"{key}\n        times: 2")
    found = told(text.replace(key, f"{key[:2]}|{key[2:]}"), tmp_path, text)
    assert found.startswith(f"**{key.partition(':')[0]}**")
    assert "Here" not in found


def test_a_default_that_is_none_says_what_that_means(tmp_path: Path) -> None:
    found = told(at("max_pool"), tmp_path)
    assert "| `stride` | none | default. `stride` is the kernel's size unless given. |" in found


EDITED = f"""{LAB}edit:
  - {{at: head, insert_before: relu}}
  - {{at: repeat_1.max_pool_1, set: {{kernel_size: 4}}}}
  - at: blocks.conv_unit.conv_1
    set: {{bias: false}}
  - {{at: relu_1, replace: gelu}}
  - {{at: head, insert_before: relu}}
  - {{at: nothing, remove: true}}
"""


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("at: head", ["**head** (layer, line 21)", "| `head` | [100] |", "| `bias` | true | default |"]),
        ("at: repeat_1.max", ["(layer, line 18)", "| `repeat_1.1.max_pool_1` | [64, 2, 2] |", "| `kernel_size` | 4 |"]),
        ("at: blocks", ["(layer, line 8)", "| `repeat_1.0.conv_unit_2.conv_1` |", "| `bias` | false |"]),
        # one that an edit put there and this one replaced, though there is another of its name in the end
        ("at: relu_1", ["**relu_1** (layer, line 23)\n\nNot in the network as it is."]),
        ("at: nothing", ["**at**: text, required"]),
    ],
)
def test_an_address_shows_the_layer_that_its_edit_is_about(address: str, parts: list[str], tmp_path: Path) -> None:
    good = EDITED.replace("  - {at: nothing, remove: true}\n", "")
    start = EDITED.index(address) + len("at: ") + 1
    text = told(f"{EDITED[:start]}|{EDITED[start:]}", tmp_path, good)
    for part in parts:
        assert part in text


def test_an_address_of_another_file(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(LAB.replace("name: lab", "name: base"))
    child = "specforge: 1\nname: lab\nextends: base.yaml\nedit:\n  - {at: dropout_1, set: {p: 0.25}}\n"
    text = told(child.replace("dropout_1", "drop|out_1"), tmp_path, child)
    assert "base.yaml:20)" in text
    assert "| `p` | 0.25 |" in text


def test_the_range_is_that_of_the_word(tmp_path: Path) -> None:
    content, position = marked(at("$dropout"))
    found = hover(document(content, tmp_path, LAB), position)
    assert found is not None
    assert (found.start, found.end) == ((20, 17), (20, 24))
