"""Exported Python files have the same tensors and give the same outputs as the modules that specforge builds."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import torch

from specforge.analysis import Analysis, analyse
from specforge.catalog.discovery import index
from specforge.expand.ids import MODULE_ATTRIBUTES
from specforge.spec import Spec
from specforge.torch_backend import build
from tests.emit.exported import Exported, equal_networks, exported, same_outputs, scatter
from tests.emit.random_blocks import spec as blocks_of
from tests.graph.random_networks import Network
from tests.networks import analysed

ROOT = Path(__file__).parents[2]
SPECS = sorted([*(ROOT / "specs").glob("*.yaml"), *(ROOT / "specs" / "speedrun").glob("*.yaml")])
ZOO = sorted((ROOT / "specs" / "zoo").glob("*.yaml"))
GOLDEN = ("lab2_bn", "zoo/resnet18", "inception")
# what these are built of, smaller ones of the zoo are built of too; their numbers alone take seconds
LARGE = frozenset(("vgg11", "vgg16", "vgg16_bn", "resnet101"))
RANDOM, BLOCKS = 80, 40
FOUND = (12, 145, 493, 1013)  # random blocks that the export had wrong
PROVEN = set[str]()
SMALLER = {"inception_v3": (), "vit_b_16": ("model.input=[3, 64, 64]", "params.depth=3", "expect=null")}
RUFF = (sys.executable, "-m", "ruff")
LENGTH = ("--isolated", "--line-length", "120")


@cache
def of(file: Path) -> tuple[Analysis, Exported]:
    analysis = analyse(file)
    spec, graph = analysis.require()
    return analysis, exported(spec, graph, analysis.texts)


def with_layers(folder: Path, layers: str, **more: object) -> tuple[Analysis, Exported]:
    analysis = analysed(folder, layers, **more)  # type: ignore[arg-type]  # the parts of a spec, as given
    spec, graph = analysis.require()
    return analysis, exported(spec, graph, analysis.texts)


def equal(folder: Path, layers: str, **more: object) -> Exported:
    """The export of a list of layers, which is as it should be."""
    analysis, file = with_layers(folder, layers, **more)
    assert analysis.graph is not None
    equal_networks(analysis.graph, file)
    return file


@pytest.mark.parametrize("file", SPECS, ids=lambda file: str(file.stem))
def test_every_spec(file: Path) -> None:
    analysis, found = of(file)
    assert analysis.graph is not None
    assert found.imports <= {"torch", "collections"}
    ast.parse(found.text, feature_version=(3, 10))
    code = found.text.replace(found.names["__doc__"], "")
    if code not in PROVEN:  # many differ in their recipes alone
        equal_networks(analysis.graph, found)
        PROVEN.add(code)


@pytest.mark.parametrize("file", ZOO, ids=lambda file: str(file.stem))
def test_the_zoo(file: Path) -> None:
    """On small images, and less of the same, where that can be; numbers of the largest would take seconds."""
    analysis = analyse(file, SMALLER.get(file.stem, ("model.input=[3, 64, 64]", "expect=null")))
    spec, graph = analysis.require()
    found = exported(spec, graph, analysis.texts)
    with torch.device("meta"):
        theirs = found.network()
    assert [(key, tuple(tensor.shape)) for key, tensor in theirs.state_dict().items()] == [*graph.state().items()]
    if file.stem not in LARGE:
        ours = build(graph, seed=0)
        scatter(ours)
        theirs.load_state_dict(ours.state_dict(), strict=True, assign=True)
        is_small = file.stem != "inception_v3"
        same_outputs(ours, theirs, graph, batch=2 if is_small else 1, training=is_small)


# torch notes that an even kernel with `padding: same` costs a copy; that is no fault of the export
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
@pytest.mark.parametrize("portion", range(4))
def test_random_networks(portion: int) -> None:
    right = 0
    for seed in range(portion, RANDOM, 4):
        made = Network(seed).model()
        if made is not None:
            right += 1
            file = exported(Spec(specforge=1, name=f"random_{seed}", model=made[0]), made[1])
            # a batch norm needs more values than one of each channel, which not all of these give it
            training = not any(n.layer and n.layer.needs_several_images(n.input) for n in made[1].leaves())
            equal_networks(made[1], file, training=training)
    assert right > 0.8 * RANDOM / 4


def test_style(tmp_path: Path) -> None:
    """ruff, with its default rules and more, has nothing to say and nothing to change."""
    for file in (*SPECS, *ZOO):
        (tmp_path / f"{file.parent.name}_{file.stem}.py").write_text(of(file)[1].text)
    for seed in range(RANDOM):
        made = Network(seed).model()
        if made is not None:
            text = exported(Spec(specforge=1, name=f"random_{seed}", model=made[0]), made[1]).text
            (tmp_path / f"random_{seed}.py").write_text(text)
    for seed in range(BLOCKS):
        (tmp_path / "blocks.yaml").write_text(blocks_of(seed))
        analysis = analyse(tmp_path / "blocks.yaml")
        (tmp_path / f"blocks_{seed}.py").write_text(exported(*analysis.require(), analysis.texts).text)
    rules = ("--select", "E4,E7,E9,E,F,I,UP,B", "--target-version", "py310", "--no-cache")
    check = subprocess.run([*RUFF, "check", *LENGTH, *rules, tmp_path], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout
    layout = (*RUFF, "format", "--check", "--diff", "--no-cache", *LENGTH, tmp_path)
    done = subprocess.run(layout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str) -> None:
    """To read: what a change of the export does to three files. `python -m tests.emit.regenerate` writes them anew."""
    expected = (Path(__file__).parent / "golden" / f"{Path(name).stem}.py.txt").read_text(encoding="utf-8")
    assert of(ROOT / "specs" / f"{name}.yaml")[1].text == expected


def test_it_is_the_same_every_time() -> None:
    analysis = analyse(ROOT / "specs" / "zoo" / "mobilenet_v3_small.yaml")
    first, second = (exported(*analysis.require(), analysis.texts).text for _ in range(2))
    assert first == second


def test_a_block_becomes_one_class(tmp_path: Path) -> None:
    blocks = "unit: {params: {width: required}, layers: [linear: $width, relu]}"
    file = equal(tmp_path, "[unit: 8, unit: 16, unit: {width: 4}]", input=(6,), blocks=blocks)
    assert file.classes == ["Unit", "Example"]
    assert "def __init__(self, in_features: int, width: int) -> None:" in file.text
    assert "self.unit_3 = Unit(16, 4)" in file.text


def test_a_repeat_becomes_a_loop(tmp_path: Path) -> None:
    file = equal(tmp_path, "- repeat: {times: 5, layers: [linear: 6, relu]}", input=(6,))
    assert "self.repeat_1 = nn.Sequential(*[Stage() for _ in range(5)])" in file.text


def test_a_loop_says_how_it_goes_on(tmp_path: Path) -> None:
    """The first is different; sizes grow by the same step; every second one differs."""
    first = equal(tmp_path, "- repeat: {times: 4, layers: [linear: 8]}", input=(6,))
    assert "nn.Linear(6 if index == 0 else 8, 8)" in first.text
    growing = "- repeat: {times: 4, layers: [{branches: {paths: [[], [linear: 3]], merge: concat}}]}"
    assert "4 + 3 * index" in equal(tmp_path, growing, input=(4,)).text
    assert "shift=3 * (index % 2)" in of(ROOT / "specs" / "zoo" / "swin_t.yaml")[1].text


def test_a_shortcut_is_there_where_sizes_differ(tmp_path: Path) -> None:
    blocks = """
        unit:
          params: {width: required}
          layers:
            - residual: {shortcut: projection, layers: [conv: {out_channels: $width, kernel_size: 3, padding: 1}]}
    """
    file = equal(tmp_path, "[unit: 4, unit: 4, unit: 8, unit: 8]", input=(4, 6, 6), blocks=blocks)
    assert "if in_channels != width:" in file.text
    assert "self.shortcut = nn.Identity()" in file.text


def test_a_sum_only_where_possible(tmp_path: Path) -> None:
    blocks = (
        "unit: {params: {width: required}, layers: [residual: {shortcut: where_possible, layers: [linear: $width]}]}"
    )
    file = equal(tmp_path, "[unit: 4, unit: 4, unit: 8, unit: 8]", input=(4,), blocks=blocks)
    assert "self.adds = in_features == width" in file.text
    assert "return y + x if self.adds else y" in file.text


def test_layers_that_only_some_uses_have(tmp_path: Path) -> None:
    blocks = """
        unit:
          params: {width: required, norm: true, drop: 0.0, act: relu}
          layers:
            - linear: $width
            - {when: $norm, batch_norm: }
            - $act
            - {when: $(drop > 0), dropout: $drop}
    """
    layers = "[unit: 4, unit: {width: 4, norm: false}, unit: {width: 5, act: gelu}, unit: {width: 4, drop: 0.5}]"
    file = equal(tmp_path, layers, input=(4,), blocks=blocks)
    assert file.classes == ["Unit", "Example"]
    assert "activation: type[nn.Module]" in file.text
    assert "nn.BatchNorm1d(width) if has_batch_norm_1 else nn.Identity()" in file.text
    assert "self.unit_4 = Unit(in_features=5, width=4, activation=nn.ReLU, drop=0.5)" in file.text


def test_weights_that_two_layers_share(tmp_path: Path) -> None:
    layers = """
        - {shared: w, linear: 4}
        - relu
        - branches:
            paths:
              - [{shared: w, linear: 4}]
              - [{id: other, sequential: {layers: [{shared: w, linear: 4}, tanh]}}]
    """
    file = equal(tmp_path, layers, input=(4,))
    assert len(list(file.network().parameters())) == 2


def test_wiring_across_levels(tmp_path: Path) -> None:
    """A small U-Net: what the way up reads was made deep inside the way down."""
    layers = """
        - id: down
          repeat:
            for: {width: [4, 8]}
            layers: [{id: unit, conv: {out_channels: $width, kernel_size: 3, padding: 1}}, max_pool: 2]
        - {conv: {out_channels: 8, kernel_size: 1}}
        - {upsample: {scale_factor: 2}}
        - {from: [previous, down.1.unit], concat: }
        - {conv: {out_channels: 4, kernel_size: 3, padding: 1}}
        - {upsample: {scale_factor: 2}}
        - {id: joined, from: [previous, down.0.unit, input], concat: }
        - {from: input, conv: {out_channels: 11, kernel_size: 1}}
        - {from: [previous, joined], add: }
    """
    file = equal(tmp_path, layers, input=(3, 8, 8))
    assert "y = torch.cat([y, unit_2], dim=1)" in file.text
    assert "joined = torch.cat([y, unit, x], dim=1)" in file.text


def test_side_branches(tmp_path: Path) -> None:
    layers = """
        - linear: 4
        - {id: early, auxiliary: {weight: 0.3, layers: [{linear: 5}, relu, {linear: 3}]}}
        - relu
        - repeat: {times: 2, layers: [{linear: 4}, {auxiliary: {layers: [{linear: 3}]}}]}
        - linear: 3
    """
    file = equal(tmp_path, layers, input=(4,))
    assert 'heads["early"] = self.early(linear_1)' in file.text
    assert "`early` (weight 0.3)" in file.text


def test_frozen_layers(tmp_path: Path) -> None:
    stem = "{id: stem, trainable: false, sequential: {layers: [linear: 4, relu]}}"
    layers = f"[{{trainable: false, linear: 4}}, linear: 4, {stem}]"
    file = equal(tmp_path, layers, input=(4,))
    assert [p.requires_grad for p in file.network().parameters()] == [False] * 2 + [True] * 2 + [False] * 2


def test_names_that_python_changes(tmp_path: Path) -> None:
    """`ﬁ` is `fi` as an attribute, and `__a` is `_Class__a`; as keys of the state_dict they are what they are."""
    layers = "[{id: ﬁ, linear: 4}, {id: __a, linear: 4}, {id: ümlaut, sequential: {layers: [{id: __b, linear: 4}]}}]"
    file = equal(tmp_path, layers, input=(4,))
    assert "ﬁ.weight" in file.network().state_dict()


@pytest.mark.parametrize("name", ["nn", "Tensor", "torch", "class", "OrderedDict", "3d net", "select", "List", "int"])
def test_names_that_python_or_the_file_have(tmp_path: Path, name: str) -> None:
    analysis = analysed(tmp_path, "[linear: 4, {unflatten: {dim: 1, unflattened_size: [2, 2]}}, select: 0]", input=(4,))
    spec, graph = analysis.require()
    equal_networks(graph, exported(spec.model_copy(update={"name": name}), graph))


def test_blocks_with_the_names_of_others(tmp_path: Path) -> None:
    """Of what the file imports, of its variables, of functions."""
    names = ("nn", "torch", "tensor", "example", "stage", "x", "range", "super", "initialize", "self")
    blocks = "\n".join(f"{name}: {{params: {{{name}: 4}}, layers: [linear: ${name}, relu]}}" for name in names)
    layers = "[" + ", ".join(f"{name}, {name}: 5" for name in names) + "]"
    equal(tmp_path, layers, input=(4,), blocks=blocks)


def test_hostile_descriptions(tmp_path: Path) -> None:
    analysis = analysed(tmp_path, "[linear: 4]", input=(4,))
    spec, graph = analysis.require()
    for text in (
        '"""',
        "\\",
        'ends in "',
        "\\N{x} \\u00",
        "a\nb\r\u2028c",
        "'''",
        '\\"""; import os',
        "x" * 500,
        " ",
        "\u202ethe",
    ):
        file = exported(spec.model_copy(update={"description": text}), graph)
        assert file.imports == {"torch"}
        equal_networks(graph, file)


def test_a_file_without_torch_parameters(tmp_path: Path) -> None:
    assert equal(tmp_path, "[]", input=(4,)).classes == ["Example"]
    assert equal(tmp_path, "[relu]", input=(4,)).imports == {"torch"}


def test_sizes_that_are_names(tmp_path: Path) -> None:
    """The header says from which size on it is right, and the file takes all of them."""
    (tmp_path / "any.yaml").write_text(
        "specforge: 1\nname: any\nmodel:\n  input: [3, H, W]\n  layers:\n"
        "    - conv: {out_channels: 4, kernel_size: 5}\n    - global_avg_pool\n    - linear: 2\n"
    )
    analysis = analyse(tmp_path / "any.yaml")
    spec, graph = analysis.require()
    file = exported(spec, graph, analysis.texts)
    assert "(N, 3, H, W) of any size from (N, 3, 5, 5) on; shapes below are for (N, 3, 224, 224)" in file.text
    module = file.network()
    assert {tuple(module(torch.zeros(2, 3, *size)).shape) for size in ((5, 5), (9, 30))} == {(2, 2)}


def test_the_header_says_what_the_file_is() -> None:
    header = (
        of(ROOT / "specs" / "lab2_bn.yaml")[1].names["__doc__"]
        if False
        else of(ROOT / "specs" / "lab2_bn.yaml")[1].text
    )
    for said in ("lab2_bn", "(N, 3, 32, 32)", "(N, 100)", "2,215,940 trainable", "26,626,048", "Lab2Bn()", "load_file"):
        assert said in header


def test_published_weights_are_named() -> None:
    header = of(ROOT / "specs" / "resnet50_transfer.yaml")[1].names["__doc__"]
    assert "are not in this file: load those of a run." in header


def test_no_layer_of_the_catalogue_has_a_name_of_the_file() -> None:
    """A variable of `forward` may have a layer's name, which may not be one that the code needs."""
    assert not {"torch", "self", "nn", "heads"} & set(index("layers"))
    assert "forward" in MODULE_ATTRIBUTES


@pytest.mark.parametrize("portion", range(4))
def test_random_blocks(portion: int, tmp_path: Path) -> None:
    """Whatever uses of blocks have in common: the classes that they become build each of them as it is."""
    for seed in (*range(portion, BLOCKS, 4), *FOUND[portion::4]):
        file = tmp_path / f"{seed}.yaml"
        file.write_text(blocks_of(seed), encoding="utf-8")
        analysis = analyse(file)
        spec, graph = analysis.require()
        equal_networks(graph, exported(spec, graph, analysis.texts))
