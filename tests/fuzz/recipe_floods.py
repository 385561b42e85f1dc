"""Recipes, data and searches with very many of one thing, small to write and large to work out.

stages: [<{epochs: #}>]    ->    stages: [{epochs: 1}, {epochs: 2}, {epochs: 3}, …
"""

import re
from random import Random

SIZES = ((1_000, 2), (5_000, 2), (20_000, 1), (300, 300), (64, 3_000), (2, 9_000))
WHOLE = {
    "model": "input: [3], layers: [{repeat: {times: %d, layers: [{linear: 10}]}}]",
    "data": "dataset: {npz: x}, split: {train: 0.9, validation: 0.1}",
    "train": "batch_size: 8, optimizer: {sgd: {lr: 0.1, momentum: 0.9}}, loss: cross_entropy",
    "search": "metric: train_loss",
}
# what comes many times is between < and >, with # for its number
LISTS = {
    "train": """
        stages: [<{epochs: 1}>]
        stages: [<{epochs: #, freeze: repeat_1.#}>]
        stages: [<{epochs: 1, continue: true}>]
        stages: [<{epochs: 1, freeze: all}>]
        stages: [<{epochs: 9, optimizer: adam, schedule: {multi_step: [#]}}>]
        stages: [<{epochs: 1, freeze: {kind: linear}, nope: 1}>]
        stages: [<{epochs: 3, groups: [{select: {parameter: bias}, optimizer: {sgd: {momentum: 0}}}]}>]
        stages: [<{}>]
        stages: [<3>]
        stages: [{epochs: 3, freeze: [<x#>]}]
        epochs: 9, groups: [<{select: {path: repeat_1.#}, l2: 0.1}>]
        epochs: 9, groups: [<{select: {parameter: weight}}>]
        epochs: 9, groups: [<{select: {path: nope#}}>]
        epochs: 9, groups: [<{select: {path: repeat_1.#}, schedule: {warmup: {epochs: 2, schedule: cosine}}}>]
        epochs: 9, groups: [<{select: {}, optimizer: muon}>]
        epochs: 9, groups: [<{select: {path: [repeat_1.#, repeat_1.0]}, optimizer: {adam: #}}>]
        epochs: 9, schedule: {multi_step: [<#>]}
        epochs: 9, schedule: {multi_step: [<3>]}
        epochs: 9, schedule: {warmup: {schedule: {warmup: {schedule: [<#>]}}}}
        epochs: 9, loss: {cross_entropy: {class_weights: [<#>]}}
        epochs: 9, evaluate: {test_time_augmentation: {augment: [<{rotation: {degrees: #}}>]}}
        epochs: 9, evaluate: {test_time_augmentation: {augment: [<{cutout: {size: #}}>]}}
    """,
    "model": """
        init: [<{select: {path: repeat_1.#}, initializer: zeros}>]
        init: [<{select: {kind: linear}, initializer: zeros}>]
        init: [<{select: {path: nope#}, initializer: zeros}>]
        init: [<{select: {parameter: [weight, nope#]}, initializer: zeros}>]
    """,
    "data": """
        augment: [<horizontal_flip>]
        augment: [<{shift: {pixels: #}}>]
        augment: [<nope#>]
        mix: [<mixup>]
        mix: [<{cutmix: #}>]
        normalize: {mean: [<0.5>], std: [0.5]}
        split: {train: [<[0.#, 1]>]}
        split: {train: [[0, 1]], validation: [<[0, 0.#]>]}
    """,
    "search": """
        space: {<train.optimizer.lr#: {uniform: [0, 1]}>}
        space: {<params.p#: {choice: [1, 2]}>}
        space: {<nope#: {choice: [1, 2]}>}
        space: {<model.layers.#.x: {integers: [1, 2]}>}
        space: {<train.optimizer.x#.lr: {choice: [1, 2]}>}
        space: {train.batch_size: {choice: [<#>]}}
        space: {train.batch_size: {choice: [<3>]}}
        space: {train.optimizer: {choice: [<{adam: 1e-#}>]}}
        space: {data: {choice: [<{}>]}}
        space: {model.layers: {choice: [<[{linear: #}]>]}}
        space: {train.stages: {choice: [<[{epochs: #}]>]}}
        space: {train.groups: {choice: [<[{select: {kind: linear}}]>]}}
    """,
}


def recipe_flood(random: Random) -> str:
    """A spec with some layers, and one of these."""
    count, layers = random.choice(SIZES)
    section = random.choice(list(LISTS))
    before, entry, after = re.split("[<>]", random.choice(LISTS[section].strip().splitlines()).strip())
    entries = ", ".join(entry.replace("#", str(number)) for number in range(1, count + 1))
    epochs = "" if section == "train" else ", epochs: 9"
    said = {**WHOLE, "train": WHOLE["train"] + epochs} | {section: f"{WHOLE[section]}, {before}{entries}{after}"}
    lines = [f"{key}: {{{text}}}" for key, text in said.items() if key != "search" or section == "search"]
    return "\n".join(["specforge: 1", "name: recipe", *lines, ""]).replace("%d", str(layers))
