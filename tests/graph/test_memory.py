"""Memory of training: what autograd keeps, byte by byte, and the estimated peak against a measured step."""

from pathlib import Path

import pytest

from specforge.analysis import load
from specforge.catalog.definition import Optimizer
from specforge.catalog.losses.cross_entropy import CrossEntropy
from specforge.catalog.optimizers.adam import Adam
from specforge.catalog.optimizers.sgd import Sgd
from specforge.experiment import analyse
from specforge.graph import Graph
from specforge.graph.memory import kept_memory, training_memory
from specforge.spec import Train
from tests.graph.random_networks import Network
from tests.graph.steps import kept_bytes, peak_bytes
from tests.networks import graph_of
