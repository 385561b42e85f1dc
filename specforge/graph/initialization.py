"""Which initializer fills which parameter: an item's own `init` over the last matching rule of `model.init`."""

from specforge.catalog.definition import Initializer, Item, Parameter
from specforge.catalog.discovery import word_for
from specforge.diagnostics import Findings, Span, define, nearest
from specforge.shapes import Shape
from specforge.spec import InitRule, Selector

INIT = define(
    "SF402",
    "bad-init",
    """
An `init` names a parameter that the layer does not have, or a rule of `model.init` matches nothing. A convolution has
`weight` and `bias`; so have linear layers and batch norm.""",
)


class Initialization:
    """Chooses initializers layer by layer and remembers which rules were of use; `spans` locate the rules."""

    def __init__(self, rules: tuple[InitRule, ...], spans: tuple[Span, ...], findings: Findings):
        self.rules, self.spans, self.findings = rules, spans, findings
        self.matched: set[int] = set()
        self.kinds: set[str] = set()

    def of(self, item: Item, path: str, parameters: tuple[Parameter, ...]) -> dict[str, Initializer]:
        """By parameter, in state_dict order."""
        if not self.rules and not item.initializers:
            return {}
        shapes = {p.name: p.shape for p in parameters if p.role == "parameter"}
        if shapes:
            self.kinds.add(item.kind)
        for name in item.initializers.keys() - shapes.keys():
            self._report_unknown(item, name, shapes)
        chosen: dict[str, Initializer] = {}
        for name, shape in shapes.items():
            initializer, span = self._choose(item, path, name)
            if initializer is not None:
                self._check_axes(item, name, shape, initializer, span)
                chosen[name] = initializer
        return chosen

    def report_unmatched(self) -> None:
        """The rules that no parameter of the whole network matched."""
        for number, rule in enumerate(self.rules):
            if number not in self.matched:
                message = f"this rule of `init` matches no parameter: {_spelled(rule.select)}"
                hint = "check `kind` and `parameter`, or remove the rule"
                if self.kinds:
                    hint = f"layers with parameters here: {', '.join(f'`{kind}`' for kind in sorted(self.kinds))}"
                self.findings.add(INIT, self._span(number, _WHOLE), message, hint)

    def _span(self, number: int, default: Span) -> Span:
        return self.spans[number] if number < len(self.spans) else default

    def _report_unknown(self, item: Item, name: str, shapes: dict[str, Shape]) -> None:
        span = item.argument_spans.get(f"init.{name}", item.span)
        known, close = ", ".join(f"`{n}`" for n in shapes), nearest(name, shapes)
        hint = f"its parameters: {known}" if known else "give `init` to the layer that has it"
        hint = f"did you mean `{close}`?" if close else hint
        self.findings.add(INIT, span, f"`{item.kind}` has no parameter `{name}`", hint)

    def _choose(self, item: Item, path: str, name: str) -> tuple[Initializer | None, Span]:
        """What fills a parameter, and where that was written."""
        chosen, span = None, item.span
        for number, rule in enumerate(self.rules):
            if _selects(rule.select, path, item.kind, name):
                self.matched.add(number)
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


def _spelled(selector: Selector) -> str:
    return ", ".join(f"{key} {value}" for key, value in selector.model_dump(exclude_none=True).items())


def _selects(select: Selector, path: str, kind: str, parameter: str) -> bool:
    """Whether a rule is about a parameter of a layer."""
    paths = (select.path,) if isinstance(select.path, str) else select.path
    inside = paths is None or any(_lies_in(path, wanted) for wanted in paths)
    names = (parameter, parameter.rpartition(".")[2])  # `weight` is also that of a layer inside this one
    return inside and _matches(select.kind, kind) and any(_matches(select.parameter, name) for name in names)


def _lies_in(path: str, wanted: str) -> bool:
    """Whether a path is the wanted one or below it, with or without the numbers of iterations."""
    forms = (path, ".".join(step for step in path.split(".") if not step.isdigit()))
    return any(f"{form}.".startswith(f"{wanted}.") for form in forms)


def _matches(wanted: str | tuple[str, ...] | None, found: str) -> bool:
    return wanted is None or found == wanted or (isinstance(wanted, tuple) and found in wanted)
