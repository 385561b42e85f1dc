"""Keras networks: the imported one has the parameters that Keras counts, and computes what Keras computes.

The files below `keras/` were written by Keras itself; `keras_fixtures.py` defines the networks.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from specforge.analysis import analyse
from specforge.diagnostics import Diagnostic, SpecError
from specforge.importing.keras import read_keras
from specforge.importing.network import Network, Operation
from specforge.importing.recording import layer_of
from specforge.importing.specs import spec_of
from specforge.source import Overlaid
from tests.importing.flat_specs import compiled, same_outputs

FOLDER = Path(__file__).parent / "keras"
NETWORKS = ("plain", "strided", "residual", "excite", "nested")


def read(text: str) -> tuple[Network, list[Diagnostic]]:
    network, findings = read_keras(text.encode(), "net.json")
    return network, list(findings)


def fixture(name: str) -> tuple[Network, list[Diagnostic]]:
    return read((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def layers_of(network: Network) -> list[tuple[str, dict[str, Any]]]:
    return [(operation.word, dict(operation.arguments)) for operation in network.operations]


def sequential(*layers: dict[str, Any], shape: tuple[int | None, ...] = (8, 8, 3), **top: Any) -> str:
    """The JSON of a Sequential as Keras 3 writes it, without what it does not need."""
    first = {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": {"batch_shape": [None, *shape], "name": "i"},
    }
    config = {"name": "net", "layers": [first, *layers]}
    return json.dumps({"module": "keras", "class_name": "Sequential", "config": config, **top})


def layer(kind: str, **config: Any) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": kind, "config": {"name": kind.lower(), **config}}


def imported(*layers: dict[str, Any], shape: tuple[int | None, ...] = (8, 8, 3)) -> list[tuple[str, dict[str, Any]]]:
    return layers_of(read(sequential(*layers, shape=shape))[0])


# --- Keras's own files: counts, outputs, and the spec ---------------------------------------------------------------


def counted(network: Network) -> tuple[int, int]:
    """Trainable parameters, and all that count; weights that are shared count once."""
    trainable = total = 0
    seen: set[str] = set()
    for operation in network.operations:
        if operation.shared in seen or len(operation.inputs) != 1:
            continue
        if operation.shared is not None:
            seen.add(operation.shared)
        for parameter in layer_of(operation.word, operation.arguments).parameters(
            network.shape_of(operation.inputs[0])
        ):
            size = int(np.prod(parameter.shape))
            trainable += size * (parameter.role == "parameter")
            total += size * (parameter.role != "counter")
    return trainable, total


@pytest.mark.parametrize("name", NETWORKS)
def test_parameters_are_as_many_as_keras_counts(name: str) -> None:
    network, _ = fixture(name)
    with np.load(FOLDER / f"{name}.npz") as facts:
        assert counted(network) == (int(facts["trainable"]), int(facts["total"]))


def ours(operation: Operation, name: str, weight: np.ndarray[Any, Any], network: Network) -> Tensor:
    """A tensor of Keras's in torch's layout."""
    if operation.word in ("conv", "conv_transpose", "squeeze_excite") or (
        operation.word == "separable_conv" and "pointwise" in name
    ):
        weight = weight.transpose(3, 2, 0, 1) if weight.ndim == 4 else weight
    elif operation.word in ("depthwise_conv", "separable_conv"):
        weight = weight.transpose(2, 3, 0, 1).reshape(-1, 1, *weight.shape[:2]) if weight.ndim == 4 else weight
    elif operation.word == "linear" and weight.ndim == 2:
        weight = _rows_in_our_order(operation, weight, network).T
    return torch.tensor(np.ascontiguousarray(weight.reshape(-1) if operation.word == "prelu" else weight))


def _rows_in_our_order(operation: Operation, weight: np.ndarray[Any, Any], network: Network) -> np.ndarray[Any, Any]:
    """Behind a `flatten` of an image, rows are in the order of height, width, channels in Keras."""
    before = operation.inputs[0]
    while before and network.made_by(before).word in ("dropout", "elu"):
        before = network.made_by(before).inputs[0]
    made = network.made_by(before)
    if made.word != "flatten" or len(network.shape_of(made.inputs[0])) != 3:
        return weight
    channels, height, width = network.shape_of(made.inputs[0])
    return weight.reshape(height, width, channels, -1).transpose(2, 0, 1, 3).reshape(weight.shape)


def weights_of(operation: Operation, facts: dict[str, Any], network: Network) -> dict[str, Any]:
    """Keras's tensors for one of our layers; those of a squeeze and excitation are of two layers that are gone."""
    layers = {each.place.rpartition(".")[2] for each in network.operations}
    if operation.word == "squeeze_excite":
        return {key: value for key, value in facts.items() if "/" in key and key.partition("/")[0] not in layers}
    own = operation.place.rpartition(".")[2]
    return {key: value for key, value in facts.items() if key.startswith(f"{own}/")}


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_are_those_of_keras(name: str, tmp_path: Path) -> None:
    network, findings = fixture(name)
    facts = dict(np.load(FOLDER / f"{name}.npz"))
    module = compiled(network, tmp_path)
    state = module.state_dict()
    for number, operation in enumerate(network.operations, 1):
        names = [key for key in state if key.startswith(f"v{number}.") and "num_batches" not in key]
        theirs = weights_of(operation, facts, network) if names else {}
        assert len(names) == len(theirs), operation
        for key, (their_name, weight) in zip(names, theirs.items(), strict=True):
            state[key] = ours(operation, their_name, weight, network)
    module.load_state_dict(state)
    image = torch.tensor(facts["x"].transpose(0, 3, 1, 2).copy())
    with torch.no_grad():
        found = module(image * 2 - 1 if name == "plain" else image)  # its Rescaling is left out
    if any("softmax at the end" in each.message for each in findings):
        found = found.softmax(1)
    assert np.ptp(facts["y"]) > 0.01  # or the comparison would say nothing
    np.testing.assert_allclose(found.numpy(), facts["y"], atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_spec_validates(name: str) -> None:
    network, _ = fixture(name)
    text = spec_of(network, comment="Imported.").text
    path = Path("imported.yaml").absolute()
    analysis = analyse(path, files=Overlaid({path: text}))
    assert [each for each in analysis.findings if not each.accepted] == []
    _, graph = analysis.require()
    assert graph.output == network.shape_of(network.output)
    assert (graph.trainable_parameters, graph.trainable_parameters + graph.non_trainable_parameters) == counted(network)
    for key in ("description:", "source:", "expect:", "init:"):
        assert key in text


@pytest.mark.parametrize("name", NETWORKS)
def test_folding_changes_nothing(name: str, tmp_path: Path) -> None:
    network, _ = fixture(name)
    imported = spec_of(network, comment="Imported.")
    assert same_outputs(network, imported, torch.rand(2, *network.input), tmp_path)


def keras2(tree: Any) -> Any:
    """The same network as Keras 2 writes it: calls as lists, no modules, shapes of the input elsewhere."""
    if isinstance(tree, list):
        return [keras2(entry) for entry in tree]
    if not isinstance(tree, dict):
        return tree
    new = {
        key: keras2(value) for key, value in tree.items() if key not in ("module", "registered_name", "build_config")
    }
    if new.get("class_name") == "InputLayer":
        new["config"]["batch_input_shape"] = new["config"].pop("batch_shape")
    nodes = tree.get("inbound_nodes")
    if nodes:
        new["inbound_nodes"] = [[[*history, {}] for history in histories(node["args"])] for node in nodes]
    return new


def histories(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [found for entry in value for found in histories(entry)]
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        return [value["config"]["keras_history"]]
    return []


@pytest.mark.parametrize("name", ["plain", "strided", "residual", "excite"])
def test_keras_2_says_the_same(name: str) -> None:
    tree = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    older = json.dumps({**keras2(tree), "keras_version": "2.15.0", "backend": "tensorflow"})
    network, findings = read(older)
    expected, expected_findings = fixture(name)
    assert layers_of(network) == layers_of(expected)
    assert [each.message for each in findings] == [each.message for each in expected_findings]


def test_operators_of_keras_2_are_layers() -> None:
    """A hard swish written out, and a sum, as TensorFlow's Keras wrote operators of tensors."""
    plus = call("TFOpLambda", "plus", "i", function="tf.__operators__.add")
    plus["inbound_nodes"][0][0][3] = {"y": 3.0, "name": None}
    times = call("TFOpLambda", "times", "six", function="tf.math.multiply")
    times["inbound_nodes"][0][0][3] = {"y": 1 / 6}
    total = call("TFOpLambda", "sum", "swish", function="tf.__operators__.add")
    total["inbound_nodes"] = [["swish", 0, 0, {"y": ["i", 0, 0], "name": None}]]
    six = call("ReLU", "six", "plus", max_value=6.0)
    layers = (plus, six, times, call("Multiply", "swish", "i", "times"), total)
    network, _ = read(functional(*layers, outputs=[["sum", 0, 0]]))
    assert layers_of(network) == [("hardswish", {}), ("add", {})]
    assert network.operations[1].inputs == (1, 0)


def test_a_number_that_is_added_to_all_is_refused() -> None:
    plus = call("TFOpLambda", "plus", "i", function="tf.__operators__.add")
    plus["inbound_nodes"][0][0][3] = {"y": 1.5}
    with pytest.raises(SpecError, match="no layer that adds a number"):
        read(functional(plus, outputs=[["plus", 0, 0]]))


def test_a_dollar_in_a_name_is_no_expression() -> None:
    tree = json.loads(sequential(SMALL))
    tree["config"]["name"] = "co$t"
    network, _ = read_keras(json.dumps(tree).encode(), "folder/a$b.json")
    assert "document: a$$b.json" in spec_of(network, comment="Imported.").text


# --- layers one by one ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "expected"),
    [
        (8, 3, 1, [("conv", {"out_channels": 4, "kernel_size": 3, "padding": 1})]),
        (8, 1, 1, [("conv", {"out_channels": 4, "kernel_size": 1})]),
        (9, 3, 2, [("conv", {"out_channels": 4, "kernel_size": 3, "stride": 2, "padding": 1})]),
        (
            8,
            3,
            2,
            [
                ("pad", {"padding": [[0, 1], [0, 1]]}),
                ("conv", {"out_channels": 4, "kernel_size": 3, "stride": 2}),
            ],
        ),
        (8, 2, 2, [("conv", {"out_channels": 4, "kernel_size": 2, "stride": 2})]),
    ],
)
def test_same_pads_where_keras_pads(size: int, kernel: int, stride: int, expected: list[Any]) -> None:
    conv = layer("Conv2D", filters=4, kernel_size=[kernel, kernel], strides=[stride, stride], padding="same")
    assert imported(conv, shape=(size, size, 3)) == expected


@pytest.mark.parametrize(
    ("given_layer", "expected"),
    [
        (layer("ReLU", max_value=6.0), [("relu6", {})]),
        (layer("ReLU", negative_slope=0.25), [("leaky_relu", {"negative_slope": 0.25})]),
        (layer("ReLU", max_value=2.0), [("hardtanh", {"min_val": 0.0, "max_val": 2.0})]),
        (layer("LeakyReLU", alpha=0.1), [("leaky_relu", {"negative_slope": 0.1})]),
        (layer("LeakyReLU"), [("leaky_relu", {"negative_slope": 0.3})]),
        (layer("Activation", activation="leaky_relu"), [("leaky_relu", {"negative_slope": 0.2})]),
        (layer("Activation", activation="hard_silu"), [("hardswish", {})]),
        (layer("Activation", activation="linear"), []),
        (layer("ELU", alpha=0.5), [("elu", {"alpha": 0.5})]),
        (layer("BatchNormalization"), [("batch_norm", {"eps": 1e-3, "momentum": 0.01})]),
        (
            layer("BatchNormalization", momentum=0.9, center=False, scale=False),
            [("batch_norm", {"eps": 1e-3, "momentum": 0.1, "affine": False})],
        ),
        (layer("LayerNormalization"), [("channel_layer_norm", {"eps": 1e-3})]),
        (layer("LayerNormalization", axis=[1, 2, 3]), [("layer_norm", {"axes": 3, "eps": 1e-3})]),
        (layer("GroupNormalization", groups=-1), [("group_norm", {"num_groups": 3, "eps": 1e-3})]),
        (layer("Dense", units=5), [("conv", {"out_channels": 5, "kernel_size": 1})]),
        (layer("ZeroPadding2D", padding=[[1, 2], [3, 3]]), [("pad", {"padding": [[1, 2], 3]})]),
        (layer("ZeroPadding2D", padding=2), [("pad", {"padding": 2})]),
        (layer("Cropping2D", cropping=[[1, 1], [1, 1]]), [("crop", {"margin": 1})]),
        (layer("UpSampling2D", size=[2, 2]), [("upsample", {"scale_factor": 2})]),
        (layer("MaxPooling2D", pool_size=[2, 2]), [("max_pool", {"kernel_size": 2})]),
        (layer("GlobalAveragePooling2D"), [("global_avg_pool", {})]),
        (layer("Reshape", target_shape=[64, 3]), [("permute", {"dims": [2, 3, 1]}), ("reshape", {"shape": [64, 3]})]),
        (layer("Permute", dims=[2, 1, 3]), [("permute", {"dims": [1, 3, 2]})]),
        (layer("Dropout", rate=0.0), []),
        (layer("Dropout", rate=0.1, noise_shape=[None, 1, 1, 1]), [("stochastic_depth", {"p": 0.1})]),
        (layer("Resizing", height=4, width=4), [("upsample", {"size": [4, 4], "mode": "bilinear"})]),
        (layer("GaussianNoise", stddev=0.1), []),
        (layer("RandomZoom", height_factor=0.1), []),
    ],
)
def test_a_layer_is_imported_as(given_layer: dict[str, Any], expected: list[Any]) -> None:
    assert imported(given_layer) == expected


def test_channels_first_are_as_they_are() -> None:
    conv = layer("Conv2D", filters=4, kernel_size=3, data_format="channels_first")
    norm = layer("BatchNormalization", axis=1)
    network, findings = read(sequential(conv, norm, layer("Flatten"), shape=(3, 8, 8)))
    assert network.input == (3, 8, 8)
    assert network.shape_of(network.output) == (4 * 6 * 6,)
    assert not findings  # the order of the features is the same


def test_images_of_any_size_are_imported_for_one() -> None:
    network, findings = read(sequential(layer("Conv2D", filters=4, kernel_size=3), shape=(None, None, 3)))
    assert network.input == (3, 224, 224)
    assert any("any size" in each.message for each in findings)


def test_a_border_of_zeros_becomes_padding() -> None:
    found = imported(layer("ZeroPadding2D", padding=3), layer("Conv2D", filters=4, kernel_size=7, strides=2))
    assert found == [("conv", {"out_channels": 4, "kernel_size": 7, "stride": 2, "padding": 3})]


def test_squeeze_and_excitation_is_one_layer() -> None:
    found = layers_of(fixture("excite")[0])
    assert ("squeeze_excite", {"channels": 2}) in found
    assert "multiply" not in [word for word, _ in found]


def test_initialisers_become_rules_and_exceptions_are_told() -> None:
    convs = [layer("Conv2D", filters=4, kernel_size=1) for _ in range(3)]
    for number, (conv, kind) in enumerate(zip(convs, ("HeNormal", "HeNormal", "Zeros"), strict=True)):
        conv["config"] |= {"name": f"c{number}", "kernel_initializer": {"class_name": kind, "config": {}}}
    network, findings = read(
        sequential(*convs, layer("Flatten"), layer("Dense", units=2, kernel_initializer="lecun_normal"))
    )
    assert network.keys["init"] == [
        {"select": {"kind": "conv", "parameter": "weight"}, "initializer": "kaiming_normal"},
        {"select": {"kind": ["conv", "linear"], "parameter": "bias"}, "initializer": "zeros"},
        {
            "select": {"kind": "linear", "parameter": "weight"},
            "initializer": {"kaiming_normal": {"nonlinearity": "linear"}},
        },
    ]
    assert any("starts with zeros" in each.message for each in findings)


@pytest.mark.parametrize(
    ("given_layer", "said"),
    [
        (layer("Rescaling", scale=1 / 255), "0..1"),
        (layer("RandomRotation", factor=0.1), "RandomRotation"),
        (layer("Normalization", mean=[0.0]), "Normalization"),
        (layer("Conv2D", filters=2, kernel_size=1, kernel_constraint={"class_name": "MaxNorm"}), "kernel_constraint"),
        (layer("Conv2D", filters=2, kernel_size=1, trainable=False), "frozen"),
        (layer("BatchNormalization", scale=False), "3 parameters more"),
        (layer("Activation", activation="softmax"), "softmax at the end"),
        (layer("Flatten"), "order of channels, height, width"),
    ],
)
def test_what_is_left_out_is_told(given_layer: dict[str, Any], said: str) -> None:
    _, findings = read(sequential(given_layer))
    (found,) = findings
    assert found.severity == "warning"
    assert said in found.message


def test_rescaling_is_said_in_terms_of_specforges_pixels() -> None:
    _, (found,) = read(sequential(layer("Rescaling", scale=1 / 127.5, offset=-1)))
    assert found.hint is not None
    assert "{mean: 0.5, std: 0.5}" in found.hint


def test_an_l2_penalty_is_said_in_words_of_the_recipe() -> None:
    penalty = {"class_name": "L2", "config": {"l2": 0.01}}
    _, (found,) = read(sequential(layer("Conv2D", filters=2, kernel_size=1, kernel_regularizer=penalty)))
    assert found.hint is not None
    assert "groups: [{select: {kind: conv, parameter: weight}, l2: 0.01}]" in found.hint


# --- what is refused ------------------------------------------------------------------------------------------------

SMALL = layer("Conv2D", filters=2, kernel_size=1)
FIRST = layer("Conv2D", filters=2, kernel_size=1, data_format="channels_first")


def functional(*layers: dict[str, Any], outputs: list[Any], inputs: list[Any] | None = None) -> str:
    first = {
        "class_name": "InputLayer",
        "config": {"batch_input_shape": [None, 4, 4, 3]},
        "name": "i",
        "inbound_nodes": [],
    }
    config = {"layers": [first, *layers], "input_layers": inputs or [["i", 0, 0]], "output_layers": outputs}
    return json.dumps({"class_name": "Functional", "config": config})


def call(kind: str, name: str, *reads: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "name": name, "config": config, "inbound_nodes": [[[read, 0, 0, {}] for read in reads]]}


BROKEN = [
    ("", "SF621", "no JSON"),
    ("{", "SF621", "no JSON"),
    ("[1, 2]", "SF621", "no `class_name`"),
    ("[" * 100_000, "SF621", "too deep"),
    ("\0", "SF621", "binary"),
    ("PK\x03\x04", "SF621", "config.json"),
    ('{"class_name": "MyModel", "config": {}}', "SF621", "class of its own, `MyModel`"),
    ('{"class_name": "Functional", "config": {}}', "SF623", "config.layers"),
    ('{"class_name": "Sequential", "config": {"layers": []}}', "SF623", "no layers"),
    ('{"class_name": "Sequential", "config": {"layers": [3]}}', "SF623", "config.layers[0]"),
    (sequential(SMALL, shape=()), "SF623", "not an image of a known size"),
    (sequential(layer("Lambda")), "SF622", "config.layers[1]: specforge has no layer for Keras's `Lambda`"),
    (sequential(layer("LSTM", units=4)), "SF622", "`LSTM`"),
    (sequential(layer("Conv2D", kernel_size=1)), "SF623", "config.layers[1].filters: expected a whole number"),
    (sequential(layer("Conv2D", filters="x", kernel_size=1)), "SF623", "found `x`"),
    (sequential(layer("Conv2D", filters=-1, kernel_size=1)), "SF623", "found `-1`"),
    (sequential(layer("Conv2D", filters=10**30, kernel_size=1)), "SF623", "filters"),
    (sequential(layer("Conv2D", filters=2, kernel_size=[3])), "SF623", "two whole numbers"),
    (sequential(layer("Conv2D", filters=2, kernel_size=20)), "SF626", "kernel"),
    (sequential(layer("Conv2D", filters=2, kernel_size=1, padding="causal")), "SF623", "`valid` or `same`"),
    (sequential(layer("Conv2D", filters=2, kernel_size=1, activation="snake")), "SF622", "`snake`"),
    (sequential(FIRST, layer("AveragePooling2D", data_format="channels_last")), "SF625", "first and others last"),
    (sequential(layer("MaxPooling2D", pool_size=20)), "SF626", "larger than"),
    (sequential(layer("AveragePooling2D", pool_size=2, strides=1, padding="same")), "SF625", "same"),
    (sequential(layer("Flatten"), SMALL), "SF626", "needs an image"),
    (sequential(layer("Reshape", target_shape=[7])), "SF626", "can't be arranged"),
    (sequential(layer("Dropout", rate=2.0)), "SF623", "from 0 to below 1"),
    (sequential(layer("PReLU")), "SF625", "shared_axes=[1, 2]"),
    (sequential(SMALL, layer("Rescaling", scale=1.0, offset=1.0)), "SF625", "adds a number"),
    (functional(call("Add", "a", "i", "ghost"), outputs=[["a", 0, 0]]), "SF624", "`ghost`"),
    (functional(outputs=[["ghost", 0, 0]]), "SF624", "`ghost`"),
    (functional(outputs=[["i", 0, 0], ["i", 0, 0]]), "SF623", "2 outputs"),
    (functional(call("Add", "a", "a", "i"), outputs=[["a", 0, 0]]), "SF624", "`a`"),
    (functional(call("Add", "a", "i"), outputs=[["a", 0, 0]]), "SF626", "two values or more"),
    (
        functional(call("Dense", "d", "i", units=2), outputs=[["d", 0]], inputs=[["i", 0], ["j", 0]]),
        "SF623",
        "2 inputs",
    ),
]


@pytest.mark.parametrize(("text", "code", "said"), BROKEN)
def test_a_broken_file_is_refused(text: str, code: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_keras(text.encode(), "net.json")
    shown = [f"{each.message} {each.hint}" for each in caught.value.diagnostics if each.code == code]
    assert any(said in each for each in shown), caught.value


def test_the_place_is_that_of_the_layers_name() -> None:
    text = sequential(SMALL, layer("Lambda"))
    with pytest.raises(SpecError) as caught:
        read_keras(text.encode(), "net.json")
    (found,) = caught.value.diagnostics
    assert text[found.span.column - 1 : found.span.end_column - 1] == "lambda"


def test_the_hard_sigmoid_of_keras_2_is_another_one() -> None:
    tree = json.loads(sequential(layer("Activation", activation="hard_sigmoid")))
    assert layers_of(read(json.dumps(tree))[0]) == [("hardsigmoid", {})]
    with pytest.raises(SpecError, match="Keras 2"):
        read(json.dumps(keras2(tree)))


def test_networks_nested_without_end_are_refused() -> None:
    tree: dict[str, Any] = layer("Flatten")
    for _ in range(40):
        config = {"name": "n", "layers": [layer("InputLayer", batch_shape=[None, 8, 8, 3]), tree]}
        tree = {"module": "keras", "class_name": "Sequential", "config": config}
    with pytest.raises(SpecError, match="deep"):
        read(json.dumps(tree))
