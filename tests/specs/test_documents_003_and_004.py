"""The specs of documents 003 and 004: their counts by hand, and the recipes that their figures depend on."""

from functools import cache
from math import isclose
from pathlib import Path

import pytest

from specforge.analysis import Analysis, analyse
from specforge.catalog.discovery import word_for
from specforge.checks.rates import rates_by_epoch
from specforge.graph import Graph
from specforge.recipe import Train
from specforge.spec import Data, Spec

SPECS = Path(__file__).parents[2] / "specs"
RESNETS = ("phase4_resnet34_cutout", "phase5_resnet34_30", "future_mixup", "future_cutmix", "future_search")
PHASES = ("phase1_simple_cnn", "phase2_bn_dropout", "phase3_resnet18", *RESNETS)
DEEP = ("deep_residual", "deep_residual_15", "deep_residual_snapshots")
CHANGES = ("double_conv", "three_stage", "residual", "residual_augmented", "residual_separable", *DEEP)

PARENTS = {
    "phase1_simple_cnn": None,
    "phase2_bn_dropout": "phase1_simple_cnn",
    "phase3_resnet18": "resnet18",
    "phase4_resnet34_cutout": "phase3_resnet18",
    "phase5_resnet34_30": "phase4_resnet34_cutout",
    "future_mixup": "phase5_resnet34_30",
    "future_cutmix": "phase5_resnet34_30",
    "future_search": "phase5_resnet34_30",
    "double_conv": "base_gap",
    "three_stage": "double_conv",
    "residual": "three_stage",
    "residual_augmented": "residual",
    "residual_separable": "residual_augmented",
    "deep_residual": "residual_augmented",
    "deep_residual_15": "deep_residual",
    "deep_residual_snapshots": "deep_residual",
}


@cache
def analysed(name: str) -> Analysis:
    return analyse(SPECS / f"{name}.yaml")


def spec_of(name: str) -> Spec:
    return analysed(name).require()[0]


def graph_of(name: str) -> Graph:
    return analysed(name).require()[1]


def data_of(name: str) -> Data:
    data = spec_of(name).data
    assert data is not None
    return data


def train_of(name: str) -> Train:
    train = spec_of(name).train
    assert train is not None
    return train


def augmentations(name: str) -> list[str]:
    return [word_for(augmentation) for augmentation in data_of(name).augment]


def reported(name: str) -> list[tuple[str, float, int | None]]:
    return [(claim.metric, claim.value, claim.epochs) for claim in spec_of(name).reported]


def conv(channels: int, width: int, kernel: int = 3) -> int:
    """Weights and biases of a convolution."""
    return channels * width * kernel**2 + width


def separable(channels: int, width: int) -> int:
    return 9 * channels + conv(channels, width, 1)


def stage(channels: int, width: int, *, kernels: int, shortcut: bool) -> int:
    """Two convolutions, whose parameters are `kernels`, with their batch norms, and a 1×1 shortcut with its own."""
    return kernels + 4 * width + (conv(channels, width, 1) + 2 * width if shortcut else 0)


def by_hand(widths: list[int], *, shortcut: bool, thin: bool = False) -> tuple[int, int]:
    """Trainable and all parameters of stages of two convolutions, global average pooling and a linear layer."""
    count = separable if thin else conv
    pairs = list(zip([3, *widths[:-1]], widths, strict=True))
    stages = [stage(a, b, kernels=count(a, b) + count(b, b), shortcut=shortcut) for a, b in pairs]
    trainable = sum(stages) + 100 * widths[-1] + 100
    return trainable, trainable + 2 * sum(widths) * (3 if shortcut else 2)


COUNTS = {
    "double_conv": by_hand([32, 64], shortcut=False),
    "three_stage": by_hand([32, 64, 128], shortcut=False),
    "residual": by_hand([32, 64, 128], shortcut=True),
    "residual_augmented": by_hand([32, 64, 128], shortcut=True),
    "residual_separable": by_hand([32, 64, 128], shortcut=True, thin=True),
    **{name: by_hand([32, 64, 128, 256, 512], shortcut=True) for name in DEEP},
    # torchvision's counts with 1,000 classes, less the 900 that are left out
    "phase3_resnet18": (11_689_512 - 900 * 513, 11_689_512 - 900 * 513 + 9_600),
    **dict.fromkeys(RESNETS, (21_797_672 - 900 * 513, 21_797_672 - 900 * 513 + 17_024)),
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts_are_those_by_hand(name: str) -> None:
    expect = spec_of(name).expect

    assert expect is not None
    assert (expect.trainable_parameters, expect.total_parameters) == COUNTS[name]
    assert (graph_of(name).trainable_parameters, graph_of(name).total_parameters) == COUNTS[name]


@pytest.mark.parametrize("name", PARENTS)
def test_a_variant_extends_its_base(name: str) -> None:
    files_read = [Path(file).stem for file in analysed(name).texts]

    assert files_read[1:2] == ([PARENTS[name]] if PARENTS[name] else [])


@pytest.mark.parametrize("name", PHASES)
def test_document_003_never_selects_by_the_test_set(name: str) -> None:
    train, split = train_of(name), data_of(name).split

    assert train.checkpoint == "last"
    assert train.evaluate.every_epoch == ("validation" if name == "future_search" else "test")
    assert (split.validation, split.test) == (0.1 if name == "future_search" else None, "official")


def test_phases_find_their_rate_and_fall_along_a_cosine() -> None:
    lengths = {name: (train_of(name).epochs, dict(train_of(name).schedule or ())["t_max"]) for name in PHASES[2:]}

    assert all(train_of(name).optimizer.lr == "find" for name in lengths)
    assert lengths == {
        "phase3_resnet18": (12, 12),
        "phase4_resnet34_cutout": (12, 10),
        "phase5_resnet34_30": (30, 10),
        "future_mixup": (100, None),
        "future_cutmix": (100, None),
        "future_search": (30, None),
    }


def test_the_dip_of_phase_5_is_its_rate() -> None:
    schedule = train_of("phase5_resnet34_30").schedule
    assert schedule is not None
    rates = rates_by_epoch(schedule, 1.0, 30)

    assert isclose(rates[10], 0, abs_tol=1e-12)
    assert isclose(rates[19], 0.976, abs_tol=5e-4)
    assert isclose(rates[20], 1)
    assert reported("phase5_resnet34_30")[2:] == [
        ("test_accuracy", 0.1597, 1),
        ("test_accuracy", 0.4219, 12),
        ("test_accuracy", 0.2843, 20),
        ("test_accuracy", 0.5262, 30),
    ]


@pytest.mark.parametrize("name", PHASES[2:])
def test_what_validate_says_of_the_resnets_is_explained(name: str) -> None:
    explained = {found.code for found in analysed(name).findings if found.accepted}
    rises = {"SF511"} if name in ("phase4_resnet34_cutout", "phase5_resnet34_30") else set()

    assert explained == {"SF515"} | rises


def test_cutout_begins_in_phase_4_and_gives_way_to_cutmix() -> None:
    assert [name for name in PHASES if "cutout" in augmentations(name)] == [
        "phase4_resnet34_cutout",
        "phase5_resnet34_30",
        "future_mixup",
        "future_search",
    ]
    mixes = {name: [word_for(mix) for mix in data_of(name).mixes] for name in PHASES}
    assert {name: words for name, words in mixes.items() if words} == {
        "future_mixup": ["mixup"],
        "future_cutmix": ["cutmix"],
    }


@pytest.mark.parametrize("name", CHANGES)
def test_document_004_keeps_split_rate_and_policy(name: str) -> None:
    split, train = data_of(name).split, train_of(name)

    assert (split.train, split.validation, split.test) == (((0, 0.35), (0.45, 1.0)), ((0.35, 0.45),), "official")
    assert train.optimizer.lr == 4e-4
    is_ensemble = name == "deep_residual_snapshots"
    assert train.checkpoint == ("last" if is_ensemble else "best_validation_loss")
    assert (train.schedule is None) == is_ensemble
    assert (train.snapshots.cycles if train.snapshots else None) == (5 if is_ensemble else None)


def test_document_004_trains_for_what_it_says() -> None:
    epochs = {name: train_of(name).total_epochs for name in CHANGES}
    stages = [(stage.epochs, stage.continues) for stage in train_of("residual_augmented").stages]

    assert stages == [(50, False), (100, True)]
    assert epochs == {name: {"residual_augmented": 150, "deep_residual_15": 15}.get(name, 50) for name in CHANGES}


def test_rotation_is_of_full_turns() -> None:
    rotation = next(found for found in data_of("residual_augmented").augment if word_for(found) == "rotation")

    assert dict(rotation)["degrees"] == 0.2 * 360
    assert augmentations("residual_augmented") == ["horizontal_flip", "rotation", "zoom"]
    assert [name for name in CHANGES if not augmentations(name)] == ["double_conv", "three_stage", "residual"]


def test_the_deep_network_drops_out_from_its_second_stage_on_and_has_no_relu() -> None:
    leaves = list(graph_of("deep_residual").leaves())
    dropouts = [(leaf.path, leaf.layer.model_dump()["p"]) for leaf in leaves if leaf.kind == "dropout" and leaf.layer]

    assert dropouts == [(f"repeat_1.{n}.dropout_1", p) for n, p in enumerate((0.15, 0.2, 0.25, 0.25), start=1)]
    assert {leaf.kind for leaf in leaves if leaf.kind in ("relu", "elu")} == {"elu"}


def test_separable_convolutions_start_as_keras_starts_them() -> None:
    found = [leaf for leaf in graph_of("residual_separable").leaves() if leaf.kind == "separable_conv"]

    assert len(found) == 6
    for leaf in found:
        used = {parameter: type(initializer).__name__ for parameter, initializer in leaf.initializers.items()}
        assert used == {
            "depthwise.weight": "XavierUniform",
            "pointwise.weight": "XavierUniform",
            "pointwise.bias": "Zeros",
        }


def test_document_004_reports_what_it_reports() -> None:
    found = {name: reported(name) for name in CHANGES}

    assert {name: claims[0] for name, claims in found.items() if claims} == {
        "double_conv": ("test_accuracy", 0.41, 50),
        "three_stage": ("test_accuracy", 0.50, 50),
        "residual": ("test_accuracy", 0.52, None),
        "residual_augmented": ("test_accuracy", 0.57, 150),
        "residual_separable": ("test_accuracy", 0.49, None),
        "deep_residual": ("test_accuracy", 0.63, 50),
        "deep_residual_15": ("test_accuracy", 0.51, 15),
    }
    assert found["deep_residual"][1:] == [("best_class_accuracy", 0.93, 50), ("worst_class_accuracy", 0.24, 50)]
