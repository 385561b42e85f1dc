"""`extends`: what is inherited, what replaces, what `null` removes, and where each value was written."""

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from specforge.analysis import Analysis, analyse
from specforge.binding import plain
from specforge.diagnostics import Findings
from specforge.expand.extends import merge
from specforge.expand.files import MAX_FILES
from specforge.source import Mapping, parse

BASE = """
    specforge: 1
    name: base
    description: the first one
    source: {document: lab.txt}
    params: {width: 8, dropout: 0.5}
    blocks:
      unit: {params: {channels: required}, layers: [{linear: $channels}, relu]}
    model:
      input: [3]
      layers: [{unit: $width}, {dropout: $dropout}, {linear: 10}]
    train: {epochs: 40, batch_size: 64, optimizer: {adam: {lr: 1e-3, eps: 1e-7}}, loss: cross_entropy, seed: 3}
    expect: {output: [10]}
    assumed: [train.seed]
    reported: [{metric: test_accuracy, value: 0.5}]
"""


def child_of(folder: Path, child: str, base: str = BASE) -> Analysis:
    (folder / "base.yaml").write_text(dedent(base))
    (folder / "child.yaml").write_text("specforge: 1\nname: child\nextends: base.yaml\n" + dedent(child))
    return analyse(folder / "child.yaml")


def tree(analysis: Analysis) -> dict[str, Any]:
    assert analysis.expanded is not None
    return dict(plain(analysis.expanded.tree))


def said(analysis: Analysis) -> list[str]:
    return [f"{Path(found.span.file).name}:{found.span.line} {found.message}" for found in analysis.findings]


def test_a_child_inherits_what_it_does_not_say(tmp_path: Path) -> None:
    analysis = child_of(tmp_path, "train: {epochs: 5}\n")
    spec, graph = analysis.require()
    assert said(analysis) == []
    assert spec.name == "child"
    assert spec.train is not None
    assert (spec.train.epochs, spec.train.batch_size, spec.train.seed) == (5, 64, 3)
    assert graph.output == (10,)


@pytest.mark.parametrize("key", ["description", "source", "expect", "assumed", "reported", "extends"])
def test_what_is_said_about_a_spec_is_not_inherited(key: str, tmp_path: Path) -> None:
    assert key not in tree(child_of(tmp_path, ""))


def test_params_and_blocks_are_merged_by_name(tmp_path: Path) -> None:
    graph = child_of(tmp_path, "params: {width: 16}\nblocks: {other: {layers: [relu]}}\n").require()[1]
    assert graph.state()["unit_1.linear_1.weight"] == (16, 3)


def test_lists_replace(tmp_path: Path) -> None:
    assert child_of(tmp_path, "model: {layers: [{linear: 10}]}\n").require()[1].total_parameters == 40


def test_a_choice_of_another_word_replaces_and_of_the_same_word_merges(tmp_path: Path) -> None:
    same = tree(child_of(tmp_path, "train: {optimizer: {adam: {lr: 0.1}}}\n"))
    assert same["train"]["optimizer"] == {"adam": {"lr": 0.1, "eps": 1e-7}}
    other = tree(child_of(tmp_path, "train: {optimizer: {sgd: {lr: 0.1}}}\n"))
    assert other["train"]["optimizer"] == {"sgd": {"lr": 0.1}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("adam", {"adam": {"lr": 1e-3, "eps": 1e-7}}),
        ("adam: ", {"adam": {"lr": 1e-3, "eps": 1e-7}}),
        ("adam: 4e-4", {"adam": {"lr": 4e-4, "eps": 1e-7}}),
        ("adam: {lr: null}", {"adam": {"eps": 1e-7}}),
        ("sgd", "sgd"),
        ("sgd: 0.1", {"sgd": 0.1}),
    ],
)
def test_the_short_forms_of_a_choice_keep_the_parent_s_other_arguments(
    given: str, expected: Any, tmp_path: Path
) -> None:
    written = f"{{{given}}}" if ":" in given else given
    assert tree(child_of(tmp_path, f"train: {{optimizer: {written}}}\n"))["train"]["optimizer"] == expected


def test_a_parent_s_short_form_is_kept_too(tmp_path: Path) -> None:
    base = BASE.replace("{adam: {lr: 1e-3, eps: 1e-7}}", "{adam: 1e-3}")
    found = tree(child_of(tmp_path, "train: {optimizer: {adam: {eps: 1e-7}}}\n", base))
    assert found["train"]["optimizer"] == {"adam": {"lr": 1e-3, "eps": 1e-7}}


def test_a_short_form_of_a_word_without_a_main_argument_replaces(tmp_path: Path) -> None:
    base = BASE.replace("loss: cross_entropy", "loss: {cross_entropy: {label_smoothing: 0.1}}")
    found = tree(child_of(tmp_path, "train: {loss: {cross_entropy: 0.2}}\n", base))
    assert found["train"]["loss"] == {"cross_entropy": 0.2}


def test_null_removes(tmp_path: Path) -> None:
    assert "seed" not in tree(child_of(tmp_path, "train: {seed: null}\n"))["train"]
    assert "train" not in tree(child_of(tmp_path, "train:\n"))


def test_a_null_that_removes_nothing_is_not_ignored(tmp_path: Path) -> None:
    (found,) = said(child_of(tmp_path, "train: {sede: null}\n"))
    assert found == "child.yaml:4 `train` has no `sede`"


def test_a_null_for_what_may_be_absent_is_no_mistake(tmp_path: Path) -> None:
    assert said(child_of(tmp_path, "train: {schedule: null}\n")) == []


def test_a_mistake_is_located_in_the_file_that_wrote_it(tmp_path: Path) -> None:
    found = said(child_of(tmp_path, "train: {epochs: 0}\n", BASE.replace("seed: 3", "seed: -3")))
    assert found == [
        "base.yaml:12 `seed` must be at least 0, found `-3`",
        "child.yaml:4 `epochs` must be at least 1, found `0`",
    ]


def test_a_mistake_that_the_child_replaces_is_gone(tmp_path: Path) -> None:
    assert said(child_of(tmp_path, "train: {seed: 3}\n", BASE.replace("seed: 3", "seed: -3"))) == []


def test_the_texts_of_all_files_are_known(tmp_path: Path) -> None:
    assert {Path(name).name for name in child_of(tmp_path, "").texts} == {"base.yaml", "child.yaml"}


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "middle.yaml").write_text("extends: ../base.yaml\ntrain: {epochs: 7}\n")
    (tmp_path / "base.yaml").write_text(dedent(BASE))
    (tmp_path / "child.yaml").write_text("specforge: 1\nname: child\nextends: deep/middle.yaml\n")
    spec = analyse(tmp_path / "child.yaml").require()[0]
    assert spec.train is not None
    assert spec.train.epochs == 7


def test_a_base_without_a_name_is_enough(tmp_path: Path) -> None:
    assert said(child_of(tmp_path, "model: {input: [3], layers: [relu]}\n", "train: {epochs: 3}\n")) == [
        "child.yaml:1 `train` needs `batch_size`, `optimizer` and `loss`".replace("child.yaml:1", "base.yaml:1")
    ]


def test_a_circle_and_a_chain_without_end(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("extends: b.yaml\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n")
    (found,) = said(analyse(tmp_path / "a.yaml"))
    assert found == "b.yaml:1 `extends` goes in a circle: a.yaml -> b.yaml -> a.yaml"
    for number in range(MAX_FILES + 5):
        (tmp_path / f"n{number}.yaml").write_text(f"extends: n{number + 1}.yaml\n")
    (found,) = said(analyse(tmp_path / "n0.yaml"))
    assert found.endswith(f"more than {MAX_FILES} parents")


@pytest.mark.parametrize(
    "reference", ["none.yaml", '"a\\0b"', "a" * 5_000, ".", "..", "''", "[base.yaml]", "{a: b}", "3", "~", "true"]
)
def test_what_is_no_parent_is_told_at_the_reference(reference: str, tmp_path: Path) -> None:
    file = tmp_path / "child.yaml"
    file.write_text(f"specforge: 1\nname: child\nextends: {reference}\n")
    (found,) = analyse(file).findings
    assert (found.code, found.span.line, found.span.column) == ("SF203", 3, 10)


def test_a_parent_that_is_no_text_is_told_in_the_parent(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_bytes(b"\x89PNG")
    (tmp_path / "child.yaml").write_text("specforge: 1\nname: child\nextends: base.yaml\n")
    (found,) = analyse(tmp_path / "child.yaml").findings
    assert (found.code, Path(found.span.file).name) == ("SF101", "base.yaml")


def merged(base: str, over: str) -> Any:
    nodes = [parse(text, "a.yaml", Findings()) for text in (base, over)]
    assert isinstance(nodes[0], Mapping)
    assert isinstance(nodes[1], Mapping)
    return plain(merge(nodes[0], nodes[1], {("pick",): {"x": "k"}.get}))


@pytest.mark.parametrize(
    ("base", "over", "expected"),
    [
        ("{a: 1}", "{b: 2}", {"a": 1, "b": 2}),
        ("{a: 1}", "{a: 2}", {"a": 2}),
        ("{a: {b: 1, c: 2}}", "{a: {c: 3}}", {"a": {"b": 1, "c": 3}}),
        ("{a: {b: 1}}", "{a: 3}", {"a": 3}),
        ("{a: 3}", "{a: {b: 1}}", {"a": {"b": 1}}),
        ("{a: [1, 2]}", "{a: [3]}", {"a": (3,)}),
        ("{a: 1, b: 2}", "{a: null}", {"b": 2}),
        ("{a: 1}", "{a: '$nothing'}", {"a": "$nothing"}),
        ("{pick: {x: {k: 1}}}", "{pick: {x: {l: 2}}}", {"pick": {"x": {"k": 1, "l": 2}}}),
        ("{pick: {x: {k: 1}}}", "{pick: {y: {l: 2}}}", {"pick": {"y": {"l": 2}}}),
        ("{params: {gate: {x: {k: 1}}}}", "{params: {gate: {y: {l: 2}}}}", {"params": {"gate": {"y": {"l": 2}}}}),
        (
            "{params: {gate: {x: {k: 1}}}}",
            "{params: {gate: {x: {l: 2}}}}",
            {"params": {"gate": {"x": {"k": 1, "l": 2}}}},
        ),
    ],
)
def test_merging(base: str, over: str, expected: Any) -> None:
    assert merged(base, over) == expected
