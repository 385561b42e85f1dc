"""What the layers of `activation.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import ANY, Cases

CASES: Cases = {
    "relu": {"": ANY},
    "relu6": {"": ANY},
    "leaky_relu": {"": ANY, "0.2": ANY},
    "elu": {"": ANY, "0.5": ANY},
    "celu": {"": ANY, "0.5": ANY},
    "selu": {"": ANY},
    "gelu": {"": ANY, "tanh": ANY},
    "silu": {"": ANY},
    "mish": {"": ANY},
    "sigmoid": {"": ANY},
    "log_sigmoid": {"": ANY},
    "hardsigmoid": {"": ANY},
    "hardswish": {"": ANY},
    "tanh": {"": ANY},
    "hardtanh": {"": ANY, "{min_val: 0, max_val: 2.5}": ANY},
    "softplus": {"": ANY, "{beta: 2, threshold: 5}": ANY},
    "softsign": {"": ANY},
    "tanhshrink": {"": ANY},
    "softshrink": {"": ANY, "0": ANY},
    "hardshrink": {"": ANY, "0.1": ANY},
    "prelu": {"": ANY, "{init: 0.1}": ANY, "3": ((3,), (3, 5), (3, 8, 8))},
    "softmax": {"": ANY, "-1": ANY, "2": ((3, 5), (3, 8, 8))},
    "log_softmax": {"": ANY, "-1": ANY, "2": ((3, 5), (3, 8, 8))},
}
