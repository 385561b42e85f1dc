"""`pretrained: resnet18` -> the zoo network's layers, and where its weights are published.

    - pretrained: resnet18    ->    - pretrained: {model: resnet18, published: {url: …}, layers: [{id: conv_1, …}, …]}

The zoo's spec is expanded as a spec of its own. The item `classifier` and what follows it are left out, unless `top` is
true.
"""

from collections.abc import Callable
from pathlib import Path

from specforge.diagnostics import Findings, Span, define, did_you_mean
from specforge.expand.files import zoo_folder
from specforge.expand.words import Signatures
from specforge.source import Entry, Mapping, Node, Scalar, Sequence

PRETRAINED = define(
    "SF217",
    "bad-pretrained",
    """
`pretrained:` names a network of the zoo that comes with specforge, such as `resnet18`. `specforge explain pretrained`
says what else it takes.""",
)

# Expands a zoo file as a spec of its own: its layers, and its `weights` if it has any.
ExpandZoo = Callable[[Path, Scalar], tuple[Node | None, Node | None]]


def with_layers(arguments: Node, at: Span, expand_zoo: ExpandZoo, findings: Findings) -> Node | None:
    """The arguments of one `pretrained`, with what the zoo knows added; None after a finding."""
    if not isinstance(arguments, Mapping) or "layers" in arguments.entries:
        return arguments
    model = arguments.get("model")
    if not isinstance(model, Scalar) or not isinstance(model.value, str):
        return arguments.with_entry("layers", Entry(at, Sequence(at, ())))  # told when the value is bound
    names = sorted(file.stem for file in zoo_folder().glob("*.yaml"))
    if model.value not in names:
        message = f"the zoo has no network `{model.value}`"
        findings.add(PRETRAINED, model.span, message, did_you_mean(model.value, names) or f"it has {', '.join(names)}")
        return None
    layers, weights = expand_zoo(zoo_folder() / f"{model.value}.yaml", model)
    if not isinstance(layers, Sequence):
        return None
    top = arguments.get("top")
    whole = isinstance(top, Scalar) and top.value is True
    kept = layers.items if whole else _before_classifier(layers)
    filled = arguments.with_entry("layers", Entry(at, Sequence(layers.span, kept)))
    return (
        filled
        if weights is None or "published" in arguments.entries
        else filled.with_entry("published", Entry(at, weights))
    )


def with_defaults(layers: Node, defaults: Node | None, signature: Signatures) -> Node:
    """Expanded layers with what the zoo's `model.defaults` say written out, since the spec's own are not for them."""
    if not isinstance(defaults, Mapping):
        return layers
    if isinstance(layers, Sequence):
        return Sequence(layers.span, tuple([with_defaults(item, defaults, signature) for item in layers.items]))
    if not isinstance(layers, Mapping):
        return layers
    entries = {}
    for word, entry in layers.entries.items():
        value = with_defaults(entry.value, defaults, signature)
        given, known = defaults.get(word), signature(word)
        if "id" in layers.entries and isinstance(given, Mapping) and known is not None:
            own = known.named(value)
            value = Mapping(value.span, {**given.entries, **(own.entries if own else {})})
        entries[word] = Entry(entry.key, value)
    return Mapping(layers.span, entries)


def _before_classifier(layers: Sequence) -> tuple[Node, ...]:
    ids = [item.get("id") for item in layers.items if isinstance(item, Mapping)]
    names = [name.value for name in ids if isinstance(name, Scalar)]
    return layers.items[: names.index("classifier")]
