"""What the layers of `layer_normalization.py` are tried with: word -> what may be written after it -> the inputs."""

from specforge.shapes import Shape
from tests.catalog.layers.cases import SPATIAL, Cases

FEATURES: tuple[Shape, ...] = ((7,), (3, 5))

CASES: Cases = {
    "layer_norm": {
        "": FEATURES,
        "2": SPATIAL,
        "{axes: 3, eps: 1e-3}": ((3, 8, 8), (2, 4, 5, 6)),
        "{bias: false}": FEATURES,
        "{elementwise_affine: false}": FEATURES,
    },
    "rms_norm": {
        "": FEATURES,
        "{eps: null}": FEATURES,
        "2": SPATIAL,
        "{axes: 3, eps: 1e-3}": ((3, 8, 8), (2, 4, 5, 6)),
        "{elementwise_affine: false}": FEATURES,
    },
    "channel_layer_norm": {
        "": SPATIAL,
        "{eps: 1e-6, bias: false}": SPATIAL,
        "{elementwise_affine: false}": SPATIAL,
    },
}
