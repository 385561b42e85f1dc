"""Which initializer fills which parameter: an item's own `init` over the last matching rule of `model.init`."""

from collections.abc import Mapping

from specforge.catalog.definition import Composite, Initializer, Item, Parameter
from specforge.catalog.discovery import definition, word_for
from specforge.diagnostics import Findings, Span, define, nearest
from specforge.graph.selection import lies_in, matching, spelled, words_of
from specforge.shapes import Shape
from specforge.spec import InitRule

INIT = define(
    "SF402",
    "bad-init",
    """
An `init` names a parameter that the layer does not have, or a rule of `model.init` matches nothing. A convolution has
`weight` and `bias`; so have linear layers and batch norm. A rule's `parameter: bias` is also that of a part inside a
layer, such as `fc1.bias`; `parameter: weight` only where it has two axes or more, so that no norm's scale is meant.""",
)

NO_INITIALIZERS: Mapping[str, Initializer] = {}


class Initialization:
    """Chooses initializers layer by layer and remembers which rules were of use; `spans` locate the rules."""

    def __init__(self, rules: tuple[InitRule, ...], spans: tuple[Span, ...], findings: Findings):
        self.rules, self.spans, self.findings = rules, spans, findings
        self.matched: set[tuple[int, str, str]] = set()  # rule, key and word
        self.seen: dict[str, set[str]] = {"path": set(), "kind": set(), "parameter": set()}

    def of(self, item: Item, path: str, parameters: tuple[Parameter, ...]) -> Mapping[str, Initializer]:
        """By parameter, in state_dict order."""
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
                self._check_axes(item, name, shape, initializer, span)
                chosen[name] = initializer
        return chosen

    def report_unmatched(self) -> None:
        """The rules that no parameter of the whole network matched, and words in them that mean nothing."""
        for number, rule in enumerate(self.rules):
            span = self._span(number, _WHOLE)
            idle = [
                (k, w)
                for k, words in words_of(rule.select).items()
                for w in words
                if (number, k, w) not in self.matched
            ]
            misspelt = [(key, word) for key, word in idle if self._is_misspelt(key, word)]
            for key, word in misspelt:
                close = nearest(word, self._known(key))
                hint = f"did you mean `{close}`?" if close else f"those with parameters here: {_list(self.seen[key])}"
                self.findings.add(INIT, span, f"`{key}: {word}` of this rule of `init` matches nothing", hint)
            if not misspelt and not any(matched[0] == number for matched in self.matched):
                message = f"this rule of `init` matches no parameter: {spelled(rule.select)}"
                hint = f"layers with parameters here: {_list(self.seen['kind'])}" if self.seen["kind"] else "remove it"
                self.findings.add(INIT, span, message, hint)

    def _is_misspelt(self, key: str, word: str) -> bool:
        """Whether a word that matched nothing can't be right, as a layer is that this network happens not to have."""
        if key == "kind":
            return definition("layers", word) is None
        if key == "parameter":
            return word not in self.seen[key] and nearest(word, self._known(key)) is not None
        return not any(lies_in(path, word) for path in self.seen[key])

    def _known(self, key: str) -> list[str]:
        if key == "path":
            steps = [path.split(".") for path in self.seen[key]]
            return [".".join(parts[:depth]) for parts in steps for depth in range(1, len(parts) + 1)]
        return [*self.seen[key], *(name.rpartition(".")[2] for name in self.seen[key])]

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
        for number, rule in enumerate(self.rules):
            words = matching(rule.select, path, item.kind, name, shape)
            if words is not None:
                self.matched |= {(number, key, word) for key, word in words}
                chosen, span = rule.initializer, self._span(number, item.span)
        if name in item.initializers:
            return item.initializers[name], item.argument_spans.get(f"init.{name}", item.span)
        return chosen, span

    def _check_axes(self, item: Item, name: str, shape: Shape, initializer: Initializer, span: Span) -> None:
        if len(shape) < initializer.fewest_axes:
            message = f"`{word_for(initializer)}` needs inputs and outputs to count: `{name}` of `{item.kind}` has none"
            if initializer.fewest_axes > 2:
                is_for = f"`{word_for(initializer)}` is for convolutions"
                message = f"{is_for}: `{name}` of `{item.kind}` has {len(shape)} axes"
            hint = "select the weights alone, as with `parameter: weight` and `kind: [conv, linear]`"
            self.findings.add(INIT, span, message, hint)


_WHOLE = Span("", 1, 1, 1, 1)


def _list(names: set[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)[:12])
