"""Params and blocks that nothing uses: told in the spec that defines them, never in what others use."""

from pathlib import Path
from textwrap import dedent

import pytest

from specforge.analysis import analyse
from specforge.diagnostics import RULES


def said(folder: Path, text: str, settings: tuple[str, ...] = (), **others: str) -> list[str]:
    for name, other in {"spec": text, **others}.items():
        (folder / f"{name}.yaml").write_text(dedent(other).lstrip())
    return [f"{f.span.line} {f.code} {f.message}" for f in analyse(folder / "spec.yaml", settings).findings]


def spec(params: str = "{}", layers: str = "[relu]", more: str = "") -> str:
    return f"specforge: 1\nname: a\nparams: {params}\nmodel: {{input: [3], layers: {layers}}}\n{more}\n"


@pytest.mark.parametrize(
    ("params", "layers", "more"),
    [
        ("{w: 3}", "[linear: $w]", ""),
        ("{w: 3}", '[linear: "$(2 * w)"]', ""),
        ("{w: 3}", "[{id: l_$w, relu: }]", ""),
        ("{w: true}", "[{when: $w, relu: }]", ""),
        ("{w: 3}", "[{when: false, linear: $w}]", ""),
        ("{w: 3, v: 4}", '[linear: "$(w if true else v)"]', ""),
        ("{w: 3, v: $w}", "[linear: $v]", ""),
        ("{w: relu}", "[$w]", ""),
        ("{w: softmax}", "[$w: {dim: 1}]", ""),
        ("{w: 3}", "[relu]", "description: $w wide"),
        ("{w: 3}", "[unit: $w]", "blocks: {unit: {params: {c: required}, layers: [linear: $c]}}"),
        ("{w: unit}", "[$w]", "blocks: {unit: {layers: [relu]}}"),
        ("{}", "[\"$('unit' if true else 'other')\"]", "blocks: {unit: {layers: [relu]}, other: {layers: [relu]}}"),
        ("{}", "[{when: false, unit: }]", "blocks: {unit: {layers: [relu]}}"),
        ("{}", "[repeat: {times: 0, layers: [unit]}]", "blocks: {unit: {layers: [relu]}}"),
        ("{}", "[unit]", "blocks: {unit: {layers: [other]}, other: {layers: [relu]}}"),
        ("{k: conv}", "['$(k)_unit']", "blocks: {conv_unit: {layers: [relu]}}"),
    ],
)
def test_what_is_named_anywhere_is_used(params: str, layers: str, more: str, tmp_path: Path) -> None:
    assert said(tmp_path, spec(params, layers, more)) == []


@pytest.mark.parametrize(
    ("params", "layers", "more", "expected"),
    [
        ("{w: 3}", "[relu]", "", "3 SF215 param `w` is used nowhere"),
        ("{w: 3}", "[relu]", "description: w", "3 SF215 param `w` is used nowhere"),
        ("{w: 3}", "[relu]", "description: $$w", "3 SF215 param `w` is used nowhere"),
        ("{}", "[relu]", "blocks: {unit: {layers: [relu]}}", "5 SF216 block `unit` is used nowhere"),
        ("{}", "[relu]", "description: unit\nblocks: {unit: {layers: [relu]}}", "6 SF216 block `unit` is used nowhere"),
        (
            "{c: 3}",
            "[unit: 3]",
            "blocks: {unit: {params: {c: required}, layers: [linear: $c]}}",
            "3 SF215 param `c` is used nowhere",
        ),
    ],
)
def test_what_is_named_nowhere_is_told(params: str, layers: str, more: str, expected: str, tmp_path: Path) -> None:
    assert said(tmp_path, spec(params, layers, more)) == [expected]


def test_both_are_warnings_that_can_be_accepted(tmp_path: Path) -> None:
    assert RULES["SF215"].severity == RULES["SF216"].severity == "warning"
    text = spec("{w: 3}", more="blocks: {unit: {layers: [relu]}}\naccept: {unused-param: why, SF216: why}")
    said(tmp_path, text)
    assert [found.accepted for found in analyse(tmp_path / "spec.yaml").findings] == ["why", "why"]


def test_errors_come_first(tmp_path: Path) -> None:
    assert said(tmp_path, spec("{w: 3}", "[rellu]")) == ["4 SF304 unknown layer or block `rellu`"]


def test_a_base_defines_for_others(tmp_path: Path) -> None:
    base = "params: {w: 3}\nblocks: {unit: {layers: [relu]}}\ntrain: {epochs: 3}\n"
    assert said(tmp_path, base) == []
    assert said(tmp_path, "specforge: 1\nname: a\nblocks: {unit: {layers: [relu]}}\n") == []


def test_a_parent_s_and_a_library_s_definitions_may_stay_unused(tmp_path: Path) -> None:
    parent = spec("{w: 3}", "[linear: $w, unit]", "blocks: {unit: {layers: [relu]}}")
    child = "specforge: 1\nname: c\nextends: parent.yaml\ninclude: [lib.yaml]\nmodel: {layers: [relu]}\n"
    assert said(tmp_path, child, parent=parent, lib="blocks: {two: {layers: [relu]}}\n") == []


def test_a_child_s_param_may_be_used_by_its_parent(tmp_path: Path) -> None:
    child = "specforge: 1\nname: c\nextends: parent.yaml\nparams: {w: 5, v: 3}\n"
    found = said(tmp_path, child, parent=spec("{w: 3}", "[linear: $w]"))
    assert found == ["4 SF215 param `v` is used nowhere"]


def test_what_an_edit_needs_is_used(tmp_path: Path) -> None:
    text = spec("{w: 3}", "[relu]", "edit: [{at: relu_1, replace: {linear: $w}}]")
    assert said(tmp_path, text) == []


def test_a_setting_makes_nothing_unused(tmp_path: Path) -> None:
    assert said(tmp_path, spec("{w: 3}", "[linear: $w]"), ("model.layers=[relu]",)) == []
