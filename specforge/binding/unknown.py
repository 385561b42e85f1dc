"""What to do about a key or a word that does not exist: which one was meant, or where it stands.

train: {weight_decay: 5e-4}    ->    `weight_decay` belongs to the optimizer
optimizer: {lr: 1e-4}          ->    `lr` is an argument
"""

import re
from collections.abc import Iterable
from collections.abc import Mapping as Names

from specforge.binding.annotations import held
from specforge.binding.wording import entry_of, family_of, singular
from specforge.catalog.definition import Definition, Layer, Optimizer, Schedule, Section
from specforge.catalog.discovery import FAMILIES, definition, index
from specforge.diagnostics import did_you_mean, folded, nearest
from specforge.source import Entry, Mapping, Scalar

# What other frameworks call an argument, folded; used where the argument exists.
_OTHER_NAMES = {
    "scaleactivation": "gate",
    "stochasticdepth": "drop_path",
    "stochasticdepthprob": "drop_path",
    "attentiondropout": "dropout",
    "end": "stop",
    "filters": "out_channels",
    "units": "out_features",
    "poolsize": "kernel_size",
    "strides": "stride",
    "usebias": "bias",
    "dilationrate": "dilation",
    "rate": "p",
    "prob": "p",
    "epsilon": "eps",
    "learningrate": "lr",
    "beta1": "betas",
    "beta2": "betas",
    "rho": "alpha",
    "decay": "weight_decay",
    "fillmode": "fill",
    "paddingmode": "fill",
    "fillvalue": "value",
    "cval": "value",
    "angle": "degrees",
    "shear": "shear_degrees",
    "monitor": "metric",
    "clipnorm": "norm",
    "clipvalue": "value",
}
_CLIPPING = ("clipnorm", "clipvalue", "globalclipnorm", "maxgradnorm")
_OF_THE_RUN = ("totalsteps", "stepsperepoch", "decaysteps", "lastepoch")
_INFERRED = ("in_channels", "in_features", "num_features", "normalized_shape", "input_shape", "input_dim")


def all_keys(kind: type[Section], others: tuple[str, ...] = ()) -> str:
    names = ", ".join(f"`{name}`" for name in (*kind.model_fields, *others))
    return f"it has {names}" if names else "it takes no arguments"


def key_hint(
    key: str, kind: type[Section], others: tuple[str, ...] = (), given: Names[str, Entry] | None = None
) -> tuple[str, str | None]:
    """What to do about a key that a class does not have, and which key was meant, if that is known.

    `given` are the keys beside it.
    """
    fields = kind.model_fields
    if key in kind.advice:
        return kind.advice[key], None
    called = _OTHER_NAMES.get(folded(key))
    if called in fields:
        return f"specforge calls it `{called}`", called
    if issubclass(kind, Layer) and key in _INFERRED:
        return "it is inferred from what arrives: remove it", None
    if issubclass(kind, Layer) and key == "activation":
        return "an activation is a layer of its own: add one after it, such as `- relu`", None
    if issubclass(kind, Layer) and key == "inplace":
        return "remove it: it changes no result", None
    if issubclass(kind, Optimizer) and folded(key) in _CLIPPING:
        bound = "value" if "value" in key else "norm"
        return f"gradients are bounded by the recipe: write `gradient_clipping: {{{bound}: …}}` in `train`", None
    if issubclass(kind, Schedule) and folded(key) == "maxlr":
        return "the highest rate is the optimizer's `lr`: remove it", None
    if issubclass(kind, Schedule) and folded(key) in _OF_THE_RUN:
        return "it follows from the recipe's `epochs` and the images: remove it", None
    if issubclass(kind, Definition) and key in index(kind.family):
        return f"`{key}` is not an argument but another {singular(kind.family)}: write it instead", None
    before, colon, after = key.partition(":")
    if colon and before in fields:
        return f"put a space after `:`, as in `{before}: {after}`", before
    section, close = _section_with(key, kind), nearest(key, (*fields, *others))
    if section is not None and folded(key) != folded(close or ""):
        return section, None
    if close is not None:
        return f"did you mean `{close}`?", close
    word = _word_with(key, kind, given or {})
    if word is not None:
        return word, None
    if len(fields) + len(others) == 1:
        return all_keys(kind, others), None
    return did_you_mean(key, (*fields, *others)) or all_keys(kind, others), None


def _section_with(key: str, kind: type[Section]) -> str | None:
    """Where a key stands that a section below this one has, or each entry of a list."""
    for name, field in kind.model_fields.items():
        for arm in held(field.annotation):
            if arm.by_name and "." in key:  # a path of what is varied
                return f"`{key}` belongs below `{name}`"
            if arm.kind == "section" and arm.type is not None and key in arm.type.model_fields:
                place = f"in {entry_of(f'`{name}`')}" if arm.levels else f"below `{name}`"
                return f"`{key}` belongs {place}"
    return None


def _word_with(key: str, kind: type[Section], given: Names[str, Entry]) -> str | None:
    """Where a key stands that is an argument of words which a field takes: the word that is `given`, or any."""
    for name, field in kind.model_fields.items():
        for family in (family_of(arm) for arm in held(field.annotation) if not (arm.levels or arm.by_name)):
            what, here = singular(family), _word_of(given.get(name))
            found = definition(family, here) if family and here in index(family) else None
            if found is not None and key in found.model_fields:
                return f"`{key}` belongs to the {what}: write `{name}: {{{here}: {{{key}: …}}}}`"
            if family and has_argument(family, key):
                written = f"`{name}: {{WORD: {{{key}: …}}}}`, with your {what} for WORD"
                return f"`{key}` belongs to the {what}: write {written}"
    return None


def _word_of(entry: Entry | None) -> str:
    """The word of a choice as it was written, "" without one."""
    node = None if entry is None else entry.value
    if isinstance(node, Mapping):
        return next(iter(node.entries), "")
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else ""


def has_argument(family: str, key: str) -> bool:
    """Whether any word of a family has an argument of this name."""
    words = (definition(family, word) for word in index(family))
    return any(key in word.model_fields for word in words if word is not None)


def word_hint(family: str, word: str, known: Iterable[str]) -> str:
    """What to write instead of a word that a family does not have."""
    names = list(known)
    last = folded(word.rpartition(".")[2])
    for name in index(family):
        if last in map(folded, _aliases(family, name)):
            return f"specforge calls it `{name}`"
    start = re.match(r"\w+", word)
    if start and start.group() in names:
        rest = word[start.end() :].lstrip(" (:=").rstrip(")")
        if word[start.end()] == ":":
            return f"put a space after `:`, as in `{start.group()}: {rest}`"
        return f"write `{start.group()}: …`, or `{start.group()}: {{…}}` for several arguments"
    for other in FAMILIES:
        if word in index(other):
            kind = "layer" if other == "layers" else singular(other)
            article = "an" if kind[0] in "aeiou" else "a"
            return f"`{word}` is {article} {kind}: `specforge explain {word}` shows where it stands"
    if family != "layers" and has_argument(family, word):
        what = singular(family)
        return f"`{word}` is an argument: write `{{WORD: {{{word}: …}}}}`, with your {what} for WORD"
    return did_you_mean(word, names) or f"`specforge list {family}` shows all of them"


def _aliases(family: str, word: str) -> tuple[str, ...]:
    entry = definition(family, word)
    return () if entry is None else entry.also_known_as
