"""Documents 000 and 001, on how to improve a network: each spec changes what its document says, and no more."""

from functools import cache
from pathlib import Path

import pytest
import torch
from torch import nn

import specforge
from specforge.analysis import analyse
from specforge.catalog.discovery import word_for
from specforge.graph import Graph, plan
from specforge.graph.selection import weights_of
from specforge.spec import Data, Spec

SPECS = Path(__file__).parents[2] / "specs"
FLIP_AND_CROP = ["horizontal_flip", "crop"]


@cache
def loaded(name: str) -> tuple[Spec, Graph]:
    return analyse(SPECS / f"{name}.yaml").require()


def data_of(name: str) -> Data:
    data = loaded(name)[0].data
    assert data is not None
    return data


def test_only_convolutions_are_penalised() -> None:
    spec, graph = loaded("keras_l2_dropout")
    assert spec.train is not None

    (stage,) = plan(spec.train, weights_of(graph))

    assert {group.names: group.l2 for group in stage.groups} == {
        ("repeat_1.0.conv_1.weight", "repeat_1.1.conv_1.weight"): 1e-3,
        ("repeat_1.0.conv_1.bias", "repeat_1.1.conv_1.bias", "linear_1.weight", "linear_1.bias"): 0.0,
    }


@pytest.mark.parametrize(
    ("name", "degrees", "shift", "epochs"), [("augment_15", 15, 0.1, 100), ("augment_20", 20, 0.2, 10)]
)
def test_augmentation_is_that_of_image_data_generator(name: str, degrees: float, shift: float, epochs: int) -> None:
    spec, _ = loaded(name)
    rotation, shifted, shear, zoom, flip = (step.model_dump(exclude_defaults=True) for step in data_of(name).augment)

    # its matrix is rotation · shift · shear · zoom, read once with the edge repeated; its shear is in degrees
    assert rotation == {"degrees": degrees, "fill": "nearest"}
    assert shifted == {"fraction": shift, "fill": "nearest"}
    assert shear == {"degrees": 0.2, "preserve": "length", "fill": "nearest"}
    assert zoom == {"extent": 0.2, "axes": "apart", "fill": "nearest"}
    assert flip == {}
    assert spec.train is not None
    assert (spec.train.epochs, spec.train.batch_size) == (epochs, 32)


@pytest.mark.parametrize(
    ("name", "steps", "mixes"),
    [
        ("augment_basic", FLIP_AND_CROP, []),
        ("augment_colour", [*FLIP_AND_CROP, "colour_jitter"], []),
        ("augment_erasing", [*FLIP_AND_CROP, "random_erasing"], []),
        ("augment_mixup", FLIP_AND_CROP, ["mixup"]),
    ],
)
def test_each_augmentation_is_added_to_flips_and_crops(name: str, steps: list[str], mixes: list[str]) -> None:
    data = data_of(name)

    assert [word_for(step) for step in data.augment] == steps
    assert [word_for(mix) for mix in data.mixes] == mixes
    assert data.split.validation is None


@pytest.mark.parametrize(
    ("name", "added"),
    [
        ("attention_se", {"squeeze_excite": 2}),
        ("attention_cbam", {"cbam": 2}),
        (
            "attention_self",
            {"flatten": 1, "permute": 1, "position_embedding": 1, "layer_norm": 1, "multi_head_attention": 1},
        ),
        ("inception", {"conv": 10, "batch_norm": 10, "relu": 10, "max_pool": 2}),
    ],
)
def test_a_part_of_networks_is_all_that_is_added(name: str, added: dict[str, int]) -> None:
    plain = [leaf.kind for leaf in loaded("augment_basic")[1].leaves()]
    kinds = [leaf.kind for leaf in loaded(name)[1].leaves()]

    more = {kind: kinds.count(kind) - plain.count(kind) for kind in {*plain, *kinds}}
    assert {kind: count for kind, count in more.items() if count} == added
    assert loaded(name)[0].train == loaded("augment_basic")[0].train


class ResidualBlock(nn.Module):
    """What the document describes, in torch's layers."""

    def __init__(self, arriving: int, leaving: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(arriving, leaving, 3, padding=1),
            nn.BatchNorm2d(leaving),
            nn.ReLU(),
            nn.Conv2d(leaving, leaving, 3, padding=1),
            nn.BatchNorm2d(leaving),
        )
        fitted = nn.Sequential(nn.Conv2d(arriving, leaving, 1), nn.BatchNorm2d(leaving))
        self.shortcut = nn.Identity() if arriving == leaving else fitted

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        summed: torch.Tensor = self.body(images) + self.shortcut(images)
        return summed.relu()


def test_residual_block_computes_what_the_document_writes() -> None:
    ours = specforge.compile(SPECS / "residual_block.yaml")
    theirs = nn.Sequential(
        *(nn.Conv2d(3, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU()),
        *(ResidualBlock(64, 64), ResidualBlock(64, 64), nn.MaxPool2d(2)),
        *(ResidualBlock(64, 128), ResidualBlock(128, 128), nn.MaxPool2d(2)),
        *(ResidualBlock(128, 256), ResidualBlock(256, 256)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 100)),
    )
    names, state = list(ours.state_dict()), list(theirs.state_dict().values())
    ours.load_state_dict(dict(zip(names, state, strict=True)))
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))

    torch.testing.assert_close(ours.eval()(images), theirs.eval()(images))


def test_transfer_trains_the_new_layer_and_then_everything() -> None:
    spec, graph = loaded("resnet50_transfer")
    assert spec.train is not None
    weights = weights_of(graph)

    frozen, fine_tuning = plan(spec.train, weights)

    assert [group.names for group in frozen.groups] == [("linear_1.weight", "linear_1.bias")]
    assert frozen.frozen == {weight.name for weight in weights if weight.path.startswith("base_model.")}
    assert not fine_tuning.frozen
    assert [
        group.optimizer.model_dump(include={"lr", "eps"}) for stage in (frozen, fine_tuning) for group in stage.groups
    ] == [
        {"lr": 1e-3, "eps": 1e-7},
        {"lr": 1e-5, "eps": 1e-7},
    ]


@pytest.mark.parametrize(("name", "last"), [("densenet", (1024, 4, 4)), ("efficientnet", (1280, 4, 4))])
def test_networks_of_the_zoo_keep_maps_of_small_images(name: str, last: tuple[int, ...]) -> None:
    (pooling,) = (leaf for leaf in loaded(name)[1].leaves() if leaf.kind == "global_avg_pool")

    assert pooling.input == last


def test_the_search_is_the_document_s() -> None:
    spec, _ = loaded("optuna_search")
    assert spec.search is not None
    assert spec.train is not None

    assert {path: word_for(found) for path, found in spec.search.space.items()} == {
        "train.optimizer": "choice",
        "train.optimizer.lr": "log_uniform",
        "train.batch_size": "choice",
    }
    assert spec.search.space["train.optimizer.lr"].ends() == (1e-5, 1e-1)
    assert spec.search.space["train.batch_size"].ends() == (32, 64, 128)
    assert (spec.search.trials, spec.search.metric, spec.search.objective) == (100, "validation_accuracy", "last")
    assert spec.search.best_direction == "maximize"
    assert spec.train.epochs == 10
