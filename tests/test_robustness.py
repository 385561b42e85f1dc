"""Whatever a file holds, analysing it ends in findings or a graph, never in an exception and never in silence."""

import copy
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specforge.analysis import Analysis, analyse
from specforge.catalog.discovery import FAMILIES, index
from specforge.diagnostics import MAX_ERRORS, MAX_MESSAGE

SPEC: dict[str, Any] = yaml.safe_load("""
specforge: 1
name: everything
params: {w: 8, d: 0.5, body: [{conv: {out_channels: 8, kernel_size: 3, padding: 1}}, relu], acts: [gelu, tanh]}
blocks:
  unit:
    params: {channels: required, k: 3, body: [relu]}
    layers: [{conv: {out_channels: $channels, kernel_size: $k, padding: same}}, batch_norm, $body]
  outer:
    params: {n: 2}
    layers: [{repeat: {times: $n, layers: [{unit: 8}]}}]
model:
  input: [3, 32, 32]
  defaults: {batch_norm: {eps: 0.001}}
  init: [{select: {kind: conv, parameter: weight}, initializer: xavier_uniform}]
  layers:
    - {id: stem, conv: {out_channels: $w, kernel_size: 3}, init: {weight: zeros}, trainable: false, when: true}
    - repeat: {for: {c: [8, 8]}, index: i, layers: [{unit: $c}, {residual: {layers: $body, shortcut: projection}}]}
    - repeat: {for: [[c, s], [8, 1]], layers: [{conv: {out_channels: $c, kernel_size: 3, stride: $s}}]}
    - outer
    - $acts
    - sequential: {layers: [{max_pool: 2}, {avg_pool: {kernel_size: 2}}]}
    - flatten
    - dropout: $d
    - linear: 10
data:
  dataset: {synthetic: {classes: 10}}
  split: {train: [[0, 0.5], [0.6, 1.0]], validation: [[0.5, 0.6]]}
  normalize: {mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2]}
  augment: [horizontal_flip, {crop: {padding: 4}}]
train:
  epochs: 5
  batch_size: 64
  optimizer: {adam: {lr: 0.001, betas: [0.9, 0.99]}}
  schedule: {cosine: {t_max: 5}}
  loss: {cross_entropy: {label_smoothing: 0.1}}
  checkpoint: best_validation_loss
expect: {output: [10], trainable_parameters: 5}
assumed: [train.epochs, params.w]
accept: {SF509: why}
reported: [{metric: test_accuracy, value: 0.5}]
source: {document: x, year: 2020}
""")

WORDS = [word for family in FAMILIES for word in index(family)]
KEYS = [*WORDS, "id", "when", "init", "layers", "times", "for", "shortcut", "params", "unit", "outer", "iterations"]
VALUES: list[Any] = [
    *[None, True, False, 0, 1, -1, 3, 10**18, -(10**18), 0.5, 1.5, float("inf"), float("nan"), 1e308],
    *["", "x", "same", "projection", "required", "official", "unit", "a.b", "train.optimizer.lr", "$$", "$"],
    *["$w", "$body", "$acts", "$nope", "$(w", "$(1/0)", "$(acts[0])", "$(body == body)", "stage_$w", "$body$w"],
    *[[], {}, [[]], [{}], [None], [[1]], [1, 2, 3], ["a", 1.5], ["outer"], [[0, 0.5]], {"a": 1}, {"unit": 3}],
    *[{"layers": ["relu"]}, {"layers": [["relu"]]}, {"iterations": [["relu"]]}, {"iterations": ["relu"]}],
]


def paths(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(deeper for step, item in below for deeper in paths(item, (*path, step)))]


def at(node: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        node = node[step]
    return node


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A good spec with up to three changes: a value, a key, a piece that is lost, doubled, moved or wrapped."""
    spec = copy.deepcopy(SPEC)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(paths(spec)))
        if not path:
            continue
        parent, step = at(spec, path[:-1]), path[-1]
        change = draw(st.sampled_from(["value", "value", "remove", "copy", "rename", "wrap", "name"]))
        if change == "value":
            parent[step] = copy.deepcopy(draw(st.sampled_from(VALUES)))
        elif change == "remove":
            del parent[step]
        elif change == "copy":
            parent[step] = copy.deepcopy(at(spec, draw(st.sampled_from(paths(spec)))))
        elif change == "rename" and isinstance(parent, dict):
            parent[draw(st.sampled_from(KEYS))] = parent.pop(step)
        elif change == "wrap":
            parent[step] = [parent[step]]
        else:
            parent[step] = {draw(st.sampled_from(KEYS)): parent[step]}
    return spec


class Plain(yaml.SafeDumper):
    """Writes repeated pieces out instead of aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def is_told(analysis: Analysis) -> bool:
    """Either something is known of the file, or something was said about it."""
    return analysis.findings.has_errors or analysis.is_partial or analysis.graph is not None


def test_the_good_spec_is_nearly_good(tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text(yaml.dump(SPEC, Dumper=Plain, sort_keys=False))
    assert [found.code for found in analyse(file).findings] == ["SF501", "SF510"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutated())
def test_no_change_of_a_spec_breaks_the_analysis(tmp_path: Path, spec: dict[str, Any]) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text(yaml.dump(spec, Dumper=Plain, sort_keys=False))
    assert is_told(analyse(file))


TEXT = yaml.dump(SPEC, Dumper=Plain, sort_keys=False)
SNIPPETS = [*"{}[]:,-#&*!|>'\"%@`$() \t\n0aé", "- ", ": ", "$(", "\n  ", "\u00a0", "\u2028", "\ufeff", "\x1b", "\0"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, len(TEXT)), st.integers(0, 12), st.sampled_from(SNIPPETS)), min_size=1, max_size=3
    )
)
def test_no_slip_of_the_keyboard_breaks_the_analysis(tmp_path: Path, slips: list[tuple[int, int, str]]) -> None:
    text = TEXT
    for place, lost, typed in slips:
        text = text[:place] + typed + text[place + lost :]
    file = tmp_path / "spec.yaml"
    file.write_bytes(text.encode())
    assert is_told(analyse(file))


STEPS = st.sampled_from(["params", "train", "model", "data", "optimizer", "lr", "x", "", "layers", "0"])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=4), st.sampled_from(VALUES))
def test_no_setting_breaks_the_analysis(tmp_path: Path, steps: list[str], value: Any) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text(TEXT)
    written = yaml.dump([value], Dumper=Plain, default_flow_style=True).strip()
    assert is_told(analyse(file, (f"{'.'.join(steps)}={written}", f"{'.'.join(steps)}={written[1:-1]}")))


HEAD = "specforge: 1\nname: large\nmodel:\n  input: [3]\n  layers:\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param(HEAD + f"    - linear: {'9' * 200_000}\n", "SF106", id="number of 200,000 digits"),
        pytest.param(HEAD + f"    - dropout: 0.{'1' * 200_000}\n", "SF106", id="fraction of 200,000 digits"),
        pytest.param(HEAD + f"    - linear: $({'9' * 200_000})\n", "SF201", id="expression of 200,000 digits"),
        pytest.param(HEAD + f"    - {'9' * 1_000}: 3\n", "SF304", id="key of 1,000 digits"),
        pytest.param("- " * 100_000 + "relu\n", "SF106", id="100,000 nested lists"),
        pytest.param("{a: " * 100_000 + "1" + "}" * 100_000, "SF106", id="100,000 nested mappings"),
        pytest.param("[" * 1_000_000, "SF106", id="a million brackets that nobody closes"),
        pytest.param("? " * 100_000, "SF106", id="100,000 nested keys"),
        pytest.param("[" + "1," * 1_000_000 + "1]", "SF106", id="a million values"),
        pytest.param("a: &a [1]\n" + "b: [" + "*a," * 2_000 + "*a]", "SF106", id="2,000 aliases"),
        pytest.param('name: "' + "\\x00" * 200_000 + '"\n', "SF303", id="200,000 escaped NULs"),
        pytest.param("#" * 4_000_000 + "\n", "SF103", id="a comment of 4 MB"),
        pytest.param("\n" * 4_000_000, "SF103", id="four million empty lines"),
        pytest.param("x" * 4_000_000, "SF211", id="a word of 4 MB"),
    ],
)
def test_what_is_large_is_told_in_few_words(text: str, code: str, tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text(text)
    found = list(analyse(file).findings)
    assert code in [finding.code for finding in found]
    assert max(len(finding.message) for finding in found) <= MAX_MESSAGE


@pytest.mark.parametrize(
    "item", ["covn#: 3", "relu: {a#: 1}", "{id: 'a-#', relu: }", "linear: -#", "$nope#", "&a# !t relu"]
)
def test_of_many_mistakes_the_first_are_told(item: str, tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text(HEAD + "".join(f"    - {item.replace('#', str(n + 1))}\n" for n in range(2 * MAX_ERRORS)))
    found = list(analyse(file).findings)
    assert len(found) == MAX_ERRORS + 1
    assert (found[0].code, found[0].message) == ("SF106", "1,000 mistakes: the rest is not looked for")
    assert found[-1].span.line == MAX_ERRORS + 5


def test_a_file_of_a_hundred_megabytes_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    with file.open("wb") as large:
        large.truncate(100 * 1024 * 1024)
    tracemalloc.start()
    try:
        (found,) = analyse(file).findings
        assert tracemalloc.get_traced_memory()[1] < 20 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert found.code == "SF101"
    assert "larger than 4 MiB" in found.message
