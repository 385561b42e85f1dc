"""What the layers of `tokens.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import Cases

CASES: Cases = {
    "patch_embedding": {
        "{patch_size: 2, out_channels: 5}": ((3, 8), (3, 8, 6), (3, 2, 4, 6)),
        "{patch_size: [4, 2], out_channels: 5, bias: false}": ((3, 8, 6),),
    },
    "class_token": {"": ((3, 6),)},
    "position_embedding": {"": ((3, 6),), "sinusoidal": ((3, 6),)},
    "patch_merging": {"": ((4, 6, 3), (5, 7, 3)), "{out_channels: 5, eps: 1e-3}": ((4, 5, 3),)},
    "mean": {"": ((3, 6), (3, 8, 6)), "-1": ((3, 8, 6),), "{dim: 1, keepdim: true}": ((6,), (3, 6))},
}
