"""What the layers of `regularization.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import ANY, Cases

CASES: Cases = {
    "dropout": {"": ANY, "0": ANY, "0.25": ANY},
}
