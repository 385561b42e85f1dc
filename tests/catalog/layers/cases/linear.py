"""What the layers of `linear.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import Cases

CASES: Cases = {
    "linear": {"5": ((7,), (3, 7)), "{out_features: 5, bias: false}": ((7,), (3, 7))},
}
