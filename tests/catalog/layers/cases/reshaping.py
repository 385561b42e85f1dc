"""What the layers of `reshaping.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import ANY, Cases

CASES: Cases = {
    "identity": {"": ANY},
    "flatten": {
        "": ANY,
        "{start_dim: 2}": ((3, 5), (3, 8, 8)),
        "{end_dim: 2}": ((3, 5), (3, 8, 8)),
        "{start_dim: 2, end_dim: -2}": ((2, 4, 5, 6),),
        "{start_dim: 1, end_dim: -3}": ((2, 4, 5, 6),),
    },
    "unflatten": {
        "{unflattened_size: [2, -1]}": ((6,), (4, 5), (2, 3, 3)),
        "{dim: -1, unflattened_size: [2, 2, 1]}": ((4,), (3, 8, 4)),
        "{dim: 2, unflattened_size: [8]}": ((3, 8, 5),),
    },
    "reshape": {
        "[-1]": ANY,
        "[2, -1, 3]": ((6,), (3, 8, 8)),
        "[4, 6]": ((24,), (6, 4), (2, 3, 4)),
    },
    "permute": {"[1]": ((7,),), "[2, 1]": ((3, 5),), "[2, 3, 1]": ((3, 8, 7),), "[4, 1, 2, 3]": ((2, 4, 5, 6),)},
    "channel_shuffle": {"2": ((4, 9), (6, 8, 8), (2, 4, 5, 6)), "1": ((3, 8, 8),)},
}
