"""Whether what the recipe selects exists, and can be trained as it says."""

from collections.abc import Sequence
from dataclasses import dataclass

from specforge.catalog.definition import Optimizer
from specforge.catalog.discovery import definition, word_for
from specforge.checks.recipe import stage_span
from specforge.checks.subject import Subject
from specforge.diagnostics import Span, define, nearest
from specforge.graph.plan import EVERYTHING, frozen_in, group_of, named
from specforge.graph.selection import Weight, lies_in, selects, spelled, weights_of, words_of
from specforge.recipe import Chosen, Selector, Stage
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
    """
A stage in which every parameter is frozen trains nothing, nor does a recipe for a network without parameters, or with
`trainable: false` in every layer that has some. Freeze less, or remove the stage.""",
)


def check_stages(subject: Subject) -> None:
    """Every selection of every stage."""
    train, graph = subject.spec.train, subject.graph
    if train is None or graph is None:
        return
    network = _Network(weights_of(graph), [(node.path, node.kind) for node in graph.leaves()])
    if not network.trained:
        hint = "remove a `trainable: false`" if network.still else "add a layer with weights"
        message = "the network has no parameter to train"
        subject.findings.add(NOTHING_TRAINS, subject.key_span("train"), message, hint)
        return
    frozen: frozenset[str] = frozenset()
    for number, stage in enumerate(train.all_stages):
        before = frozen
        _check_freezing(subject, number, stage, network, before)
        _check_groups(subject, number, stage, network)
        frozen = frozen_in(stage, network.trained, before)
        trained = [weight for weight in network.moved if weight.name not in frozen]
        if not trained and stage.freeze is not None:
            message = "every parameter is frozen in this stage"
            message += ", together with what was frozen before" if before else ""
            hint = "`unfreeze` something, or freeze less" if before else "freeze less"
            subject.findings.add(NOTHING_TRAINS, stage_span(subject, number, "freeze"), message, hint)
        _check_optimizers(subject, number, stage, trained)


class _Network:
    """What a selector can mean: what is `trained`, of which optimizers move the parameters, and all layers."""

    def __init__(self, weights: Sequence[Weight], layers: Sequence[tuple[str, str]]):
        self.trained = [weight for weight in weights if weight.trainable]
        self.moved = [weight for weight in self.trained if not weight.is_statistic]
        self.still = [weight for weight in weights if not weight.trainable]
        self.layers = layers

    def has_layer(self, key: str, word: str) -> bool:
        """Whether a path or a kind is that of a layer, with parameters or not."""
        if key == "path":
            return any(lies_in(path, word) for path, _ in self.layers)
        return key == "kind" and any(kind == word for _, kind in self.layers)

    def known(self, key: str) -> set[str]:
        """What a word of this key could be."""
        if key == "path":
            steps = [weight.path.split(".") for weight in self.trained]
            return {".".join(parts[:depth]) for parts in steps for depth in range(1, len(parts) + 1)}
        return {weight.kind if key == "kind" else weight.parameter for weight in self.trained}


@dataclass(frozen=True)
class _Use:
    """A selector where it is used: at which path of which stage, among which parameters.

    One that `is_bare` was written as a text or a list of them: `freeze: [stem, head]`.
    """

    number: int
    path: tuple[str | int, ...]
    select: Selector
    candidates: list[Weight]
    is_bare: bool = False

    def place(self, subject: Subject, key: str, index: int) -> Span:
        """Where a word of the selector stands: alone, or in a list."""
        inside = (index,) if self.is_bare else (key, index)
        return stage_span(subject, self.number, *self.path, *inside)


def _check_freezing(subject: Subject, number: int, stage: Stage, network: _Network, frozen: frozenset[str]) -> None:
    now = frozen | named(stage.freeze, network.trained)
    among = {"freeze": network.trained, "unfreeze": [w for w in network.trained if w.name in now]}
    chosen: Chosen
    for key, candidates in among.items():
        chosen = getattr(stage, key)
        if chosen == EVERYTHING and not candidates:
            span = stage_span(subject, number, key)
            subject.findings.add(SELECTION, span, f"`{key}: all` finds nothing that is frozen", "remove it")
        elif chosen is not None and chosen != EVERYTHING:
            select = chosen if isinstance(chosen, Selector) else Selector(path=chosen)
            is_bare = not isinstance(chosen, Selector)
            _report_idle(subject, _Use(number, (key,), select, candidates, is_bare), network)


def _check_groups(subject: Subject, number: int, stage: Stage, network: _Network) -> None:
    for place, group in enumerate(stage.groups):
        use = _Use(number, ("groups", place, "select"), group.select, network.moved)
        if _report_idle(subject, use, network):
            continue
        if not any(group_of(stage, weight) == place for weight in network.moved):
            message = (
                f"this group ({spelled(group.select) or 'all'}) gets no parameter: those above it take all of them"
            )
            span = stage_span(subject, number, *use.path)
            subject.findings.add(SELECTION, span, message, "put the narrower group first")


def _report_idle(subject: Subject, use: _Use, network: _Network) -> bool:
    """Whether a selector, or a word in it, matches nothing, which is told."""
    found = False
    for key, words in words_of(use.select).items():
        for index, word in enumerate(words):
            if not any(selects(Selector(**{key: word}), weight) for weight in use.candidates):
                message, hint = _idle_word(key, word, network)
                subject.findings.add(SELECTION, use.place(subject, key, index), message, hint)
                found = True
    if not found and not any(selects(use.select, weight) for weight in use.candidates):
        message = f"no parameter matches all of {spelled(use.select)}"
        subject.findings.add(SELECTION, stage_span(subject, use.number, *use.path), message, "leave one of them out")
        found = True
    return found


def _idle_word(key: str, word: str, network: _Network) -> tuple[str, str | None]:
    select = Selector(**{key: word})
    if any(selects(select, weight) for weight in network.trained):
        return f"`{word}` is not frozen here", "remove it"
    if any(selects(select, weight) for weight in network.still):
        return f"`{word}` is never trained: it has `trainable: false`", f"remove that, or `{word}` here"
    if network.has_layer(key, word):
        return f"`{word}` has no parameters", _known_words(key, network)
    close = nearest(word, sorted(network.known(key)))
    is_layer = key == "kind" and definition("layers", word) is not None
    hint = f"did you mean `{close}`?" if close and not is_layer else _known_words(key, network)
    if key == "parameter":
        return f"no parameter is called `{word}`", hint
    return f"the network has no {'layer ' if key == 'path' else ''}`{word}`", hint


def _known_words(key: str, network: _Network) -> str:
    outer = sorted((name for name in network.known(key) if "." not in name), key=lambda name: (len(name), name))
    what = "names of parameters" if key == "parameter" else "with parameters"
    return f"{what}: " + ", ".join(f"`{name}`" for name in outer[:12])


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
        path = ("optimizer",) if own is None or place is None else ("groups", place, "optimizer")
        message = f"`{word}` can't train `{weight.name}` of shape {shape_text(weight.shape)}: it needs a matrix"
        kinds = ", ".join(sorted({w.kind for w in trained if len(w.shape) >= optimizer.fewest_axes}))
        select = f"`select: {{kind: [{kinds}], parameter: weight}}`"
        if own is None:
            hint = f"write it in a group with {select}, and another optimizer here for the rest"
        else:
            hint = f"let the group take only {select}"
        subject.findings.add(UNTRAINABLE, stage_span(subject, number, *path), message, hint)
