"""What the layers of `piecewise.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import ANY, Cases

CASES: Cases = {
    "relu": {"": ANY},
    "relu6": {"": ANY},
    "leaky_relu": {"": ANY, "0.2": ANY},
    "rrelu": {"": ANY, "{lower_slope: 0.25, upper_slope: 0.25}": ANY},
    "prelu": {"": ANY, "{init: 0.1}": ANY, "3": ((3,), (3, 5), (3, 8, 8))},
    "threshold": {"{threshold: 0.5, value: -1}": ANY},
    "hardtanh": {"": ANY, "{min_val: 0, max_val: 2.5}": ANY},
    "hardsigmoid": {"": ANY},
    "hardswish": {"": ANY},
    "softshrink": {"": ANY, "0": ANY},
    "hardshrink": {"": ANY, "0.1": ANY},
}
