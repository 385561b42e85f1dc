"""What the layers of `scaling.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import ANY, IMAGE, SPATIAL, Cases

CASES: Cases = {
    "scale": {"0.25": ANY, "-3": ANY, "1": ANY},
    "layer_scale": {"": ANY, "0.1": ANY, "{dim: -1}": ANY, "{init: 1, dim: 2}": ((3, 5), (3, 8, 8))},
    "squeeze_excite": {
        "": SPATIAL,
        "0.5": ((20, 9, 8),),
        "{channels: 5, activation: silu}": SPATIAL,
        "{ratio: 0.25, divisor: 8, gate: hardsigmoid}": ((72, 5, 4),),
    },
    "cbam": {"2": IMAGE, "{reduction: 4, kernel_size: 3, bias: true}": ((16, 5, 4),), "": ((3, 5, 4),)},
}
