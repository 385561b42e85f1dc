"""The torch-free pipeline: a file -> parse -> expand -> bind -> lower -> check -> an `Analysis`.

Each phase reports all that it finds; the next one starts only when there was no error.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from specforge.binding import (
    WRONG_VALUE,
    Binder,
    ChoicePaths,
    check_arguments,
    check_names,
    signature,
)
from specforge.catalog.definition import Section
from specforge.checks import CHECKS, Subject
from specforge.checks.subject import Variations
from specforge.diagnostics import Findings, Rule, Span, SpecError, TooManyErrors
from specforge.expand import NOT_A_SPEC, Expanded, expand, expand_merged
from specforge.expand.files import Load, in_zoo, zoo_folder
from specforge.expand.unused import report_unused
from specforge.expand.words import Choices
from specforge.graph import Graph, lower
from specforge.recipe import Recipe
from specforge.source import (
    DISK,
    Entry,
    Files,
    Mapping,
    Node,
    Scalar,
    Sequence,
    decode,
    nearest_file,
    parse,
    read,
    report_too_many,
)
from specforge.spec import Model, Spec

STDIN = "-"

# the keys of `train` that its stages take over
_LAID_OVER = frozenset(Recipe.model_fields) - {"epochs"}
# what a spec says of itself as it is written, which other values may contradict, and the search that tries them
_SAID = ("assumed", "accept", "expect", "reported", "search")

# Of these a spec has one at least; what other programs read has none.
_TELLING = ("specforge", "model", "blocks", "extends", "train")
# Keys that expansion takes out, so that a misspelt one is told its name.
EXPANDED_KEYS: dict[type[Section], tuple[str, ...]] = {
    Spec: ("extends", "include", "params", "blocks", "edit"),
    Model: ("defaults",),
}


@dataclass(slots=True)
class Analysis:
    """All that is known of one file. `spec` and `graph` are None after errors; `texts` are the files read."""

    name: str
    findings: Findings = field(default_factory=Findings)
    texts: dict[str, str] = field(default_factory=dict)
    expanded: Expanded | None = None
    spec: Spec | None = None
    graph: Graph | None = None

    @property
    def is_partial(self) -> bool:
        """A base to be extended or a library of blocks: a file without layers."""
        model = None if self.expanded is None else self.expanded.tree.get("model")
        return not (isinstance(model, Mapping) and "layers" in model.entries)

    def require(self) -> tuple[Spec, Graph]:
        """The spec and its graph; raises `SpecError` with all errors when there are any."""
        if self.findings.has_errors or self.spec is None or self.graph is None:
            if not self.findings.has_errors:
                self.findings.add(
                    NOT_A_SPEC,
                    Span(self.name, 1, 1, 1, 1),
                    "there are no layers here: this file is a base",
                    "name a spec that extends it",
                )
            raise SpecError([found for found in self.findings if found.severity == "error"], self.texts)
        return self.spec, self.graph


@cache
def choices() -> Choices:
    """The paths of a spec that hold one word with arguments, each with what tells a word's main argument."""
    return ChoicePaths(Spec)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Pauses the search for cyclic garbage: trees and graphs hold none, and searching them took half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            _spare_what_is_alive()
            gc.enable()


def _spare_what_is_alive() -> None:
    """Count what is alive as old: the first search after a pause would go through all of it, a fifth of the time."""
    if gc.get_count()[0] > 50_000:
        nothing_was_frozen = gc.get_freeze_count() == 0
        gc.freeze()
        if nothing_was_frozen:
            gc.unfreeze()


@_without_collection()
def analyse(path: str | Path, settings: tuple[str, ...] = (), *, files: Files = DISK) -> Analysis:
    """Everything that can be known of a spec file without torch; `-` reads standard input."""
    analysis = Analysis(str(path) if files is DISK else files.shown(Path(path)))
    try:
        _analyse(path, settings, analysis, files)
    except TooManyErrors:
        report_too_many(analysis.name, analysis.findings)
    return analysis


def _analyse(path: str | Path, settings: tuple[str, ...], analysis: Analysis, files: Files) -> None:
    root = _parse_file(Path(path), analysis.name, analysis, files)
    if root is None or _is_something_else(root, analysis):
        return
    if settings:
        analysis.texts["--set"] = "\n".join(settings)

    load = _Others(analysis, files)
    file = Path.cwd() / "stdin" if str(path) == STDIN else Path(path)
    found = analysis.findings
    if found.has_errors:
        return
    analysis.expanded = expand(
        root,
        file=file,
        load=load,
        settings=settings,
        choices=choices(),
        signature=signature,
        recipe=_LAID_OVER,
        findings=found,
    )
    if analysis.expanded is None:
        return
    _bind(analysis, analysis.expanded, partial=analysis.is_partial)
    if not found.has_errors and analysis.spec is not None and analysis.spec.model is not None:
        _lower(analysis, analysis.spec, analysis.spec.model)
    if not found.has_errors and analysis.spec is not None:
        expanded = analysis.expanded
        report_unused(expanded.written, analysis.name, expanded.used_blocks, found)
        _check(analysis, analysis.spec, expanded, None if analysis.is_partial else _Variations(analysis, load))


def _is_something_else(root: Node, analysis: Analysis) -> bool:
    """Whether this is YAML for another program, which is then said once instead of for each of its keys."""
    if not isinstance(root, Mapping) or not root.entries.keys().isdisjoint(_TELLING):
        return False
    if root.entries.keys() <= {*Spec.model_fields, *EXPANDED_KEYS[Spec]}:  # a base may hold no more than data
        return False
    from difflib import get_close_matches

    if any(get_close_matches(key, _TELLING, cutoff=0.8) for key in root.entries):  # misspelt, as `modle`
        return False
    start = "start it with `specforge: 1`"
    hint = start if analysis.name == STDIN else f"exclude it in specforge.yaml, or {start}"
    message = "no `specforge: 1`: this does not look like a spec"
    analysis.findings.add(NOT_A_SPEC, Span(analysis.name, 1, 1, 1, 2), message, hint)
    return True


def _check(analysis: Analysis, spec: Spec, expanded: Expanded, variations: "_Variations | None" = None) -> None:
    # `assumed` may name a param or a block, which the expanded tree no longer has
    tree = Mapping(expanded.tree.span, {**expanded.tree.entries, **expanded.definitions})
    subject = Subject(spec, analysis.graph, tree, analysis.findings, variations)
    for check in CHECKS:
        check(subject)


@dataclass(frozen=True, slots=True)
class _Variations:
    """The spec of `base`, analysed anew with other values. `load` reads the files that a network names."""

    base: Analysis
    load: Load

    @property
    def root(self) -> Mapping:
        assert self.base.expanded is not None
        return self.base.expanded.root

    @property
    def choices(self) -> Choices:
        return choices()

    def analyse(self, root: Mapping, findings: Findings) -> Spec | None:
        """As a spec without the search, and without what is said about the spec as written."""
        analysis = Analysis(self.base.name, findings, self.base.texts)
        try:
            self._analyse(root.without(*_SAID), analysis)
        except TooManyErrors:
            report_too_many(analysis.name, findings)
        return analysis.spec

    def _analyse(self, root: Mapping, analysis: Analysis) -> None:
        found, is_same = analysis.findings, self._has_same_model(root)
        # the network is by far the most of a spec, and most values that are searched for are not in it
        tree = root.without("model", "blocks") if is_same else root
        expanded = expand_merged(
            tree, load=self.load, choices=choices(), signature=signature, recipe=_LAID_OVER, findings=found
        )
        if expanded is None:
            return
        _bind(analysis, expanded, partial=False)
        if found.has_errors or analysis.spec is None:
            return
        if is_same:
            expanded = self._with_same_model(analysis, expanded, analysis.spec)
        analysis.expanded = expanded
        if analysis.graph is None and analysis.spec.model is not None:
            _lower(analysis, analysis.spec, analysis.spec.model)
        if not found.has_errors:
            _check(analysis, analysis.spec, expanded)

    def _has_same_model(self, root: Mapping) -> bool:
        return all(root.get(key) is self.root.get(key) for key in ("params", "blocks", "model"))

    def _with_same_model(self, analysis: Analysis, expanded: Expanded, spec: Spec) -> Expanded:
        """The network of the base put into the analysis; its graph, too, where it is for the same images."""
        base = self.base.spec
        assert self.base.expanded is not None
        assert base is not None
        analysis.spec = spec.model_copy(update={"model": base.model})
        if (spec.data and spec.data.dataset) == (base.data and base.data.dataset):
            analysis.graph = self.base.graph
        return replace(expanded, tree=expanded.tree.with_entry("model", self.base.expanded.tree.entries["model"]))


def _parse_file(path: Path, name: str, analysis: Analysis, files: Files) -> Node | None:
    if name == STDIN:
        text = decode(sys.stdin.buffer.read(), STDIN, analysis.findings)
    else:
        text = read(path, analysis.findings, files=files, name=name)
    if text is None:
        return None
    analysis.texts[name] = text
    return parse(text, name, analysis.findings)


@dataclass(frozen=True, slots=True)
class _Others:
    """The files that a spec names."""

    analysis: Analysis
    files: Files

    def is_file(self, path: Path) -> bool:
        return self.files.is_file(path)

    def __call__(self, path: Path, reference: Scalar, rule: Rule) -> Node | None:
        name, findings = self.files.shown(path), self.analysis.findings
        if self.files.is_folder(path):
            findings.add(rule, reference.span, f"`{reference.text}` is a folder", "name a file in it")
            return None
        if not self.files.is_file(path):
            where = "" if name == reference.text else f": there is no file {name}"
            message = f"`{reference.text}` does not exist{where}"
            findings.add(rule, reference.span, message, self._advice(path, reference))
            return None
        return _parse_file(path, name, self.analysis, self.files)

    def _advice(self, path: Path, reference: Scalar) -> str:
        """What could be meant, else where paths start."""
        folder = zoo_folder() if in_zoo(reference.text) else path.parent
        own = reference.span.file
        names = [name for name in self.files.specs_in(folder) if self.files.shown(folder / name) != own]
        close = nearest_file(path.name, names)
        if close is not None:
            above, slash, _ = reference.text.rpartition("/")
            return f"did you mean `{above}{slash}{close}`?"
        return "standard input stands in the working folder" if own == STDIN else "paths are relative to this file"


def variations_of(analysis: Analysis) -> Variations:
    """What analyses a spec of the disk anew with other values; the analysis has its spec and its graph."""
    return _Variations(analysis, _Others(analysis, DISK))


def _bind(analysis: Analysis, expanded: Expanded, *, partial: bool) -> None:
    tree, defaults = _without_defaults(expanded.tree, analysis.findings)
    binder = Binder(
        analysis.findings, blocks=expanded.blocks, defaults=defaults, expanded=EXPANDED_KEYS, partial=partial
    )
    if "specforge" not in tree.entries and not partial:
        start = Span(tree.span.file, 1, 1, 1, 2)
        analysis.findings.add(NOT_A_SPEC, start, "the spec has no `specforge: 1`", "start the file with it")
        tree = tree.with_entry("specforge", Entry(start, Scalar(start, 1, "1")))
    for word, arguments in defaults.items():
        check_arguments(binder, word, arguments)
    for name in expanded.blocks.keys() - expanded.used_blocks:
        block = expanded.blocks[name]
        if block.layers is not None:
            check_names(binder, block.layers)
    analysis.spec = binder.section(tree, Spec, "the spec")


def _without_defaults(tree: Mapping, findings: Findings) -> tuple[Mapping, dict[str, Mapping]]:
    """`model.defaults` taken out of the tree: they become arguments of layers when those are bound."""
    model = tree.get("model")
    if not isinstance(model, Mapping) or "defaults" not in model.entries:
        return tree, {}
    node = model.entries["defaults"].value
    found: dict[str, Mapping] = {}
    if not isinstance(node, Mapping):
        hint = "write `defaults: {batch_norm: {eps: 1e-3}}`"
        findings.add(WRONG_VALUE, node.span, "`defaults` maps layers to their arguments", hint)
    for word, entry in node.entries.items() if isinstance(node, Mapping) else ():
        if isinstance(entry.value, Mapping):
            found[word] = Mapping(entry.key, entry.value.entries)
        else:
            message = f"the defaults of `{word}` are arguments with their names"
            findings.add(WRONG_VALUE, entry.value.span, message, f"write `{word}: {{…: …}}`")
    return tree.with_entry("model", Entry(tree.entries["model"].key, model.without("defaults"))), found


def _lower(analysis: Analysis, spec: Spec, model: Model) -> None:
    tree = analysis.expanded.tree.get("model") if analysis.expanded else None
    if model.layers is None:
        written = tree.get("layers") if isinstance(tree, Mapping) else None
        if written is not None:
            hint = "list them, each on a line that starts with `- `; a base for others leaves `layers` out"
            analysis.findings.add(WRONG_VALUE, written.span, "`layers` must be a list of layers, found nothing", hint)
        return
    spans: tuple[Span, ...] = ()
    rules = tree.get("init") if isinstance(tree, Mapping) else None
    if isinstance(rules, Sequence):
        spans = tuple(rule.span for rule in rules.items)
    written = tree.get("input") if isinstance(tree, Mapping) else None
    image = None if spec.data is None else spec.data.dataset.facts().image
    at = Span(analysis.name, 1, 1, 1, 1) if written is None else written.span
    analysis.graph = lower(model, analysis.findings, spans, image=image, at=at)


def load(path: str | Path, *, settings: tuple[str, ...] = ()) -> Spec:
    """The spec of a file, proven right; raises `SpecError` with every error otherwise."""
    return analyse(path, settings).require()[0]
