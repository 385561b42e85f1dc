"""What the layers of `framing.py` are tried with: word -> what may be written after it -> the inputs."""

from tests.catalog.layers.cases import ANY, IMAGE, SPATIAL, Cases

CASES: Cases = {
    "pad": {
        "2": SPATIAL,
        "{padding: 0, value: 1}": SPATIAL,
        "{padding: 3, mode: reflect}": SPATIAL,
        "{padding: 5, mode: circular}": SPATIAL,
        "{padding: 9, mode: replicate}": SPATIAL,
        "{padding: [[1, 2]], mode: reflect}": ((3, 9),),
        "{padding: [[0, 1], 2], value: -1.5}": IMAGE,
        "{padding: [1, [2, 3], [0, 4]], mode: replicate}": ((3, 4, 5, 6),),
    },
    "crop": {
        "5": SPATIAL,
        "{size: [4, 7]}": IMAGE,
        "{margin: 1}": SPATIAL,
        "{margin: [[0, 1], 2]}": IMAGE,
        "{margin: 0}": IMAGE,
    },
    "slice": {
        "": ANY,
        "{stop: 2}": ANY,
        "{dim: -1, start: 1, step: 2}": ANY,
        "{dim: 2, start: -3, stop: -1}": ((3, 8, 8),),
    },
    "select": {"": ((3, 5), (3, 8, 8), (2, 4, 5, 6)), "-1": ((3, 5), (3, 8, 8)), "{dim: -1, index: 2}": ((3, 8, 8),)},
}
