"""Which initializer fills which parameter: an item's own `init` over the last matching rule of `model.init`."""

from collections.abc import Mapping
from functools import cached_property

from specforge.catalog.definition import Composite, Initializer, Item, Parameter, Value
from specforge.catalog.discovery import definition, word_for
from specforge.diagnostics import Findings, Span, define, nearest
from specforge.graph.selection import addresses, matching, spelled, words_of
from specforge.shapes import Misfit, Shape
from specforge.spec import InitRule

INIT = define(
    "SF402",
    "bad-init",
    """
An `init` names a parameter that the layer does not have, or a rule of `model.init` matches nothing. A convolution has
`weight` and `bias`; so have linear layers and batch norm. A rule's `parameter: bias` is also that of a part inside a
layer, such as `fc1.bias`; `parameter: weight` only where it has two axes or more, so that no norm's scale is meant.""",
)

UNSUITED = define(
    "SF541",
    "unsuited-init",
    """
An initializer can't fill this parameter. `whitening` is computed from patches of the training images, so it is for a
convolution that takes the network's input itself, without `groups` and `dilation`: anything further in sees values that
are not known before training. A patch of 3 channels and 2×2 pixels has 12 values and as many directions; the filters
are those 12, or 24 with their negatives.""",
)

MOST_COMPARED = 20_000  # paths that misspelt ones are compared with, of all layers together
NO_INITIALIZERS: Mapping[str, Initializer] = {}
NOTHING = Value(())
NETWORK_INPUT = 0  # the number of its value


_Words = tuple[tuple[str, tuple[str, ...]], ...]


class Initialization:
    """Chooses initializers layer by layer and remembers which rules were of use; `spans` locate the rules."""

    def __init__(self, rules: tuple[InitRule, ...], spans: tuple[Span, ...], findings: Findings):
        self.rules, self.spans, self.findings = rules, spans, findings
        # rules that select the same are asked as one: the last one's initializer counts, by the numbers of both
        self._numbers: dict[_Words, int] = {}
        self._last: dict[int, int] = {}
        for number, rule in enumerate(rules):
            first = self._numbers.setdefault(_words(rule), number)
            self._last[first] = number
        self.matched: set[tuple[int, str, str]] = set()  # the first of such rules, key and word
        self._compared = 0
        self.seen: dict[str, set[str]] = {"path": set(), "kind": set(), "parameter": set()}

    def of(
        self, item: Item, path: str, parameters: tuple[Parameter, ...], reads: Value = NOTHING
    ) -> Mapping[str, Initializer]:
        """By parameter, in state_dict order, of a layer that reads a value."""
        if not self.rules and not item.initializers:
            return NO_INITIALIZERS
        shapes = {p.name: p.shape for p in parameters if p.role == "parameter"}
        if shapes:
            self.seen["path"].add(path)
            self.seen["kind"].add(item.kind)
            self.seen["parameter"] |= shapes.keys()
        for name in item.initializers.keys() - shapes.keys():
            self._report_unknown(item, name, shapes)
        chosen: dict[str, Initializer] = {}
        for name, shape in shapes.items():
            initializer, span = self._choose(item, path, name, shape)
            if initializer is not None:
                if self._has_axes(item, name, shape, initializer, span):
                    self._check_suits(item, shape, initializer, reads, span)
                chosen[name] = initializer
        return chosen

    def report_unmatched(self) -> None:
        """The rules that no parameter of the whole network matched, and words in them that mean nothing."""
        useful = {number for number, _, _ in self.matched}
        for number, rule in enumerate(self.rules):
            span, first = self._span(number, _WHOLE), self._numbers[_words(rule)]
            given = [(key, word) for key, words in words_of(rule.select).items() for word in words]
            idle = [(key, word) for key, word in given if (first, key, word) not in self.matched]
            misspelt = [(key, word) for key, word in idle if self._is_misspelt(key, word)]
            for key, word in misspelt:
                close = self._nearest(key, word)
                hint = f"did you mean `{close}`?" if close else f"those with parameters here: {_list(self.seen[key])}"
                self.findings.add(INIT, span, f"`{key}: {word}` of this rule of `init` matches nothing", hint)
            if not misspelt and first not in useful:
                message = f"this rule of `init` matches no parameter: {spelled(rule.select)}"
                hint = f"layers with parameters here: {_list(self.seen['kind'])}" if self.seen["kind"] else "remove it"
                self.findings.add(INIT, span, message, hint)

    def _is_misspelt(self, key: str, word: str) -> bool:
        """Whether a word that matched nothing can't be right, as a layer is that this network happens not to have."""
        if key == "kind":
            return definition("layers", word) is None
        if key == "parameter":
            return word not in self.seen[key] and self._nearest(key, word) is not None
        return word not in self._known["path"]

    @cached_property
    def _known(self) -> dict[str, list[str]]:
        """What a word could be, by its key; for when all layers were seen."""
        paths = {address for path in self.seen["path"] for address in addresses(path)}
        names = self.seen["parameter"] | {name.rpartition(".")[2] for name in self.seen["parameter"]}
        return {"path": sorted(paths), "kind": sorted(self.seen["kind"]), "parameter": sorted(names)}

    def _nearest(self, key: str, word: str) -> str | None:
        """What was probably meant; looked for in large networks as long as it takes a moment."""
        self._compared += len(self._known[key]) if key == "path" else 0
        return nearest(word, self._known[key]) if self._compared <= MOST_COMPARED else None

    def _span(self, number: int, default: Span) -> Span:
        return self.spans[number] if number < len(self.spans) else default

    def _report_unknown(self, item: Item, name: str, shapes: dict[str, Shape]) -> None:
        span = item.argument_spans.get(f"init.{name}", item.span)
        known, close = ", ".join(f"`{n}`" for n in shapes), nearest(name, shapes)
        hint = f"its parameters: {known}" if known else "give `init` to the layer that has it"
        hint = f"did you mean `{close}`?" if close else hint
        if isinstance(item.layer, Composite):
            message = f"`{item.id}` is made of layers and has no parameters of its own, so no `{name}`"
            hint = (
                "give `init` to the layer inside, by a param of its block, or by a rule of `model.init` with its `path`"
            )
            self.findings.add(INIT, span, message, hint)
            return
        self.findings.add(INIT, span, f"`{item.kind}` has no parameter `{name}`", hint)

    def _choose(self, item: Item, path: str, name: str, shape: Shape) -> tuple[Initializer | None, Span]:
        """What fills a parameter, and where that was written."""
        chosen, span = None, item.span
        latest = -1
        for number, last in self._last.items():
            words = matching(self.rules[number].select, path, item.kind, name, shape)
            if words is not None:
                self.matched |= {(number, key, word) for key, word in words}
                latest = max(latest, last)
        if latest >= 0:
            chosen, span = self.rules[latest].initializer, self._span(latest, item.span)
        if name in item.initializers:
            return item.initializers[name], item.argument_spans.get(f"init.{name}", item.span)
        return chosen, span

    def _has_axes(self, item: Item, name: str, shape: Shape, initializer: Initializer, span: Span) -> bool:
        if len(shape) >= initializer.fewest_axes:
            return True
        message = f"`{word_for(initializer)}` needs inputs and outputs to count: `{name}` of `{item.kind}` has none"
        if initializer.fewest_axes > 2:
            is_for = f"`{word_for(initializer)}` is for convolutions"
            message = f"{is_for}: `{name}` of `{item.kind}` has {len(shape)} axes"
        hint = "select the weights alone, as with `parameter: weight` and `kind: [conv, linear]`"
        self.findings.add(INIT, span, message, hint)
        return False

    def _check_suits(self, item: Item, shape: Shape, initializer: Initializer, reads: Value, span: Span) -> None:
        if initializer.sample and reads.number != NETWORK_INPUT:
            message = f"`{word_for(initializer)}` is computed from the images, which `{item.id}` does not take"
            hint = "use it for a layer that takes the network's input"
            self.findings.add(UNSUITED, span, message, hint)
            return
        try:
            initializer.check(item.layer, reads.shape, shape)
        except Misfit as misfit:
            self.findings.add(UNSUITED, span, misfit.message, misfit.hint)


def _words(rule: InitRule) -> _Words:
    return tuple(words_of(rule.select).items())


_WHOLE = Span("", 1, 1, 1, 1)


def _list(names: set[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)[:12])
