"""What the layers of `activation.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import ANY, Cases

CASES: Cases = {
    "elu": {"": ANY, "0.5": ANY},
    "celu": {"": ANY, "0.5": ANY},
    "selu": {"": ANY},
    "gelu": {"": ANY, "tanh": ANY},
    "silu": {"": ANY},
    "mish": {"": ANY},
    "sigmoid": {"": ANY},
    "log_sigmoid": {"": ANY},
    "tanh": {"": ANY},
    "softplus": {"": ANY, "{beta: 2, threshold: 5}": ANY},
    "softsign": {"": ANY},
    "tanhshrink": {"": ANY},
}
