"""Seed and number -> the same input every time: a spec, and the files beside it that it may extend or include."""

from dataclasses import dataclass
from random import Random

from tests.fuzz.corpus import texts
from tests.fuzz.floods import flood
from tests.fuzz.grammar import generated
from tests.fuzz.texts import mutated_text
from tests.fuzz.trees import mutated_tree, text_of

MAIN, BESIDE = "spec.yaml", "parent.yaml"


@dataclass(frozen=True, slots=True)
class Case:
    """One input. `beside` is a file that the spec may name; `kind` is how the spec was made."""

    kind: str
    spec: bytes
    beside: bytes


def make_case(seed: int, number: int) -> Case:
    """The case of this number."""
    random = Random(f"{seed}:{number}")
    kind = random.choices(("text", "tree", "grammar", "grammar+tree", "flood"), weights=(30, 38, 18, 12, 2))[0]
    if kind == "text":
        spec = mutated_text(random)
    elif kind == "flood":
        spec = flood(random)
    else:
        tree = generated(random) if "grammar" in kind else None
        if kind != "grammar":
            tree = mutated_tree(random, tree)
        spec = text_of(random, tree)
    return Case(kind, spec, _beside(random))


def _beside(random: Random) -> bytes:
    return mutated_text(random) if random.random() < 0.1 else random.choice(texts())
