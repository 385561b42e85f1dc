"""Whatever a file holds, analysing it ends in findings or a graph, never in an exception and never in silence."""

import copy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specforge.analysis import Analysis, analyse
from specforge.catalog.discovery import FAMILIES, index

SPEC: dict[str, Any] = yaml.safe_load("""
specforge: 1
name: everything
params: {w: 8, d: 0.5, body: [{conv: {out_channels: 8, kernel_size: 3, padding: 1}}, relu], acts: [relu, tanh]}
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
