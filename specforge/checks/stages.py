"""Whether what the recipe selects exists, and can be trained as it says."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from specforge.catalog.definition import Optimizer
from specforge.catalog.discovery import definition, word_for
from specforge.checks.recipe import stage_span
from specforge.checks.subject import Subject
from specforge.diagnostics import Span, define, nearest
from specforge.graph.plan import EVERYTHING, frozen_in, named
from specforge.graph.selection import Index, Weight, addresses, spelled, weights_of, words_of
from specforge.recipe import Chosen, Selector, Stage
from specforge.shapes import spelled as shape_text

MOST_COMPARED = 20_000  # names that misspelt ones are compared with, of all layers together

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
    if not network.trained.weights:
        hint = "remove a `trainable: false`" if network.still.weights else "add a layer with weights"
        message = "the network has no parameter to train"
        subject.findings.add(NOTHING_TRAINS, subject.key_span("train"), message, hint)
        return
    frozen: frozenset[str] = frozenset()
    moved = [weight for weight in network.trained.weights if not weight.is_statistic]
    for number, stage in enumerate(train.all_stages):
        before = frozen
        _check_freezing(subject, number, stage, network, before)
        _check_groups(subject, number, stage, network)
        frozen = frozen_in(stage, network.trained, before)
        trained = [weight for weight in moved if weight.name not in frozen]
        if not trained and stage.freeze is not None:
            message = "every parameter is frozen in this stage"
            message += ", together with what was frozen before" if before else ""
            hint = "`unfreeze` something, or freeze less" if before else "freeze less"
            subject.findings.add(NOTHING_TRAINS, stage_span(subject, number, "freeze"), message, hint)
        _check_optimizers(subject, number, stage, trained, network.moved.owners(stage.groups))


class _Network:
    """What a selector can mean: what is `trained`, of which optimizers move the parameters, and all layers."""

    def __init__(self, weights: Sequence[Weight], layers: Sequence[tuple[str, str]]):
        self.trained = Index(weight for weight in weights if weight.trainable)
        self.moved = Index(weight for weight in self.trained.weights if not weight.is_statistic)
        self.still = Index(weight for weight in weights if not weight.trainable)
        self._layers = layers
        self._compared = 0

    @cached_property
    def layers(self) -> dict[str, set[str]]:
        """The paths and kinds of all layers, with parameters or not."""
        paths = {address for path, _ in self._layers for address in addresses(path)}
        return {"path": paths, "kind": {kind for _, kind in self._layers}, "parameter": set()}

    @cached_property
    def known(self) -> dict[str, list[str]]:
        """What a word could be, by its key."""
        steps = [weight.path.split(".") for weight in self.trained.weights]
        paths = {".".join(parts[:depth]) for parts in steps for depth in range(1, len(parts) + 1)}
        others = {key: {getattr(weight, key) for weight in self.trained.weights} for key in ("kind", "parameter")}
        return {"path": sorted(paths), **{key: sorted(words) for key, words in others.items()}}

    @cached_property
    def known_words(self) -> dict[str, str]:
        """The hint for a word that is none of a key, by that key."""
        found = {}
        for key, names in self.known.items():
            outer = sorted((name for name in names if "." not in name), key=lambda name: (len(name), name))
            what = "names of parameters" if key == "parameter" else "with parameters"
            found[key] = f"{what}: " + ", ".join(f"`{name}`" for name in outer[:12])
        return found

    def nearest(self, key: str, word: str) -> str | None:
        """What was probably meant; looked for in large networks as long as it takes a moment."""
        self._compared += len(self.known[key])
        return nearest(word, self.known[key]) if self._compared <= MOST_COMPARED else None


@dataclass(frozen=True)
class _Use:
    """A selector where it is used: at which path of which stage, and `among` which parameters.

    One that `is_bare` was written as a text or a list of them: `freeze: [stem, head]`.
    """

    number: int
    path: tuple[str | int, ...]
    select: Selector
    among: AbstractSet[str]
    is_bare: bool = False

    def place(self, subject: Subject, key: str, index: int) -> Span:
        """Where a word of the selector stands: alone, or in a list."""
        inside = (index,) if self.is_bare else (key, index)
        return stage_span(subject, self.number, *self.path, *inside)


def _check_freezing(subject: Subject, number: int, stage: Stage, network: _Network, frozen: frozenset[str]) -> None:
    now = frozen | named(stage.freeze, network.trained)
    chosen: Chosen
    for key, among in (("freeze", network.trained.all), ("unfreeze", now)):
        chosen = getattr(stage, key)
        if chosen == EVERYTHING and not among:
            span = stage_span(subject, number, key)
            subject.findings.add(SELECTION, span, f"`{key}: all` finds nothing that is frozen", "remove it")
        elif chosen is not None and chosen != EVERYTHING:
            select = chosen if isinstance(chosen, Selector) else Selector(path=chosen)
            is_bare = not isinstance(chosen, Selector)
            _report_idle(subject, _Use(number, (key,), select, among, is_bare), network)


def _check_groups(subject: Subject, number: int, stage: Stage, network: _Network) -> None:
    owning = set(network.moved.owners(stage.groups).values())
    for place, group in enumerate(stage.groups):
        use = _Use(number, ("groups", place, "select"), group.select, network.moved.all)
        if _report_idle(subject, use, network):
            continue
        if place not in owning:
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
            if network.trained.with_word(key, word).isdisjoint(use.among):
                message, hint = _idle_word(key, word, network)
                subject.findings.add(SELECTION, use.place(subject, key, index), message, hint)
                found = True
    if not found and network.trained.selected(use.select).isdisjoint(use.among):
        message = f"no parameter matches all of {spelled(use.select)}"
        subject.findings.add(SELECTION, stage_span(subject, use.number, *use.path), message, "leave one of them out")
        found = True
    return found


def _idle_word(key: str, word: str, network: _Network) -> tuple[str, str | None]:
    if network.trained.with_word(key, word):
        return f"`{word}` is not frozen here", "remove it"
    if network.still.with_word(key, word):
        return f"`{word}` is never trained: it has `trainable: false`", f"remove that, or `{word}` here"
    if word in network.layers[key]:
        return f"`{word}` has no parameters", network.known_words[key]
    close = network.nearest(key, word)
    is_layer = key == "kind" and definition("layers", word) is not None
    hint = f"did you mean `{close}`?" if close and not is_layer else network.known_words[key]
    if key == "parameter":
        return f"no parameter is called `{word}`", hint
    return f"the network has no {'layer ' if key == 'path' else ''}`{word}`", hint


def _check_optimizers(
    subject: Subject, number: int, stage: Stage, trained: list[Weight], owners: Mapping[str, int]
) -> None:
    told: set[type[Optimizer]] = set()
    for weight in trained:
        place = owners.get(weight.name)
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
