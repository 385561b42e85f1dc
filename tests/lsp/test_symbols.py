"""The outline of a document."""

from pathlib import Path

from specforge.lsp.symbols import Symbol, outline
from tests.lsp.specs import LAB, document
from tests.lsp.test_definition import WIRED


def names(symbols: tuple[Symbol, ...] | list[Symbol]) -> list[object]:
    return [(each.name, names(each.children)) if each.children else each.name for each in symbols]


def test_layers_have_the_names_of_their_paths(tmp_path: Path) -> None:
    layers = ("repeat_1", ["conv_unit_1", "conv_unit_2", "max_pool_1"])
    assert names(outline(document(LAB, tmp_path))) == [
        "specforge",
        "name",
        ("params", ["dropout", "classes"]),
        ("blocks", [("conv_unit", [("params", ["channels", "kernel_size"]), ("layers", ["conv_1", "relu_1"])])]),
        ("model", ["input", ("layers", [layers, "flatten_1", "dropout_1", "head"])]),
    ]


def test_composites_hold_their_layers_however_they_are_written(tmp_path: Path) -> None:
    text = "model:\n  layers:\n    - residual: [relu, gelu]\n    - branches: {paths: [[relu], [gelu, relu]]}\n"
    model = outline(document(f"specforge: 1\n{text}", tmp_path))[1]
    assert names(model.children) == [
        (
            "layers",
            [
                ("residual_1", ["relu_1", "gelu_1"]),
                ("branches_1", [("paths", [("0", ["relu_1"]), ("1", ["gelu_1", "relu_1"])])]),
            ],
        )
    ]


def test_a_symbol_holds_its_name_and_its_children(tmp_path: Path) -> None:
    def check(symbol: Symbol) -> None:
        assert symbol.start <= symbol.name_start <= symbol.name_end <= symbol.end
        for child in symbol.children:
            assert symbol.start <= child.start
            assert child.end <= symbol.end
            check(child)

    for text in (LAB, WIRED, LAB.replace("padding: same}", "pad"), "specforge: 1\nmodel: {layers: [a: [b, {c"):
        for symbol in outline(document(text, tmp_path)):
            check(symbol)


def test_a_text_without_a_mapping_has_none(tmp_path: Path) -> None:
    assert outline(document("- a\n- b\n", tmp_path)) == []
    assert outline(document("", tmp_path)) == []
