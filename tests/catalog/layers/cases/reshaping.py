"""What the layers of `reshaping.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import ANY, Cases

CASES: Cases = {
    "flatten": {
        "": ANY,
        "{start_dim: 2}": ((3, 5), (3, 8, 8)),
        "{end_dim: 2}": ((3, 5), (3, 8, 8)),
        "{start_dim: 2, end_dim: -2}": ((2, 4, 5, 6),),
        "{start_dim: 1, end_dim: -3}": ((2, 4, 5, 6),),
    },
}
