"""What is offered at a cursor, `|`, in right and in broken texts."""

from pathlib import Path

import pytest
from lsprotocol.types import CompletionItem, InsertTextFormat

from specforge.lsp.completion import complete, explained
from specforge.lsp.text import At, Position
from tests.lsp.specs import LAB, document, marked

HEAD = "specforge: 1\nname: lab\n"


def offers(
    text: str, folder: Path, *, snippets: bool = False, analysed: str | None = None
) -> dict[str, CompletionItem]:
    content, position = marked(text)
    found = complete(document(content, folder, analysed), position, snippets=snippets)
    labels = [item.label for item in found]
    assert len(labels) == len(set(labels)), "nothing is offered twice"
    return {item.label: item for item in found}


def accepted(text: str, folder: Path, label: str, *, snippets: bool = False, analysed: str | None = None) -> str:
    """The text after an offer was taken."""
    content, _ = marked(text)
    edit = offers(text, folder, snippets=snippets, analysed=analysed)[label].text_edit
    assert edit is not None
    start, end = (Position(at.line, at.character) for at in (edit.range.start, edit.range.end))
    return document(content, folder).text.changed(start, end, edit.new_text).content


LAYERS = f"{HEAD}model:\n  input: [3, 8, 8]\n  layers:\n"


@pytest.mark.parametrize(
    ("text", "some", "none"),
    [
        # keys
        (f"{HEAD}|", {"model", "train", "extends", "blocks"}, {"name", "conv", "epochs"}),
        (f"{HEAD}mo|", {"model"}, {"specforge"}),
        (f"{HEAD}model:\n  |", {"input", "layers", "defaults"}, {"name"}),
        (f"{HEAD}train:\n  epochs: 5\n  ba|\nexpect: {{}}\n", {"batch_size", "optimizer"}, {"epochs", "macs"}),
        (f"{HEAD}train: {{epochs: 5, |", {"batch_size"}, {"epochs"}),
        (f"{HEAD}train:\n  stages:\n    - epochs: 5\n      |", {"freeze", "optimizer"}, {"epochs", "stages"}),
        (f"{HEAD}data:\n  split: {{te|}}", {"test", "validation"}, {"dataset"}),
        (f"{HEAD}model:\n  defaults:\n    |", {"batch_norm", "conv"}, {"input"}),
        (f"{HEAD}model:\n  defaults: {{batch_norm: {{|}}}}", {"eps", "momentum"}, {"conv"}),
        (f"{HEAD}blocks:\n  unit:\n    |", {"params", "layers"}, {"conv"}),
        (f"{HEAD}edit:\n  - at: conv_1\n    |", {"replace", "set", "wrap"}, {"at"}),
        (f"{HEAD}edit:\n  - at: a.conv_2\n    set: {{ke|", {"kernel_size"}, {"at"}),
        (f"{HEAD}edit:\n  - {{set: {{|}}, at: repeat_1}}", {"times", "for"}, {"iterations"}),
        (f"{HEAD}edit:\n  - at: conv_2\n    set:\n      padding: |", {"same"}, {"kernel_size"}),
        (f"{HEAD}edit:\n  - {{at: conv_2, replace: |", {"relu"}, {"kernel_size"}),
        # layers
        (f"{LAYERS}    - |", {"conv", "relu", "id", "from"}, {"adam", "model"}),
        (f"{LAYERS}    - co|\n    - relu\n", {"conv", "concat"}, {"adam"}),
        (f"{LAYERS}    - relu\n    - residual: [|", {"conv"}, {"out_channels"}),
        (f"{LAYERS}    - residual:\n        layers:\n          - re|", {"relu"}, {"layers"}),
        (f"{LAYERS}    - branches:\n        paths:\n          - [re|]", {"relu"}, {"paths"}),
        (f"{LAYERS}    - residual: [|conv: 8, relu]", {"conv", "relu"}, {"adam"}),
        (f"{LAYERS}    - residual: [conv: 8, re|", {"relu"}, {"out_channels"}),
        (f"{LAYERS}    - {{id: stem, |", {"conv", "trainable"}, {"id"}),
        (f"{LAYERS}    - {{id: stem, conv: 8, |}}", {"trainable"}, {"relu", "conv"}),
        (f"{LAYERS}    - conv: {{out_channels: 8, ke|", {"kernel_size", "padding"}, {"out_channels", "relu"}),
        (f"{LAYERS}    - conv: {{ke|\n    - relu\n", {"kernel_size"}, {"relu"}),
        (f"{LAYERS}    - conv:\n        out_channels: 8\n        |", {"kernel_size"}, {"out_channels"}),
        (f"{LAYERS}    - conv:\n        pad|\n    - relu\n", {"padding"}, {"relu"}),
        (f"{LAYERS}    - repeat:\n        |", {"times", "for", "layers"}, {"iterations"}),
        # choices
        (f"{HEAD}train:\n  optimizer: |", {"adam", "sgd"}, {"conv", "cosine"}),
        (f"{HEAD}train:\n  optimizer: {{ad|", {"adam", "adamw"}, {"cosine"}),
        (f"{HEAD}train: {{schedule: |}}", {"cosine", "step"}, {"adam"}),
        (f"{HEAD}train: {{schedule: {{warmup: {{schedule: |", {"cosine"}, {"adam"}),
        (f"{HEAD}train:\n  loss: c|", {"cross_entropy"}, {"adam"}),
        (f"{HEAD}data:\n  dataset: |", {"cifar100", "digits"}, {"adam"}),
        (f"{HEAD}data:\n  augment:\n    - |", {"horizontal_flip"}, {"conv", "id"}),
        (f"{HEAD}data:\n  augment: [cr|]", {"crop"}, {"conv"}),
        (f"{HEAD}search:\n  space:\n    train.batch_size: |", {"choice", "uniform"}, {"adam"}),
        (f"{LAYERS}    - {{linear: 8, init: {{weight: |", {"xavier_uniform"}, {"conv"}),
        # values
        (f"{LAYERS}    - conv: {{padding: |}}", {"same", "valid"}, {"relu"}),
        (f"{LAYERS}    - conv:\n        padding: s|", {"same"}, {"relu"}),
        (f"{LAYERS}    - conv: {{bias: |}}", {"true", "false"}, {"same"}),
        (f"{LAYERS}    - {{linear: 8, trainable: |}}", {"true", "false"}, {"same"}),
        (f"{LAYERS}    - residual: {{shortcut: |", {"identity", "projection"}, {"relu"}),
        (f"{HEAD}data: {{sampling: |}}", {"uniform", "balanced"}, {"true"}),
        (f"{HEAD}reported:\n  - metric: |", {"test_accuracy"}, {"value"}),
        (f"{LAYERS}    - pretrained: |", {"resnet18", "vgg16"}, {"relu"}),
        (
            f"{LAYERS}    - {{id: stem, relu: }}\n    - relu\n    - {{from: |",
            {"stem", "relu_2", "previous"},
            {"relu_3"},
        ),
        (f"{LAYERS}    - {{shared: enc, linear: 8}}\n    - {{shared: |", {"enc"}, {"relu"}),
    ],
)
def test_what_is_offered(text: str, some: set[str], none: set[str], tmp_path: Path) -> None:
    found = offers(text, tmp_path).keys()
    assert some <= found
    assert not none & found


ADDRESSES = [
    *("repeat_1", "repeat_1.conv_unit_1", "repeat_1.conv_unit_2", "repeat_1.max_pool_1", "flatten_1", "dropout_1"),
    *("head", "blocks.conv_unit.conv_1", "blocks.conv_unit.relu_1"),
]


@pytest.mark.parametrize("edit", ["- at: |", "- {at: repeat_1.co|, remove: true}", "- remove: true\n    at: he|ad"])
def test_addresses_of_everything_that_is_written(edit: str, tmp_path: Path) -> None:
    assert list(offers(f"{LAB}edit:\n  {edit}\n", tmp_path, analysed=LAB)) == ADDRESSES


def test_an_address_replaces_the_one_that_is_typed(tmp_path: Path) -> None:
    text = f"{LAB}edit:\n  - {{at: repeat_1.co|, remove: true}}\n"
    after = accepted(text, tmp_path, "repeat_1.conv_unit_2", analysed=LAB)
    assert after.endswith("  - {at: repeat_1.conv_unit_2, remove: true}\n")


def test_addresses_of_what_is_inherited(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(LAB.replace("name: lab", "name: base"))
    child = "specforge: 1\nname: lab\nextends: base.yaml\n"
    assert list(offers(f"{child}edit:\n  - at: |\n", tmp_path, analysed=child)) == ADDRESSES
    assert offers(f"{child}edit:\n  - at: |\n", tmp_path) == {}  # nothing is known of it yet


@pytest.mark.parametrize(
    "text",
    [
        "# spec|\nspecforge: 1\n",
        f"{HEAD}description: |",
        f"{LAYERS}    - relu   |",
        f"{LAYERS}    - conv: {{a: 1}}|",
        f"{LAYERS}  |  - relu\n",
        f"{HEAD}nonsense:\n  deeper: |",
        f"{LAYERS}    - conv: {{padding: same # |",
        f"{HEAD}description: >\n  some |text\n",
        f"{HEAD}train: {{epochs: |}}",
    ],
)
def test_where_nothing_is_offered(text: str, tmp_path: Path) -> None:
    assert offers(text, tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "label", "after"),
    [
        ("    - co|", "conv", "    - conv: "),
        ("    - co|nv", "conv", "    - conv: "),
        ("    - |", "relu", "    - relu"),
        ("    -|", "relu", "    - relu"),
        ("    - co|nv: {out_channels: 8}", "conv", "    - conv: {out_channels: 8}"),
        ("    - {id: x, re|}", "relu", "    - {id: x, relu: }"),
        ("    - conv: {ke|}", "kernel_size", "    - conv: {kernel_size: }"),
        ("    - conv: {ke|rnel: 3}", "kernel_size", "    - conv: {kernel_size: 3}"),
        ("    - conv: {padding:|}", "same", "    - conv: {padding: same}"),
        ("    - conv: {padding: v|alid}", "same", "    - conv: {padding: same}"),
        ("    - res|", "residual", "    - residual:"),
        ("    - # 𝟙\n      |", "relu", "    - # 𝟙\n      relu"),
    ],
)
def test_what_an_offer_writes(text: str, label: str, after: str, tmp_path: Path) -> None:
    assert accepted(LAYERS + text, tmp_path, label) == LAYERS + after


def test_sections_open_a_line_and_values_a_space(tmp_path: Path) -> None:
    assert accepted(f"{HEAD}mo|", tmp_path, "model") == f"{HEAD}model:"
    assert accepted(f"{HEAD}desc|", tmp_path, "description") == f"{HEAD}description: "


def test_required_arguments_become_gaps(tmp_path: Path) -> None:
    after = accepted(f"{LAYERS}    - co|", tmp_path, "conv", snippets=True)
    assert after == f"{LAYERS}    - conv: {{out_channels: ${{1}}, kernel_size: ${{2}}}}"
    item = offers(f"{LAYERS}    - |", tmp_path, snippets=True)["linear"]
    assert item.insert_text_format == InsertTextFormat.Snippet
    assert item.text_edit is not None
    assert item.text_edit.new_text == "linear: ${1:out_features}"


def test_blocks_are_layers_with_their_params(tmp_path: Path) -> None:
    text = LAB.replace("- flatten", "- |")
    item = offers(text, tmp_path, snippets=True)["conv_unit"]
    assert item.detail == "block {channels: required, kernel_size: 3}"
    assert item.text_edit is not None
    assert item.text_edit.new_text == "conv_unit: {channels: ${1}}"
    inside = offers(LAB.replace("- conv_unit: {channels: $width}", "- conv_unit: {channels: $width, |", 1), tmp_path)
    assert inside.keys() == {"kernel_size"}


@pytest.mark.parametrize(
    ("before", "typed", "some", "none"),
    [
        ("dropout: $dropout", "dropout: $|", {"dropout", "classes"}, {"width", "channels", "index", "min"}),
        ("dropout: $dropout", "dropout: $(cl|", {"classes", "max"}, {"width"}),
        ("{channels: $width}", "{channels: $w|}", {"width", "index", "dropout"}, {"channels"}),
        ("{channels: $width}", '{channels: "$(2 * w|"}', {"width", "min"}, {"channels"}),
        ("$channels,", "$|,", {"channels", "kernel_size"}, {"dropout", "width"}),
    ],
)
def test_names_of_expressions(before: str, typed: str, some: set[str], none: set[str], tmp_path: Path) -> None:
    found = offers(LAB.replace(before, typed, 1), tmp_path).keys()
    assert some <= found
    assert not none & found


def test_only_the_name_in_an_expression_is_replaced(tmp_path: Path) -> None:
    after = accepted(LAB.replace("dropout: $dropout", "dropout: $(cl| * 2)"), tmp_path, "classes")
    assert "dropout: $(classes * 2)" in after


def test_rows_of_a_repeat_name_variables(tmp_path: Path) -> None:
    rows = LAB.replace("{width: [32, 64]}", "[[width, stride], [32, 1]]").replace("- max_pool: 2", "- max_pool: $|")
    assert offers(rows, tmp_path)["stride"].detail == "variable of `repeat`: [1]"


def test_what_a_base_brings_is_offered(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(LAB)
    child = "specforge: 1\nname: child\nextends: base.yaml\nparams: {extra: 1}\n"
    text = f"{child}train:\n  epochs: $|\n"
    assert {"dropout", "extra"} <= offers(text, tmp_path, analysed=child).keys()
    text = f"{child}model:\n  layers:\n    - |\n"
    assert offers(text, tmp_path, analysed=child)["conv_unit"].detail == "block {channels: required, kernel_size: }"


def test_files(tmp_path: Path) -> None:
    (tmp_path / "bases").mkdir()
    (tmp_path / "bases" / "keras.yaml").write_text("")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "lab.yaml").write_text("")
    assert {"bases/", "zoo/resnet18.yaml"} <= offers("specforge: 1\nextends: |", tmp_path).keys()
    assert "lab.yaml" not in offers("specforge: 1\nextends: |", tmp_path), "a spec does not extend itself"
    assert offers("specforge: 1\ninclude: [bases/k|]", tmp_path).keys() == {"bases/keras.yaml"}
    assert accepted("specforge: 1\nextends: bases/k|", tmp_path, "bases/keras.yaml").endswith(": bases/keras.yaml")
    assert "zoo/vgg16.yaml" in offers("specforge: 1\nextends: zoo/v|", tmp_path)
    assert offers("specforge: 1\nextends: nowhere/|", tmp_path) == {}


def test_documentation_is_looked_up_when_asked_for(tmp_path: Path) -> None:
    item = offers(f"{LAYERS}    - |", tmp_path)["conv"]
    assert item.documentation is None
    told = explained(item).documentation
    assert told is not None
    assert "kernel_size" in told.value  # type: ignore[union-attr]  # a MarkupContent
    assert explained(CompletionItem("x")).documentation is None


def test_every_word_that_is_offered_alone_needs_no_arguments(tmp_path: Path) -> None:
    from specforge.catalog.discovery import definition
    from specforge.schema.words import required

    for word, item in offers(f"{LAYERS}    - |", tmp_path).items():
        kind = definition("layers", word)
        if kind is not None and item.text_edit is not None and item.text_edit.new_text == word:
            assert required(kind) == []


def test_a_long_text_gets_no_completions_but_no_delay_either(tmp_path: Path) -> None:
    text = LAYERS + "    - relu\n" * 60_000
    found = document(text, tmp_path)
    assert complete(found, Position(5, 6), snippets=True) == []
    assert found.text.at(len(text)) == At(60_006, 1)
