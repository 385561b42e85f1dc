"""What the layers of `regularization.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import ANY, SPATIAL, Cases

CASES: Cases = {
    "dropout": {"": ANY, "0": ANY, "0.25": ANY},
    "channel_dropout": {"": SPATIAL, "0.25": SPATIAL},
    "alpha_dropout": {"": ANY, "0.25": ANY},
    "stochastic_depth": {"": ANY, "0": ANY, "{p: 0.25, mode: batch}": ANY},
}
