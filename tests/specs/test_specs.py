"""The checked-in specs: each is valid, keeps what its document says, and is the network that torch builds."""

from functools import cache
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from specforge.analysis import Analysis, analyse
from specforge.catalog.discovery import word_for
from specforge.graph import Graph
from specforge.spec import Spec
from specforge.torch_backend import build

SPECS = Path(__file__).parents[2] / "specs"
FILES = sorted(SPECS.rglob("*.yaml"))
NAMES = [path.stem for path in FILES if path.parent == SPECS]
KERAS_DOCUMENTS = ("000_", "001_", "002_", "004_")
NOT_OF_KERAS = ("residual_block", "densenet", "efficientnet")  # a snippet of PyTorch, and networks of the zoo

# trainable, total, classes; from the documents where they give them, else by hand from the layers they list
COUNTS = {
    "lab2": (2_214_532, 2_214_532, 100),
    "lab2_cifar10": (2_168_362, 2_168_362, 10),
    "lab2_bn": (2_215_940, 2_217_348, 100),
    "lab2_bn_dropout30": (2_215_940, 2_217_348, 100),
    "lab2_bn_dropout70": (2_215_940, 2_217_348, 100),
    "lta_cnn": (15_786_340, 15_795_556, 100),
    "lta_cnn_350": (15_786_340, 15_795_556, 100),
    "six_conv": (2_759_332, 2_762_660, 100),
    "six_conv_dropout20": (2_759_332, 2_762_660, 100),
    "six_conv_cifar10": (2_667_082, 2_670_410, 10),
    "base_lr1e3": (2_169_572, 2_170_788, 100),
    "base": (2_169_572, 2_170_788, 100),
    "base_gap": (26_084, 26_276, 100),
    "keras_l2_dropout": (249_892, 249_892, 100),
    "augment_basic": (2_215_940, 2_217_348, 100),
    "augment_colour": (2_215_940, 2_217_348, 100),
    "augment_erasing": (2_215_940, 2_217_348, 100),
    "augment_mixup": (2_215_940, 2_217_348, 100),
    "augment_15": (2_215_940, 2_217_348, 100),
    "augment_20": (2_215_940, 2_217_348, 100),
    "optuna_search": (2_215_940, 2_217_348, 100),
    "inception": (2_188_680, 2_190_208, 100),
    "attention_se": (2_215_940 + 552 + 2_128, 2_217_348 + 552 + 2_128, 100),
    "attention_cbam": (2_215_940 + 610 + 2_146, 2_217_348 + 610 + 2_146, 100),
    "attention_self": (2_215_940 + 4_096 + 128 + 16_640, 2_217_348 + 4_096 + 128 + 16_640, 100),
    "residual_block": (2_803_044, 2_807_524, 100),
    "densenet": (7_048_676, 7_132_324, 100),
    "efficientnet": (4_135_648, 4_177_664, 100),
    "resnet50_transfer": (23_508_032 + 204_900, 23_561_152 + 204_900, 100),
}
PARENTS = {
    "quickstart": None,
    "lab2_bn": "keras",
    "lab2_bn_dropout30": "lab2_bn",
    "lab2_bn_dropout70": "lab2_bn",
    "lab2": "lab2_bn",
    "lab2_cifar10": "lab2",
    "lta_cnn": "keras",
    "lta_cnn_350": "lta_cnn",
    "six_conv": "lta_cnn",
    "six_conv_dropout20": "six_conv",
    "six_conv_cifar10": "six_conv",
    "base_lr1e3": "keras",
    "base": "base_lr1e3",
    "base_gap": "base",
    "keras_l2_dropout": "keras",
    "augment_basic": "lab2_bn_dropout30",
    "augment_colour": "augment_basic",
    "augment_erasing": "augment_basic",
    "augment_mixup": "augment_basic",
    "augment_15": "augment_basic",
    "augment_20": "augment_15",
    "optuna_search": "lab2_bn_dropout30",
    "inception": "augment_basic",
    "attention_se": "augment_basic",
    "attention_cbam": "attention_se",
    "attention_self": "augment_basic",
    "residual_block": None,
    "densenet": "densenet121",
    "efficientnet": "efficientnet_b0",
    "resnet50_transfer": "keras",
}
REPORTED = {
    "lab2": 0.44,
    "lab2_cifar10": 0.71,
    "lab2_bn": 0.54,
    "lab2_bn_dropout30": 0.54,
    "lta_cnn": 0.555,
    "lta_cnn_350": 0.67,
    "six_conv": 0.59,
    "six_conv_dropout20": 0.59,
    "six_conv_cifar10": 0.85,
    "base": 0.39,
    "base_gap": 0.20,
}
DROPOUTS = {
    "lab2_bn": [0.5, 0.5, 0.5],
    "lab2_bn_dropout30": [0.3, 0.3, 0.3],
    "lab2_bn_dropout70": [0.7, 0.7, 0.7],
    "lta_cnn": [0.2, 0.2, 0.2, 0.2, 0.2],
    "six_conv": [0.4, 0.4, 0.4, 0.5],
    "six_conv_dropout20": [0.2, 0.2, 0.2, 0.5],
    "base": [0.5],
    "base_gap": [],
}


@cache
def analysed(name: str) -> Analysis:
    return analyse(SPECS / f"{name}.yaml")


def spec_of(name: str) -> Spec:
    return analysed(name).require()[0]


def graph_of(name: str) -> Graph:
    return analysed(name).require()[1]


def kinds(name: str) -> list[str]:
    return [leaf.kind for leaf in graph_of(name).leaves()]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_findings(path: Path) -> None:
    assert [f"{found.span}: {found.message}" for found in analyse(path).findings if not found.accepted] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_spec_has_the_name_of_its_file_and_says_what_it_is(name: str) -> None:
    spec = spec_of(name)

    assert spec.name == name
    assert spec.description
    assert spec.expect is not None
    assert spec.expect.output == graph_of(name).output
    assert spec.expect.trainable_parameters == graph_of(name).trainable_parameters


@pytest.mark.parametrize("name", NAMES)
def test_a_documented_spec_lists_each_assumption_once(name: str) -> None:
    spec = spec_of(name)
    if spec.source is not None and spec.source.document is not None:
        assert spec.assumed, "no document says everything"
    assert len(spec.assumed) == len(set(spec.assumed))


@pytest.mark.parametrize("name", COUNTS)
def test_counts_are_those_of_the_document(name: str) -> None:
    trainable, total, classes = COUNTS[name]
    expect = spec_of(name).expect

    assert expect is not None
    assert (expect.trainable_parameters, expect.total_parameters, expect.output) == (trainable, total, (classes,))
    assert (graph_of(name).trainable_parameters, graph_of(name).total_parameters) == (trainable, total)


@pytest.mark.parametrize("name", PARENTS)
def test_a_variant_extends_its_base(name: str) -> None:
    files_read = [Path(file).stem for file in analysed(name).texts]

    assert files_read[1:2] == ([PARENTS[name]] if PARENTS[name] else [])


@pytest.mark.parametrize("name", COUNTS)
def test_reported_accuracy(name: str) -> None:
    claims = [(claim.metric, claim.value) for claim in spec_of(name).reported]

    assert claims == ([("test_accuracy", REPORTED[name])] if name in REPORTED else [])


@pytest.mark.parametrize("name", DROPOUTS)
def test_dropout_rates(name: str) -> None:
    found = [leaf.layer.model_dump()["p"] for leaf in graph_of(name).leaves() if leaf.kind == "dropout" and leaf.layer]

    assert found == DROPOUTS[name]


@pytest.mark.parametrize("name", NAMES)
def test_documents_that_ran_keras_use_its_defaults(name: str) -> None:
    spec = spec_of(name)
    document = spec.source.document if spec.source else None
    if document is None or not document.startswith(KERAS_DOCUMENTS) or name in NOT_OF_KERAS:
        pytest.skip("another framework")
    pretrained = tuple(f"{node.path}." for node in graph_of(name).root.walk() if node.kind == "pretrained")
    for leaf in graph_of(name).leaves():
        if leaf.path.startswith(pretrained):
            continue  # trained by torchvision, with its batch norms
        if leaf.kind == "batch_norm":
            assert leaf.layer is not None
            assert leaf.layer.model_dump(include={"eps", "momentum"}) == {"eps": 1e-3, "momentum": 0.01}
        if leaf.kind in ("conv", "linear"):
            used = {parameter: type(found).__name__ for parameter, found in leaf.initializers.items()}
            assert used == {"weight": "XavierUniform", "bias": "Zeros"}
    assert spec.train is not None
    assert spec.train.optimizer.model_dump().get("eps", 1e-7) == 1e-7


@pytest.mark.parametrize("name", NAMES)
def test_state_is_that_of_the_module(name: str) -> None:
    module = built(name)

    assert {key: tuple(value.shape) for key, value in module.state_dict().items()} == graph_of(name).state()


@pytest.mark.parametrize("name", NAMES)
def test_counts_are_those_of_the_module(name: str) -> None:
    module = built(name)
    trainable = sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
    frozen = sum(parameter.numel() for parameter in module.parameters() if not parameter.requires_grad)
    statistics = sum(buffer.numel() for key, buffer in module.named_buffers() if "num_batches_tracked" not in key)

    assert graph_of(name).trainable_parameters == trainable
    assert graph_of(name).non_trainable_parameters == frozen + statistics


@pytest.mark.parametrize("name", NAMES)
def test_macs_are_half_of_the_operations_that_torch_counts(name: str) -> None:
    module = built(name).eval()
    with FlopCounterMode(display=False) as counter:
        output = module(torch.empty(1, *graph_of(name).input, device="meta"))

    assert graph_of(name).macs == counter.get_total_flops() / 2
    assert tuple(output.shape) == (1, *graph_of(name).output)


def built(name: str) -> torch.nn.Module:
    """The module without memory for its weights."""
    with torch.device("meta"):
        return build(graph_of(name), device="meta")


def test_lab2_is_lab2_bn_without_its_batch_norms() -> None:
    assert kinds("lab2") == [kind for kind in kinds("lab2_bn") if kind != "batch_norm"]


def test_base_gap_replaces_the_dense_layer_alone() -> None:
    dense = ["flatten", "linear", "batch_norm", "relu", "dropout", "linear"]

    assert kinds("base")[-len(dense) :] == dense
    assert kinds("base_gap") == [*kinds("base")[: -len(dense)], "global_avg_pool", "linear"]


def test_the_original_recipe_of_lta_cnn_is_longer_and_augmented() -> None:
    short, long = spec_of("lta_cnn"), spec_of("lta_cnn_350")
    assert short.data is not None
    assert long.data is not None
    assert short.train is not None
    assert long.train is not None

    assert [word_for(augmentation) for augmentation in long.data.augment] == ["rotation", "horizontal_flip"]
    assert not short.data.augment
    assert (short.train.epochs, long.train.epochs) == (40, 350)
    assert (word_for(short.train.optimizer), word_for(long.train.optimizer)) == ("adam", "rmsprop")
    assert long.data.split.test == "official"


def test_document_002_pools_the_official_parts() -> None:
    for name in ("lab2", "lab2_bn", "lta_cnn", "six_conv_cifar10"):
        data = spec_of(name).data
        assert data is not None
        assert (data.split.train, data.split.validation, data.split.test) == (0.6, 0.2, 0.2)


def test_document_004_validates_on_a_range_and_tests_its_best_epoch() -> None:
    for name, rate in (("base_lr1e3", 1e-3), ("base", 4e-4), ("base_gap", 4e-4)):
        spec = spec_of(name)
        assert spec.data is not None
        assert spec.train is not None
        assert spec.data.split.train == ((0, 0.35), (0.45, 1.0))
        assert spec.data.split.validation == ((0.35, 0.45),)
        assert spec.data.split.test == "official"
        assert spec.train.checkpoint == "best_validation_loss"
        assert spec.train.epochs == 15
        assert spec.train.optimizer.lr == rate
        assert (spec.train.schedule is not None) == (name != "base_lr1e3")
