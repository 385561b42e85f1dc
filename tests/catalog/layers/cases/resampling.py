"""What the layers of `resampling.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import IMAGE, SPATIAL, Cases

CASES: Cases = {
    "upsample": {
        "2": SPATIAL,
        "1.3": SPATIAL,
        "0.5": SPATIAL,
        "{scale_factor: [2, 1.5]}": IMAGE,
        "{size: 11, mode: nearest-exact}": SPATIAL,
        "{scale_factor: 2, mode: linear}": SPATIAL,
        "{size: 13, mode: linear, align_corners: true}": SPATIAL,
        "{scale_factor: 3, mode: bilinear}": IMAGE,
        "{size: [5, 20], mode: bicubic}": IMAGE,
        "{scale_factor: [1, 2, 3], mode: trilinear}": ((3, 4, 5, 6),),
    },
    "pixel_shuffle": {"2": ((8, 5, 4),), "1": ((3, 5, 4),)},
    "pixel_unshuffle": {"2": ((3, 6, 4),), "1": ((3, 5, 4),)},
}
