"""The resolved spec is a spec again: same meaning, same paths, same hash."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specforge.analysis import Analysis, analyse, load
from specforge.catalog.definition import Item, Section
from specforge.diagnostics import Findings
from specforge.diff import diff
from specforge.resolved import flow, keeps_search, resolve, spec_hash, to_json, to_yaml
from specforge.source import parse
from specforge.spec import Spec

SPECS = sorted(Path(__file__).parents[1].glob("specs/*.yaml"))

HANDMADE = {
    "residual": """
        - conv: {out_channels: 8, kernel_size: 3, padding: same}
        - residual: {layers: [{conv: {out_channels: 8, kernel_size: 1}}, relu]}
        - residual: {layers: [{conv: {out_channels: 16, kernel_size: 1, stride: 2}}], shortcut: projection}
        - residual:
            layers: [relu]
            shortcut: [{id: skip, conv: {out_channels: 16, kernel_size: 1}}]
        - residual: {layers: [relu], shortcut: []}
    """,
    "repeat": """
        - repeat: {for: {channels: [4, 8]}, layers: [{conv: {out_channels: $channels, kernel_size: 1}}, relu]}
        - repeat: {times: 0, layers: [relu]}
        - repeat: {times: 2, layers: [{repeat: {times: 2, layers: [dropout]}}]}
        - repeat: {times: 1, layers: []}
    """,
    "when": """
        - {when: false, conv: {out_channels: 4, kernel_size: 1}}
        - conv: {out_channels: 4, kernel_size: 1}
        - {when: $(2 > 1), relu: }
        - {id: conv_9, conv: {out_channels: 4, kernel_size: 1}}
        - conv: {out_channels: 4, kernel_size: 1}
    """,
    "blocks in blocks": """
        - outer: {channels: 4}
        - {id: named, outer: 8}
        - outer: {channels: 4, tail: [{dropout: 0.25}, flatten]}
    """,
    "splices": """
        - conv: {out_channels: 4, kernel_size: 1}
        - $activation
        - $tail
    """,
    "item keys": """
        - {conv: {out_channels: 4, kernel_size: 1}, init: {weight: {constant: 0.5}, bias: zeros}, trainable: false}
        - {id: stem, gelu: }
        - {id: gelu_1, gelu: }
        - batch_norm: {eps: 0.1, momentum: 0}
        - dropout: 0.5
    """,
    "wiring": """
        - {id: stem, conv: {out_channels: 4, kernel_size: 3, padding: 1}}
        - repeat: {times: 2, layers: [{id: a, sigmoid: }, {from: [previous, stem], add: }, tanh]}
        - branches: [[relu], [], [{from: input, conv: {out_channels: 3, kernel_size: 1}}]]
        - branches: {paths: [[gelu], [tanh]], merge: multiply}
        - {from: [previous, repeat_1.0.a, input], concat: }
    """,
    "shared": """
        - repeat: {times: 3, layers: [{shared: w, conv: {out_channels: 3, kernel_size: 1}}]}
        - {id: last, shared: w, conv: {out_channels: 3, kernel_size: 1}}
        - repeat: {times: 2, layers: [{shared: u, inner: 3}]}
        - {shared: u, inner: 3}
    """,
    "auxiliary": """
        - conv: {out_channels: 4, kernel_size: 3}
        - auxiliary: {weight: 0.3, layers: [flatten, {linear: 2}]}
        - residual: {layers: [gelu], drop_path: 0.1}
        - flatten
        - linear: 2
    """,
}
HEAD = """
specforge: 1
name: handmade
params: {activation: relu, tail: [batch_norm, {dropout: 0.1}]}
blocks:
  inner: {params: {channels: 4}, layers: [{conv: {out_channels: $channels, kernel_size: 1}}, batch_norm]}
  outer:
    params: {channels: required, tail: [relu]}
    layers: [{inner: $channels}, {inner: {}}, $tail]
model:
  input: [3, 8, 8]
  defaults: {batch_norm: {eps: 1e-3}}
  layers:
"""


def analysed(text: str, folder: Path, name: str = "spec.yaml") -> Analysis:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return analyse(path)


def spec_of(text: str, folder: Path) -> Spec:
    return analysed(text, folder).require()[0]


def unlocated(value: Any) -> Any:
    """A bound value without the places in the text that it came from."""
    if isinstance(value, Item):
        keys = (value.id, value.kind, value.trainable, value.reads, value.shared)
        return (*keys, unlocated(value.layer), unlocated(dict(value.initializers)))
    if isinstance(value, Section):
        return (type(value), [unlocated(getattr(value, name)) for name in type(value).model_fields])
    if isinstance(value, tuple):
        return [unlocated(item) for item in value]
    if isinstance(value, dict):
        return {key: unlocated(item) for key, item in value.items()}
    return (type(value), value)


def assert_round_trip(analysis: Analysis, folder: Path) -> None:
    spec, graph = analysis.require()
    for text in (to_yaml(spec), to_json(spec)):
        again = analysed(text, folder, "again.yaml")
        assert [(str(found.span), found.message) for found in again.findings if not found.accepted] == []
        spec_again, graph_again = again.require()
        assert unlocated(spec_again) == unlocated(spec)
        assert spec_hash(spec_again) == spec_hash(spec)
        assert graph_again.state() == graph.state()
        assert [(node.path, node.reads) for node in graph_again.leaves()] == [
            (node.path, node.reads) for node in graph.leaves()
        ]
        assert graph_again.root.call == graph.root.call
        assert to_yaml(spec_again) == to_yaml(spec)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_checked_in_specs_survive(path: Path, tmp_path: Path) -> None:
    analysis = analyse(path)
    if analysis.is_partial:
        pytest.skip("a base to be extended")
    assert_round_trip(analysis, tmp_path)
    assert max(map(len, to_yaml(analysis.require()[0]).splitlines())) <= 120


@pytest.mark.parametrize("layers", HANDMADE.values(), ids=HANDMADE)
def test_composition_survives(layers: str, tmp_path: Path) -> None:
    assert_round_trip(analysed(HEAD + layers, tmp_path), tmp_path)


STAGES = """
  batch_size: 8
  optimizer: {sgd: {lr: 0.1, momentum: 0.9}}
  schedule: {warmup: {epochs: 1, schedule: {cosine: {eta_min: 1e-3}}}}
  loss: {cross_entropy: {label_smoothing: 0.1}}
  early_stopping: {metric: train_loss, patience: 3}
  gradient_clipping: {value: 2}
  groups: [{select: {parameter: bias}, optimizer: {sgd: {momentum: 0.5}}}]
  stages:
    - {epochs: 6}
"""


@pytest.mark.parametrize(
    "stage",
    [
        "early_stopping: {metric: validation_loss}",
        "gradient_clipping: {norm: 1, value: null}",
        "early_stopping: null, gradient_clipping: null, schedule: null, groups: []",
        "schedule: {warmup: {schedule: {cosine: {eta_min: 0}}}}, loss: {cross_entropy: {label_smoothing: 0}}",
        "schedule: {warmup: {schedule: null}}, optimizer: {sgd: {momentum: 0}}",
        "groups: [{select: {parameter: bias}, schedule: null, l2: 0}], optimizer: adam",
    ],
)
def test_what_a_stage_says_survives_over_what_the_recipe_says(stage: str, tmp_path: Path) -> None:
    layers = "\n    - flatten\n    - linear: 10\ntrain:"
    assert_round_trip(analysed(f"{HEAD}{layers}{STAGES}    - {{epochs: 6, {stage}}}\n", tmp_path), tmp_path)


def test_text_is_what_people_write(tmp_path: Path) -> None:
    layers = """
    - {id: named, outer: 8}
    - outer: {channels: 4, tail: [{dropout: 0.25}, flatten]}
"""
    train = "train: {epochs: 1, batch_size: 2, optimizer: {adam: 5e-5}, loss: cross_entropy}"
    spec = spec_of(HEAD + layers + train, tmp_path)
    assert to_yaml(spec) == (
        """\
specforge: 1
name: handmade
model:
  input: [3, 8, 8]
  layers:
    - id: named
      sequential:
        layers:
          - id: inner_1
            sequential:
              layers:
                - conv: {out_channels: 8, kernel_size: 1}
                - batch_norm: {eps: 1e-3}
          - id: inner_2
            sequential:
              layers:
                - conv: {out_channels: 4, kernel_size: 1}
                - batch_norm: {eps: 1e-3}
          - relu
    - id: outer_2
      sequential:
        layers:
          - id: inner_1
            sequential:
              layers:
                - conv: {out_channels: 4, kernel_size: 1}
                - batch_norm: {eps: 1e-3}
          - id: inner_2
            sequential:
              layers:
                - conv: {out_channels: 4, kernel_size: 1}
                - batch_norm: {eps: 1e-3}
          - dropout: {p: 0.25}
          - flatten
train:
  epochs: 1
  batch_size: 2
  optimizer: {adam: {lr: 5e-5}}
  loss: cross_entropy
"""
    )


def test_ids_are_written_only_where_the_path_needs_them(tmp_path: Path) -> None:
    layers = resolve(spec_of(HEAD + HANDMADE["when"], tmp_path))["model"]["layers"]
    conv = {"conv": {"out_channels": 4, "kernel_size": 1}}
    assert layers == [{"id": "conv_2", **conv}, "relu", {"id": "conv_9", **conv}, {"id": "conv_4", **conv}]


def test_item_keys_stay(tmp_path: Path) -> None:
    layers = resolve(spec_of(HEAD + HANDMADE["item keys"], tmp_path))["model"]["layers"]
    assert layers[0] == {
        "init": {"weight": {"constant": {"val": 0.5}}, "bias": "zeros"},
        "trainable": False,
        "conv": {"out_channels": 4, "kernel_size": 1},
    }
    assert layers[1:3] == [{"id": "stem", "gelu": {}}, {"id": "gelu_1", "gelu": {}}]


MINIMAL = """
specforge: 1
name: minimal
model: {input: [1, 8, 8], layers: [flatten, {dropout: 0.25}, {linear: 10}]}
data: {dataset: digits}
train: {epochs: 2, batch_size: 8, optimizer: {sgd: {lr: 1.0, momentum: 0.9}}, loss: cross_entropy}
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: minimal", "name: other\ndescription: text\nassumed: [train.epochs]\nsource: {year: 2015}"),
        ("name: minimal", "name: minimal\nexpect: {output: [10]}\nreported: [{metric: test_accuracy, value: 0.9}]"),
        ("lr: 1.0", "lr: 1"),
        ("lr: 1.0", "nesterov: false, lr: 1e0, dampening: 0"),
        ("{linear: 10}", "{linear: {bias: true, out_features: 10}}"),
        ("dataset: digits", "normalize: auto, dataset: {digits: {}}"),
        ("dataset: digits", "dataset: digits, memory: streamed"),
        ("flatten,", "{id: flatten_1, flatten: },"),
        ("name: minimal", "name: minimal\nparams: {unused: 3}"),
    ],
)
def test_hash_ignores_writing_and_words(old: str, new: str, tmp_path: Path) -> None:
    assert old in MINIMAL
    assert spec_hash(spec_of(MINIMAL.replace(old, new), tmp_path)) == spec_hash(spec_of(MINIMAL, tmp_path))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lr: 1.0", "lr: 1.5"),
        ("{linear: 10}", "{id: head, linear: 10}"),
        ("dataset: digits", "dataset: digits, normalize: none"),
        ("epochs: 2", "epochs: 2, seed: 1"),
        ("dropout: 0.25", "dropout: 0.2"),
    ],
)
def test_hash_sees_meaning(old: str, new: str, tmp_path: Path) -> None:
    assert old in MINIMAL
    assert spec_hash(spec_of(MINIMAL.replace(old, new), tmp_path)) != spec_hash(spec_of(MINIMAL, tmp_path))


def test_hash_is_one_of_sha256(tmp_path: Path) -> None:
    assert len(bytes.fromhex(spec_hash(spec_of(MINIMAL, tmp_path)))) == 32


def test_json_is_the_resolved_data(tmp_path: Path) -> None:
    spec = spec_of(MINIMAL, tmp_path)
    assert json.loads(to_json(spec)) == resolve(spec)


def value_of(text: str) -> Any:
    """What our parser reads, one value."""
    findings = Findings()
    node = parse(f"key: {text}\n", "text", findings)
    assert not list(findings)
    return node.get("key").value  # type: ignore[union-attr]


REALS = st.floats(-1e18, 1e18).filter(lambda value: value == 0 or abs(value) >= 1e-37)


@pytest.mark.parametrize("text", ["1e999", "9" * 30, "1e-99", "0." + "0" * 400 + "1"])
def test_text_that_would_be_no_number_is_quoted(text: str) -> None:
    assert value_of(flow(text)) == text


@given(st.one_of(REALS, st.just(float("inf")), st.integers(-(10**18), 10**18), st.booleans(), st.none()))
def test_values_read_back_with_their_type(value: Any) -> None:
    assert (type(value_of(flow(value))), value_of(flow(value))) == (type(value), value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.001, "1e-3"), (1e-07, "1e-7"), (0.05, "0.05"), (1.0, "1.0"), (1e16, "1e16"), (0.00015, "1.5e-4"), (0.0, "0.0")],
)
def test_floats_are_short(value: float, text: str) -> None:
    assert flow(value) == text


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200)
AWKWARD = ["no", "1e-3", "010", "$x", "$(1 + 1)", "a: b", "a # b", "", "~", "null", "- a", "? a", "<<", "12:30", "a\n"]
AWKWARD += [
    "two\n\nlines",
    " x",
    "x ",
    "x  y",
    "\u2028",
    "\x85",
    "tab\t",
    "'",
    '"',
    "{a}",
    "[",
    "a, b",
    "%",
    "@",
    "`",
    "é😀",
]
AWKWARD += ["word " * 60, "word " * 60 + "\n", "word  " * 60, "# not a comment " * 20 + "end", "1_000", "---", "..."]


def described(text: str, folder: Path) -> str | None:
    spec = spec_of(MINIMAL, folder)
    told = spec.model_copy(update={"description": text, "assumed": (), "accept": {}})
    findings = Findings()
    for written in (to_yaml(told), to_json(told)):
        assert parse(written, "text", findings) is not None, (written, list(findings))
    again = spec_of(to_yaml(told), folder)
    assert again.description == spec_of(to_json(told), folder).description
    return again.description


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_texts_survive(text: str, tmp_path: Path) -> None:
    assert described(text, tmp_path) == text


@given(text=TEXTS)
def test_any_text_survives(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert described(text, tmp_path_factory.getbasetemp()) == text


def test_equal_numbers_for_all_axes_are_one(tmp_path: Path) -> None:
    layers = "{conv: {out_channels: 4, kernel_size: K, padding: P}}, {max_pool: {kernel_size: K, stride: P}}"
    sizes = (("3", "1"), ("[3, 3]", "[1, 1]"), ("[3, 5]", "1"))
    written = [layers.replace("K", kernel).replace("P", margin) for kernel, margin in sizes]
    specs = []
    for number, layers in enumerate(written):
        file = tmp_path / f"{number}.yaml"
        file.write_text(f"specforge: 1\nname: x\nmodel: {{input: [3, 32, 32], layers: [{layers}]}}\n")
        specs.append(load(file))
    assert to_yaml(specs[0]) == to_yaml(specs[1])
    assert spec_hash(specs[0]) == spec_hash(specs[1]) != spec_hash(specs[2])
    assert diff(tmp_path / "0.yaml", tmp_path / "1.yaml").same
    assert not diff(tmp_path / "0.yaml", tmp_path / "2.yaml").same


def test_a_pretrained_network_survives(tmp_path: Path) -> None:
    layers = "[{trainable: false, pretrained: {model: vit_b_16, weights: none}}, {linear: 2}]"
    text = f"specforge: 1\nname: transfer\nmodel: {{input: [3, 32, 32], layers: {layers}}}\n"
    assert_round_trip(analysed(text, tmp_path), tmp_path)


def test_named_sizes_survive(tmp_path: Path) -> None:
    text = "specforge: 1\nname: any\nmodel: {input: [3, H, W], layers: [{max_pool: 2}, global_avg_pool]}\n"
    analysis = analysed(text, tmp_path)
    assert_round_trip(analysis, tmp_path)
    assert resolve(analysis.require()[0])["model"]["input"] == [3, "H", "W"]


SEARCHED = """\
specforge: 1
name: searched
params: {width: 10}
model: {input: [1, 8, 8], layers: [flatten, {linear: $width}]}
data: {dataset: digits, split: {train: 0.9, validation: 0.1}}
train: {epochs: 2, batch_size: 64, optimizer: adam, loss: cross_entropy}
"""
SPACE = """\
search:
  space: {train.optimizer: {choice: [adam, {sgd: {momentum: 0.9}}]}, train.batch_size: {choice: [$width, 64]}}
"""


def test_a_search_is_kept_and_not_in_the_hash(tmp_path: Path) -> None:
    plain_file, file, again = (tmp_path / name for name in ("plain.yaml", "searched.yaml", "again.yaml"))
    plain_file.write_text(SEARCHED, encoding="utf-8")
    file.write_text(SEARCHED + SPACE, encoding="utf-8")
    spec = load(file)
    again.write_text(to_yaml(spec), encoding="utf-8")
    assert load(again) == spec
    assert resolve(spec)["search"]["space"]["train.batch_size"] == {"choice": {"values": [10, 64]}}
    assert spec_hash(spec) == spec_hash(load(plain_file))


@pytest.mark.parametrize("path", ["params.width", "model.layers.0"])
def test_a_search_whose_paths_are_gone_is_left_out(tmp_path: Path, path: str) -> None:
    value = "10" if path.startswith("params") else "flatten"
    file = tmp_path / "searched.yaml"
    assumed = f"assumed: [search.space.{path}, train.epochs]\n"
    file.write_text(f"{SEARCHED}{assumed}search: {{space: {{{path}: {{choice: [{value}]}}}}}}\n", encoding="utf-8")
    spec = load(file)
    assert resolve(spec)["assumed"] == ["train.epochs"]
    assert spec.search is not None
    assert not keeps_search(spec)
    assert "search" not in resolve(spec)
