"""Whether what the recipe selects exists, and can be trained as it says."""

from collections.abc import Iterable

from specforge.catalog.definition import Optimizer
from specforge.catalog.discovery import definition, word_for
from specforge.checks.recipe import stage_span
from specforge.checks.subject import Subject
from specforge.diagnostics import Span, define, nearest
from specforge.graph.plan import EVERYTHING, frozen_in, group_of, named
from specforge.graph.selection import Weight, lies_in, selects, spelled, weights_of, words_of
from specforge.recipe import Selector, Stage
from specforge.shapes import spelled as shape_text

SELECTION = define(
    "SF525",
    "selects-nothing",
    """
A group, `freeze` or `unfreeze` that selects no parameter would silently do nothing. A path is that of a layer or of
what it lies in, as `specforge summary` shows it; without the numbers of iterations it means all of them. Parameters
with `trainable: false` are never trained, so they can't be selected. `unfreeze` selects among what is frozen.""",
)
UNTRAINABLE = define(
    "SF520",
    "optimizer-can-not-train",
    """
An optimizer is given parameters that it can't train: Muon makes the steps of a matrix orthogonal, so it trains weights
of convolutions and linear layers, not biases and norms. Give it those by a group, and the others to another optimizer:
`groups: [{select: {kind: [conv, linear], parameter: weight}, optimizer: {muon: {lr: 0.02}}}]`.""",
)
NOTHING_TRAINS = define(
    "SF526",
    "nothing-to-train",
    "A stage in which every parameter is frozen trains nothing. Freeze less, or remove the stage.",
)


def check_stages(subject: Subject) -> None:
    """Every selection of every stage."""
    train, graph = subject.spec.train, subject.graph
    if train is None or graph is None:
        return
    weights = [weight for weight in weights_of(graph) if weight.trainable]
    frozen: frozenset[str] = frozenset()
    for number, stage in enumerate(train.all_stages):
        _check_freezing(subject, number, stage, weights, frozen)
        _check_groups(subject, number, stage, weights)
        frozen = frozen_in(stage, weights, frozen)
        trained = [weight for weight in weights if weight.name not in frozen]
        if weights and not trained:
            span = stage_span(subject, number, "freeze")
            subject.findings.add(NOTHING_TRAINS, span, "every parameter is frozen in this stage", "freeze less")
        _check_optimizers(subject, number, stage, trained)


def _check_freezing(subject: Subject, number: int, stage: Stage, weights: list[Weight], frozen: frozenset[str]) -> None:
    now = frozen | named(stage.freeze, weights)
    among = {"freeze": weights, "unfreeze": [weight for weight in weights if weight.name in now]}
    for key, candidates in among.items():
        chosen: Selector | str | tuple[str, ...] | None = getattr(stage, key)
        span = stage_span(subject, number, key)
        if chosen is None:
            continue
        if chosen == EVERYTHING:
            if not candidates:
                subject.findings.add(SELECTION, span, f"`{key}: all` finds nothing that is frozen", "remove it")
            continue
        select = chosen if isinstance(chosen, Selector) else Selector(path=chosen)
        _report_idle(subject, span, f"`{key}`", select, candidates, weights)


def _check_groups(subject: Subject, number: int, stage: Stage, weights: list[Weight]) -> None:
    for place, group in enumerate(stage.groups):
        span = stage_span(subject, number, "groups")
        label = f"group {place + 1} of `groups`"
        if _report_idle(subject, span, label, group.select, weights, weights):
            continue
        if not any(group_of(stage, weight) == place for weight in weights):
            message = f"{label} ({spelled(group.select) or 'all'}) gets no parameter: those above it take all of them"
            subject.findings.add(SELECTION, span, message, "put the narrower group first")


def _report_idle(
    subject: Subject, span: Span, what: str, select: Selector, candidates: list[Weight], weights: list[Weight]
) -> bool:
    """Whether a selector, or a word in it, matches nothing, which is told."""
    found = False
    for key, words in words_of(select).items():
        for word in words:
            if not any(selects(Selector(**{key: word}), weight) for weight in candidates):
                message, hint = _idle_word(key, word, weights)
                subject.findings.add(SELECTION, span, f"{what}: {message}", hint)
                found = True
    if not found and not any(selects(select, weight) for weight in candidates):
        message = f"{what}: no parameter matches all of {spelled(select)}"
        subject.findings.add(SELECTION, span, message, "loosen one of them")
        found = True
    return found


def _idle_word(key: str, word: str, weights: list[Weight]) -> tuple[str, str | None]:
    known = {"path": _paths(weights), "kind": {w.kind for w in weights}, "parameter": {w.parameter for w in weights}}
    close = nearest(word, sorted(known[key]))
    exists = key == "path" and any(lies_in(weight.path, word) for weight in weights)
    if exists:
        return f"`{word}` is not frozen here", "remove it"
    if key == "kind" and definition("layers", word) is not None:
        return f"the network has no `{word}` with parameters to train", None
    return f"`{key}: {word}` matches no parameter to train", f"did you mean `{close}`?" if close else _listed(
        known[key]
    )


def _paths(weights: Iterable[Weight]) -> set[str]:
    steps = [weight.path.split(".") for weight in weights]
    return {".".join(parts[:depth]) for parts in steps for depth in range(1, len(parts) + 1)}


def _listed(names: set[str]) -> str:
    outer = sorted((name for name in names if "." not in name), key=lambda name: (len(name), name))
    return "there are " + ", ".join(f"`{name}`" for name in outer[:12])


def _check_optimizers(subject: Subject, number: int, stage: Stage, trained: list[Weight]) -> None:
    told: set[type[Optimizer]] = set()
    for weight in trained:
        place = group_of(stage, weight)
        own = None if place is None else stage.groups[place].optimizer
        optimizer = own or stage.optimizer
        if len(weight.shape) >= optimizer.fewest_axes or type(optimizer) in told:
            continue
        told.add(type(optimizer))
        word = word_for(optimizer)
        span = stage_span(subject, number, "optimizer" if own is None else "groups")
        message = f"`{word}` can't train `{weight.name}` of shape {shape_text(weight.shape)}: it needs a matrix"
        hint = f"select `{{kind: [conv, linear], parameter: weight}}` for `{word}` in `groups`"
        subject.findings.add(UNTRAINABLE, span, message, hint)
