"""The JSON Schema: it takes what `validate` takes, and refuses the mistakes that a schema can see."""

import importlib.util
import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from specforge.analysis import EXPANDED_KEYS
from specforge.binding import plain
from specforge.catalog.discovery import FAMILIES, index
from specforge.diagnostics import Findings
from specforge.expand.edit import OPERATIONS
from specforge.expand.repeat import KEYS as REPEAT_KEYS
from specforge.expand.words import ITEM_KEYS
from specforge.reference import keys
from specforge.schema import json_schema, to_json
from specforge.source import DISK, Node, parse, read
from specforge.spec import Spec
from tests import test_documents as documents
from tests.catalog import test_documentation as docstrings
from tests.language_server import PROGRAM, LanguageServer, is_installed

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden"
CHECKED_IN = ROOT / "schema" / "specforge-1.json"
SPECS = sorted([*(ROOT / "specs").rglob("*.yaml"), *(ROOT / "specforge" / "templates").rglob("*.yaml")])
FIXED = sorted((GOLDEN / "fixed").glob("*.yaml"))
EXAMPLES = documents._examples()

# A misspelt or misplaced key, a wrong type, a value out of range, something missing: (golden spec, the path at fault).
REFUSED = {
    "001_top_level_key": "",
    "002_model_key": "model",
    "003_unknown_layer": "model.layers.0",
    "005_layer_argument": "model.layers.0.conv",
    "006_layer_argument_input_channels": "model.layers.0.conv",
    "008_block_definition_key": "blocks.unit",
    "017_optimizer": "train.optimizer",
    "019_dataset": "data.dataset",
    "024_split_key": "data.split",
    "027_initializer": "model.layers.0.init.weight",
    "034_key_of_another_section": "",
    "038_metric": "reported.0.metric",
    "041_item_key": "model.layers.0",
    "043_repeat_key": "model.layers.0.repeat",
    "046_torch_names": "model.layers.0",
    "048_wrong_type_text_for_number": "model.layers.0.conv.out_channels",
    "050_wrong_type_float_for_int": "model.layers.0.conv.out_channels",
    "053_wrong_type_mapping_for_list": "model.input",
    "057_out_of_range": "model.layers.0.dropout",
    "061_missing_layer_argument": "model.layers.0.conv",
    "064_missing_train_keys": "train",
    "065_missing_input": "model",
    "067_language_version": "specforge",
    "080_two_optimizers": "train.optimizer",
    "083_model_defaults": "model.defaults",
    "087_repeat_times_and_for": "model.layers.0.repeat",
    "134_yaml_no_yes_on": "model.layers.0.conv.bias",
    "138_yaml_quoted_number": "train.epochs",
    "215_two_layers_in_one_item": "model.layers.0",
}


@cache
def validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed: pip install check-jsonschema")
    return jsonschema.Draft7Validator(json_schema())


def as_json(node: Node) -> Any:
    """A tree as plain values, lists as JSON has them."""
    return json.loads(json.dumps(plain(node)))


def complaints(text: str) -> list[str]:
    """`path: message` of every complaint."""
    node = parse(text.removeprefix("\ufeff"), "spec.yaml", Findings())
    assert node is not None
    errors = validator().iter_errors(as_json(node))
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in errors]


def test_is_a_schema_of_draft_7() -> None:
    validator().check_schema(json_schema())


def test_the_checked_in_schema_is_new() -> None:
    assert CHECKED_IN.read_text(encoding="utf-8") == to_json(), "the catalogue has changed: run `make docs`"


def test_stays_small() -> None:
    assert len(to_json()) < 500_000


@pytest.mark.parametrize("path", SPECS, ids=lambda path: str(path.relative_to(ROOT)))
def test_takes_every_spec(path: Path) -> None:
    assert complaints(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", FIXED, ids=lambda path: path.stem)
def test_takes_what_is_right(path: Path) -> None:
    assert complaints(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.yaml")), ids=lambda path: path.stem)
def test_refuses_only_what_validate_refuses(path: Path) -> None:
    """Every broken spec that parses: where the schema complains, an error is recorded."""
    findings = Findings()
    text = read(path, findings, files=DISK)
    node = None if text is None else parse(text, path.name, findings)
    if node is not None and not findings.has_errors:
        said = [error.message for error in validator().iter_errors(as_json(node))]
        assert not said or "error[" in path.with_suffix(".txt").read_text(encoding="utf-8"), said


@pytest.mark.parametrize(("place", "kind", "text"), [pytest.param(*each, id=each[0]) for each in EXAMPLES])
def test_takes_the_examples_of_documents(place: str, kind: str, text: str) -> None:
    assert complaints(documents._spec(kind, text)) == []


@pytest.mark.parametrize(("family", "word"), [(family, word) for family in FAMILIES for word in index(family)])
def test_takes_the_example_of_every_word(family: str, word: str) -> None:
    example = docstrings.example(docstrings.documented(family, word)[1])
    assert complaints(docstrings.as_spec(family, example)) == []


@pytest.mark.parametrize("path", keys.SECTION_KEYS)
def test_takes_the_examples_of_keys(path: str) -> None:
    assert complaints(keys.SECTION_KEYS[path].example) == []


@pytest.mark.parametrize(("name", "place"), REFUSED.items(), ids=REFUSED)
def test_refuses_a_mistake_at_its_place(name: str, place: str) -> None:
    said = complaints((GOLDEN / f"{name}.yaml").read_text(encoding="utf-8"))
    assert any(complaint.startswith(f"{place}:") for complaint in said), said


WHOLE = "{specforge: 1, name: x, model: {input: [3, 32, 32], layers: [%s]}}"


@pytest.mark.parametrize(
    ("items", "right"),
    [
        ("relu", True),
        ("{relu: }", True),
        ("{relu: {}}", True),
        ("{relu: 1}", False),
        ("conv", False),
        ("{conv: 3}", False),
        ("{conv: $arguments}", True),
        ("{conv: {out_channels: 3, kernel_size: 3}}", True),
        ("{conv: {out_channels: $(2 * width), kernel_size: [3, $size]}}", True),
        ("{conv: {out_channels: 3, kernel_size: [3, x]}}", False),
        ("dropout", True),
        ("{dropout: 0.5}", True),
        ("{dropout: $rate}", True),
        ("{dropout: rate}", False),
        ("linear", False),
        ("{linear: }", False),
        ("{linear: 10}", True),
        ("{id: stem, when: $deep, trainable: false, shared: one, linear: 10}", True),
        ("{id: stem}, {linear: 10}", True),
        ("{id: 3, linear: 10}", False),
        ("{from: [previous, stem], concat: }", True),
        ("{from: [], concat: }", False),
        ("{init: {weight: xavier_uniform, bias: {constant: 0.1}}, linear: 10}", True),
        ("{init: {weight: xavier}, linear: 10}", False),
        ("$body", True),
        ("{$unit: {out_channels: 3}}", True),
        ("{sequential: [relu, {linear: 10}]}", True),
        ("{sequential: [relu, linear]}", False),
        ("{sequential: {layers: $body}}", True),
        ("{residual: {layers: [relu], shortcut: projection}}", True),
        ("{residual: {layers: [relu], shortcut: [{conv: {out_channels: 3, kernel_size: 1}}]}}", True),
        ("{residual: {layers: [relu], shortcut: project}}", False),
        ("{branches: [[relu], []]}", True),
        ("{branches: {paths: [[relu], []], merge: add}}", True),
        ("{branches: {paths: [[relu], [rellu]]}}", False),
        ("{repeat: {times: 2, layers: [relu]}}", True),
        ("{repeat: {for: {width: [1, 2]}, index: i, layers: [{linear: $width}]}}", True),
        ("{repeat: {for: [[a, b], [1, 2]], layers: [{linear: $a}]}}", True),
        ("{repeat: {iterations: [[relu], [tanh]]}}", True),
        ("{repeat: {times: 2}}", False),
        ("{repeat: {times: -1, layers: [relu]}}", False),
        ("{repeat: {layers: [relu]}}", False),
    ],
)
def test_forms_of_an_item(items: str, right: bool) -> None:
    assert (complaints(WHOLE % items) == []) is right


def test_blocks_may_have_any_name_where_there_may_be_blocks() -> None:
    """In a file without blocks, without a parent and without a library, a word that is no layer is a mistake."""
    model = "model: {input: [3, 32, 32], layers: [unit, {unit: 3}, {unit: {anything: [1]}}]}"
    assert complaints(f"specforge: 1\nname: x\n{model}") != []
    for more in ("extends: base.yaml", "include: [blocks.yaml]", "blocks: {unit: {layers: [relu]}}"):
        assert complaints(f"specforge: 1\nname: x\n{more}\n{model}") == []


def test_a_file_that_others_complete_may_lack_anything() -> None:
    assert complaints("train: {optimizer: {adam: {eps: 1e-7}}}") == []
    assert complaints("extends: base.yaml\nname: child\ntrain: {schedule: {step: {gamma: 0.5}}}") == []
    assert complaints("extends: base.yaml\nname: child\ntrain: {schedule: null}\nparams: {rate: null}") == []
    whole = "specforge: 1\nname: x\nmodel: {input: [8], layers: [{linear: 10}]}\n"
    assert complaints(whole) == []
    assert complaints(whole + "train: {epochs: 3}") != []


@pytest.mark.parametrize(
    ("train", "right"),
    [
        ("schedule: {step: 2}, stages: [{epochs: 3}]", True),
        ("schedule: {step: 2}, stages: [{}]", False),
        ("schedule: {step: 2}, stages: [{epochs: 3, schedule: {step: {gamma: 0.5}}}]", True),
        ("schedule: {step: {gamma: 0.5}}, stages: [{epochs: 3, schedule: {step: 2}}]", False),
        ("stages: [{epochs: 3, groups: [{select: {kind: linear}, schedule: {step: 2}}]}]", True),
        ("stages: [{epochs: 3, groups: [{select: {kind: linear}, schedule: {step: {gamma: 0.5}}}]}]", False),
        ("epochs: 3, groups: [{optimizer: {adam: {eps: 1e-7}}}]", False),
    ],
)
def test_a_stage_may_leave_to_the_recipe_what_it_has(train: str, right: bool) -> None:
    text = "specforge: 1\nname: x\nmodel: {input: [8], layers: [{linear: 10}]}\n"
    recipe = "batch_size: 8, optimizer: {adam: 1e-3}, loss: cross_entropy"
    assert (complaints(f"{text}train: {{{recipe}, {train}}}") == []) is right


def test_defaults_may_give_what_a_layer_requires() -> None:
    text = "specforge: 1\nname: x\nmodel: {input: [3, 8, 8], %s layers: [{conv: 8}]}"
    assert complaints(text % "defaults: {conv: {kernel_size: 3}},") == []
    assert complaints(text % "") != []
    assert complaints(text % "defaults: {conv: {kernal_size: 3}},") != []


def test_edits() -> None:
    edits = "[{at: conv_1, set: {kernel_size: 5}}, {at: relu_1, replace: gelu}, {at: relu_2, remove: true}]"
    assert complaints(f"extends: a.yaml\nname: x\nedit: {edits}") == []
    assert complaints("extends: a.yaml\nname: x\nedit: [{at: a, insert_after: [relu, {dropout: 0.1}]}]") == []
    assert complaints("extends: a.yaml\nname: x\nedit: [{at: a, wrap: {residual: {shortcut: projection}}}]") == []
    for wrong in ("[{set: {p: 1}}]", "[{at: a}]", "[{at: a, remove: true, replace: relu}]", "[{at: a, delete: true}]"):
        assert complaints(f"extends: a.yaml\nname: x\nedit: {wrong}") != []


def test_every_key_that_expansion_reads_is_documented_and_in_the_schema() -> None:
    schema = json_schema()
    assert set(keys.ITEM_KEYS) == set(ITEM_KEYS)
    assert set(keys.REPEAT_KEYS) == set(REPEAT_KEYS)
    assert set(keys.EDIT_KEYS) == {"at", *OPERATIONS}
    for section, names in EXPANDED_KEYS.items():
        home = schema if section is Spec else schema["definitions"][section.__name__]
        assert set(names) <= set(home["properties"])
        assert all(home["properties"][name]["description"] for name in names)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The schema, and the examples of all documents as files."""
    folder = tmp_path_factory.mktemp("schema")
    (folder / "schema.json").write_text(to_json(), encoding="utf-8")
    for number, (_, kind, text) in enumerate(EXAMPLES):
        (folder / f"example_{number}.yaml").write_text(documents._spec(kind, text), encoding="utf-8")
    return folder


def run_check_jsonschema(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    if importlib.util.find_spec("check_jsonschema") is not None:
        command = [sys.executable, "-m", "check_jsonschema"]
    elif program := shutil.which("check-jsonschema"):
        command = [program]
    else:
        pytest.skip("check-jsonschema is not installed: pip install check-jsonschema")
    return subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, timeout=120)


def test_check_jsonschema_takes_specs_and_examples(files: Path) -> None:
    assert run_check_jsonschema("--check-metaschema", files / "schema.json").returncode == 0
    done = run_check_jsonschema("--schemafile", files / "schema.json", *SPECS, *files.glob("*.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_jsonschema_refuses_a_mistake(files: Path) -> None:
    done = run_check_jsonschema("--schemafile", files / "schema.json", GOLDEN / "005_layer_argument.yaml")
    assert done.returncode == 1
    assert "'kernel' was unexpected" in done.stdout


@pytest.mark.skipif(not is_installed(), reason=f"{PROGRAM} is not installed: npm install --global {PROGRAM}")
def test_editors_take_specs_and_show_mistakes(files: Path) -> None:
    """Every spec, and some examples of the documents: the server takes a fifth of a second for each."""
    with LanguageServer(files / "schema.json") as server:
        for path in [*(ROOT / "specs").rglob("*.yaml"), *files.glob("example_?.yaml")]:
            assert server.check(path.name, path.read_text(encoding="utf-8")) == []
        names = (ROOT / "examples" / "first_error" / "names.yaml").read_text(encoding="utf-8")
        assert server.check("names.yaml", names) == [
            (8, "Property kernal_size is not allowed."),
            (19, "Property learning_rate is not allowed."),
            (21, 'Value is not accepted. Valid values: "last", "best_validation_loss", "best_validation_accuracy".'),
            (8, 'Missing property "kernel_size".'),
            (9, "No layer of this name, and this file defines no blocks."),
        ]
