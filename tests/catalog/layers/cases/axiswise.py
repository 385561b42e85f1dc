"""What the layers of `axiswise.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import ANY, Cases

CASES: Cases = {
    "softmax": {"": ANY, "-1": ANY, "2": ((3, 5), (3, 8, 8))},
    "softmin": {"": ANY, "-1": ANY, "2": ((3, 5), (3, 8, 8))},
    "log_softmax": {"": ANY, "-1": ANY, "2": ((3, 5), (3, 8, 8))},
    "glu": {"": ((8,), (3, 8), (3, 5, 8)), "1": ((4,), (4, 5), (4, 5, 7), (2, 4, 5, 6)), "-2": ((3, 4, 5),)},
}
