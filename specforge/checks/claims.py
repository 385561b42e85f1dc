"""What a spec claims about itself: the counts in `expect:` and the paths in `assumed:`."""

from specforge.binding import choice_paths
from specforge.catalog.definition import Definition, Section
from specforge.catalog.discovery import word_for
from specforge.checks.subject import Subject
from specforge.diagnostics import define, did_you_mean
from specforge.expand.overrides import NAME as SETTING
from specforge.expand.overrides import steps_of
from specforge.expand.words import numbered
from specforge.graph import Graph
from specforge.shapes import spelled
from specforge.source import Mapping, Node, Scalar, Sequence
from specforge.spec import Expect, Spec

EXPECTATION = define(
    "SF501",
    "expectation-failed",
    """
`expect:` holds what the network must be: its counts, MACs and output shape, often from a paper's table. The computed
value differs. Either the layers are not those of the source, or the source counts otherwise: `trainable` are weights
and biases, `non_trainable` are running statistics and frozen weights, `total` is their sum (Keras's convention).""",
)
ASSUMED = define(
    "SF502",
    "unknown-assumption",
    """
`assumed:` lists the paths of values that the source does not state, so each must be a path of this spec, such as
`train.batch_size`, `params.dropout` or `blocks.conv_unit`. The word of a choice may be skipped, as in
`train.optimizer.lr`; entries of a list are counted from 0, as in `train.stages.0.epochs`.""",
)

_DEFINITIONS = ("params", "blocks")


def check_expect(subject: Subject) -> None:
    """Every expected count against the graph's."""
    if subject.spec.expect is None:
        return
    if subject.graph is None:
        hint = "add `model.layers`, or remove `expect`: it is not inherited"
        subject.findings.add(EXPECTATION, subject.span("expect"), "there are no layers to expect anything of", hint)
        return
    actual = _actual(subject.graph)
    is_varied = any(_is_set(subject.tree.get(section)) for section in ("params", "model"))
    for name in Expect.model_fields:
        wanted = getattr(subject.spec.expect, name)
        if wanted is None or wanted == actual[name]:
            continue
        shown, expected = (spelled(v) if isinstance(v, tuple) else f"{v:,}" for v in (actual[name], wanted))
        same = [other for other, value in actual.items() if value == wanted]
        hint = (
            f"{expected} is the number of `{same[0]}`"
            if same
            else f"write `{name}: {_yaml(actual[name])}` if the layers are right"
        )
        if is_varied:
            hint = "the claims are about the spec as written: `--set expect=` leaves them out"
        message = f"`{name}` is {shown}, expected {expected}" + _difference(actual[name], wanted)
        subject.findings.add(EXPECTATION, subject.span("expect", name), message, hint)


def _is_set(section: Node | None) -> bool:
    """Whether a setting of the command line changed a key of a section."""
    return isinstance(section, Mapping) and any(entry.key.file == SETTING for entry in section.entries.values())


def _difference(found: int | tuple[int, ...], wanted: int | tuple[int, ...]) -> str:
    if isinstance(found, tuple) or isinstance(wanted, tuple):
        return ""
    return f": {abs(found - wanted):,} too {'many' if found > wanted else 'few'}"


def _actual(graph: Graph) -> dict[str, int | tuple[int, ...]]:
    return {
        "trainable_parameters": graph.trainable_parameters,
        "non_trainable_parameters": graph.non_trainable_parameters,
        "total_parameters": graph.total_parameters,
        "macs": graph.macs,
        "output": graph.output,
    }


def _yaml(value: int | tuple[int, ...]) -> str:
    return spelled(value) if isinstance(value, tuple) else str(value)


def check_assumed(subject: Subject) -> None:
    """Every assumed path exists."""
    choices = frozenset(choice_paths(Spec))
    node = subject.tree.get("assumed")
    resolved = not any(key in subject.tree.entries for key in _DEFINITIONS)
    for number, path in enumerate(subject.spec.assumed):
        steps = steps_of(path)
        if resolved and steps[0] in _DEFINITIONS:
            continue  # a resolved spec keeps the claims of the one it was made from, but has no params and blocks
        if _is_a_field(subject.spec, steps):
            continue  # also where the value is a default that nobody wrote
        missing, siblings = _missing_step(subject.tree, steps, choices)
        if missing is not None:
            span = (
                node.items[number].span
                if node is not None and not isinstance(node, Scalar | Mapping)
                else subject.span("assumed")
            )
            hint = did_you_mean(missing, siblings) or "write a path that this spec has, as in `train.batch_size`"
            subject.findings.add(ASSUMED, span, f"`{path}` is not a path of this spec: no `{missing}`", hint)


def _is_a_field(spec: Spec, steps: tuple[str, ...]) -> bool:
    node: object = spec
    for step in steps:
        if isinstance(node, Definition) and step == word_for(node):
            continue
        if isinstance(node, tuple) and step.isdigit() and int(step) < len(node):
            node = node[int(step)]
            continue
        if not isinstance(node, Section) or step not in type(node).model_fields:
            return False
        node = getattr(node, step)
    return True


def _missing_step(
    tree: Node, steps: tuple[str, ...], choices: frozenset[tuple[str, ...]]
) -> tuple[str | None, list[str]]:
    """The first step that leads nowhere, with what is there instead."""
    node = tree
    for depth, step in enumerate(steps):
        if numbered(steps[:depth]) in choices and isinstance(node, Mapping) and step not in node.entries:
            node = next(iter(node.entries.values())).value
        below = node.get(step) if isinstance(node, Mapping) else None
        if isinstance(node, Sequence) and step.isdigit() and int(step) < len(node.items):
            below = node.items[int(step)]
        if below is None:
            return step, list(node.entries) if isinstance(node, Mapping) else []
        node = below
    return None, []
