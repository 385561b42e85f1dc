"""Seed and number -> the same input every time: a spec, a file beside it that it may extend or include, settings."""

from dataclasses import dataclass
from random import Random
from typing import Any

from tests.fuzz.corpus import texts
from tests.fuzz.floods import flood
from tests.fuzz.grammar import experiment, generated
from tests.fuzz.settings import setting
from tests.fuzz.texts import mutated_text
from tests.fuzz.trees import mutated_tree, text_of

MAIN, BESIDE, SETTINGS = "spec.yaml", "parent.yaml", "settings.json"
# how specs are made, and how often
KINDS = {"text": 26, "tree": 32, "grammar": 12, "grammar+tree": 8, "experiment": 12, "experiment+tree": 8, "flood": 2}


@dataclass(frozen=True, slots=True)
class Case:
    """One input. `kind` is how the spec was made, `beside` a file that it may name; `settings` are those of `--set`."""

    kind: str
    spec: bytes
    beside: bytes
    settings: tuple[str, ...] = ()


def make_case(seed: int, number: int) -> Case:
    """The case of this number."""
    random = Random(f"{seed}:{number}")
    kind = random.choices(*zip(*KINDS.items(), strict=True))[0]
    tree: Any = None
    if kind == "text":
        spec = mutated_text(random)
    elif kind == "flood":
        spec = flood(random)
    else:
        source, _, change = kind.partition("+")
        tree = {"grammar": generated, "experiment": experiment}[source](random) if source != "tree" else None
        if change or tree is None:
            tree = mutated_tree(random, tree)
        spec = text_of(random, tree)
    settings = [setting(random, tree) for _ in range(random.choice((0,) * 8 + (1, 2)))]
    return Case(kind, spec, _beside(random), tuple(settings))


def _beside(random: Random) -> bytes:
    return mutated_text(random) if random.random() < 0.1 else random.choice(texts())
