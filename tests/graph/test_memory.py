"""Memory of training: what autograd keeps, byte by byte, and the estimated peak against a measured step."""

from pathlib import Path

import pytest

from specforge.analysis import analyse
from specforge.catalog.definition import Item, Optimizer
from specforge.catalog.layers.convolution import Conv
from specforge.catalog.layers.linear import Linear
from specforge.catalog.losses.cross_entropy import CrossEntropy
from specforge.catalog.optimizers.adam import Adam
from specforge.catalog.optimizers.rmsprop import Rmsprop
from specforge.catalog.optimizers.sgd import Sgd
from specforge.diagnostics import Findings
from specforge.graph import Graph, lower, weights_of
from specforge.graph.memory import kept_memory, training_memory
from specforge.graph.plan import optimizers
from specforge.recipe import Group, Selector, Stage, Train
from specforge.shapes import elements
from specforge.spec import Model
from tests.graph.random_networks import WHERE, Network
from tests.graph.steps import kept_bytes, peak_bytes
from tests.networks import graph_of

SPECS = Path(__file__).parents[2] / "specs"
FLOAT = 4
CLOSE = 0.1  # the share of the measured peak that an estimate may be off by

WIRED = """
    - {id: stem, conv: {out_channels: 8, kernel_size: 3, padding: 1}}
    - batch_norm
    - relu
    - sequential:
        layers:
          - {shared: twin, conv: {out_channels: 8, kernel_size: 3, padding: 1}}
          - relu
          - {shared: twin, conv: {out_channels: 8, kernel_size: 3, padding: 1}}
          - {from: [previous, stem], multiply: }
    - {id: side, auxiliary: {weight: 0.3, layers: [global_avg_pool, {linear: 10}]}}
    - branches: {merge: multiply, paths: [[], [tanh]]}
    - branches: {paths: [[], [sigmoid], [{conv: {out_channels: 4, kernel_size: 1}}]]}
    - {from: [previous, input], concat: }
    - dropout: 0.2
    - conv: {out_channels: 8, kernel_size: 3, padding: 2, dilation: 2}
    - relu
    - flatten
    - linear: 10
"""
RESNET18 = """
    - conv: {out_channels: 64, kernel_size: 7, stride: 2, padding: 3, bias: false}
    - batch_norm
    - relu
    - max_pool: {kernel_size: 3, stride: 2, padding: 1}
    - repeat:
        for: {channels: [64, 128, 256, 512], stride: [1, 2, 2, 2]}
        layers: [{block: {channels: $channels, stride: $stride}}, {block: {channels: $channels}}]
    - global_avg_pool
    - linear: 1000
"""
BLOCK = """
    block:
      params: {channels: required, stride: 1}
      layers:
        - residual:
            shortcut: projection
            layers:
              - conv: {out_channels: $channels, kernel_size: 3, stride: $stride, padding: 1, bias: false}
              - batch_norm
              - relu
              - conv: {out_channels: $channels, kernel_size: 3, padding: 1, bias: false}
              - batch_norm
        - relu
"""


def network(name: str, folder: Path) -> Graph:
    if name == "lab2_bn":
        return analyse(SPECS / "lab2_bn.yaml").require()[1]
    if name == "wired":
        return graph_of(folder, WIRED, input=(3, 16, 16))
    return graph_of(folder, RESNET18, blocks=BLOCK, input=(3, 64, 64))


@pytest.mark.parametrize("name", ["lab2_bn", "resnet18", "wired"])
def test_kept_is_what_autograd_keeps(name: str, tmp_path: Path) -> None:
    graph = network(name, tmp_path)
    assert kept_memory(graph).total == kept_bytes(graph)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
def test_kept_in_random_networks() -> None:
    """After a layer with weights, so that autograd records all; some kernels copy what is not contiguous."""
    exact = total = 0
    for seed in range(100):
        graph = random_network(seed)
        if graph is not None:
            total += 1
            exact += kept_memory(graph).total == kept_bytes(graph)
    assert total > 80
    assert exact >= 0.9 * total


def random_network(seed: int) -> Graph | None:
    made = Network(seed).model()
    if made is None or made[0].layers is None:
        return None
    shape = made[1].input
    first = Linear(out_features=shape[-1]) if len(shape) == 1 else Conv(out_channels=shape[0], kernel_size=1)
    item = Item("first", "first", first, WHERE, {}, {})
    return lower(Model(input=shape, layers=(item, *made[0].layers)), Findings())


def test_kept_of_each_layer(tmp_path: Path) -> None:
    """The first that keeps a value has it: the image, then each ReLU's output, which the next layer keeps too."""
    layers = """
        - conv: {out_channels: 2, kernel_size: 3, padding: 1}
        - relu
        - flatten
        - linear: 5
        - tanh
    """
    kept = kept_memory(graph_of(tmp_path, layers, input=(3, 4, 4)))
    image, features = FLOAT * 3 * 4 * 4, FLOAT * 2 * 4 * 4
    assert kept.by_path == {"conv_1": image, "relu_1": features, "flatten_1": 0, "linear_1": 0, "tanh_1": FLOAT * 5}
    assert kept.total == image + features + FLOAT * 5


def test_shared_weights_are_trained_where_they_are_shared(tmp_path: Path) -> None:
    layers = """
        - {id: first, shared: twin, conv: {out_channels: 3, kernel_size: 3, padding: 1}}
        - {from: input, shared: twin, conv: {out_channels: 3, kernel_size: 3, padding: 1}}
        - {from: [previous, first], multiply: }
    """
    graph = graph_of(tmp_path, layers, input=(3, 4, 4))
    assert kept_memory(graph).total == kept_bytes(graph) == 3 * FLOAT * 3 * 4 * 4, "the image and both results"


def test_frozen_layers_before_trained_ones_keep_nothing(tmp_path: Path) -> None:
    layers = """
        - {trainable: false, conv: {out_channels: 2, kernel_size: 3, padding: 1}}
        - flatten
        - linear: 5
    """
    kept = kept_memory(graph_of(tmp_path, layers, input=(3, 4, 4)))
    assert kept.by_path == {"conv_1": 0, "flatten_1": 0, "linear_1": FLOAT * 2 * 4 * 4}


def everywhere(graph: Graph, optimizer: Optimizer) -> dict[str, Optimizer]:
    """One optimizer for all parameters."""
    return {weight.name: optimizer for weight in weights_of(graph)}


@pytest.mark.parametrize("batch_size", [8, 32])
@pytest.mark.parametrize(
    ("name", "optimizer"),
    [("lab2_bn", Adam()), ("resnet18", Sgd(momentum=0.9)), ("wired", Rmsprop(centered=True, weight_decay=0.1))],
    ids=["lab2_bn", "resnet18", "wired"],
)
def test_peak_is_close_to_the_measured(name: str, optimizer: Optimizer, batch_size: int, tmp_path: Path) -> None:
    graph = network(name, tmp_path)
    train = Train(epochs=1, batch_size=batch_size, optimizer=optimizer, loss=CrossEntropy())
    measured = peak_bytes(graph, train, batch_size)
    estimated = training_memory(graph, batch_size, everywhere(graph, optimizer)).peak
    assert abs(estimated - measured) <= CLOSE * measured, (
        f"{estimated / measured:.3f} of the measured {measured:,} bytes"
    )


def test_parts_of_the_estimate(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, "- linear: 6\n- batch_norm\n- relu\n- {trainable: false, linear: 2}", input=(4,))
    trained, frozen = 4 * 6 + 6 + 6 + 6, 6 * 2 + 2
    needed = training_memory(graph, 10, everywhere(graph, Adam()))
    assert needed.weights == FLOAT * (trained + frozen)
    assert needed.gradients == FLOAT * trained
    assert needed.buffers == FLOAT * 12 + 8, "running statistics, and how many batches there were"
    assert needed.optimizer == FLOAT * (2 * trained + 4), "two averages, and a step for each of four tensors"
    assert needed.kept == 10 * kept_memory(graph).total
    assert training_memory(graph, 10).optimizer == 0
    assert needed.peak > needed.weights + needed.buffers + needed.optimizer + needed.kept


def test_the_peak_moves_to_the_optimizer(tmp_path: Path) -> None:
    """A small batch through a large matrix: the most is there when all gradients are, in a step that is not fused."""
    graph = graph_of(tmp_path, "- linear: 1000", input=(1000,))
    needed = training_memory(graph, 1, everywhere(graph, Rmsprop()))
    matrix = FLOAT * 1000 * 1000
    assert (needed.phase, needed.path) == ("step", "")
    assert 4 * matrix < needed.peak < 4.1 * matrix, "the weights, their gradient, its average, and the average's root"
    assert training_memory(graph, 1, everywhere(graph, Adam())).phase == "backward"


def test_values_die_when_nothing_needs_them(tmp_path: Path) -> None:
    """Batch norm's input is kept, its output is not: a chain of ten needs ten values and the one in hand."""
    layers = "- {linear: 1000}\n" + "- batch_norm\n" * 10
    graph = graph_of(tmp_path, layers, input=(1,))
    value = FLOAT * 1000 * 100
    needed = training_memory(graph, 100)
    fixed = needed.weights + needed.buffers
    assert 10 * value < needed.peak - fixed - needed.gradients < 14 * value
    assert elements(graph.output) == 1000


def test_groups_stages_and_averages_count(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, "- {linear: {out_features: 6}}", input=(4,))
    recipe = {"batch_size": 8, "loss": CrossEntropy()}
    bias = Group(select=Selector(parameter="bias"), optimizer=Sgd(lr=0.1))
    plain = Stage(epochs=1, optimizer=Sgd(lr=0.1), **recipe)
    grouped = Stage(epochs=1, optimizer=Adam(), groups=(bias,), **recipe)
    train = Train(stages=(plain, grouped), optimizer=Adam(), **recipe)
    moved = optimizers(train, weights_of(graph))
    assert moved == {"linear_1.weight": Adam(), "linear_1.bias": Sgd(lr=0.1)}, "of the stage that remembers most"
    needed = training_memory(graph, 8, moved)
    assert needed.optimizer == FLOAT * (2 * 24 + 1)
    averaged = training_memory(graph, 8, moved, averaged=True)
    assert averaged.optimizer == needed.optimizer + FLOAT * 30
    assert averaged.peak == needed.peak + FLOAT * 30
