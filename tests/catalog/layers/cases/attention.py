"""What the layers of `attention.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import Cases

CASES: Cases = {
    "multi_head_attention": {
        "2": ((5, 8), (16, 6)),
        "1": ((5, 8),),
        "{num_heads: 4, dropout: 0.1, bias: false}": ((5, 8),),
    },
    "window_attention": {
        "{window_size: 2, num_heads: 2}": ((4, 6, 8), (5, 7, 8), (4, 2, 8)),
        "{window_size: 4, num_heads: 2, shift: 2}": ((8, 8, 6), (9, 7, 6), (4, 8, 6), (3, 3, 6)),
        "{window_size: [2, 4], num_heads: 4, shift: [0, 1], dropout: 0.1, bias: false}": ((4, 8, 8),),
    },
}
