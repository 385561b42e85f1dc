"""What specforge says about a spec: rules, spans and the collector that every phase reports to.

In: a rule, the span of the text at fault and a sentence. Out: `Diagnostic` values, never exceptions: a phase
reports all that it finds, and the next phase starts only if there was no error.

    findings = Findings()
    findings.add(UNKNOWN_LAYER, span, "unknown layer `covn`", hint="did you mean `conv`?")
    findings.has_errors  # True
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]
MAX_MESSAGE = 500
# what moves a terminal's cursor, colours it or turns the direction of its text, and halves of characters
_UNSHOWN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
MAX_ERRORS = 1_000


@dataclass(frozen=True, slots=True)
class Use:
    """The place that brought a piece of text into the network: a block's name and where it was used."""

    name: str
    span: "Span"


class Span(NamedTuple):
    """A range of text, 1-based; the end column is exclusive. `used_by` leads out of a block to its user."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    used_by: Use | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of finding: its stable code, its name, and the text that `specforge explain CODE` shows."""

    code: str
    name: str
    explanation: str
    severity: Severity = "error"


RULES: dict[str, Rule] = {}


def define(code: str, name: str, explanation: str, *, severity: Severity = "error") -> Rule:
    """Register a rule; each phase and each check defines its own beside the code that reports it."""
    assert code not in RULES, f"{code} is defined twice"
    RULES[code] = Rule(code, name, explanation.strip(), severity)
    return RULES[code]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `uses` counts how often the same mistake was met, as inside a block used 30 times.

    `accepted` is the reason why it is right here; the spec gives it, or `accepted_by` says where the project's settings
    do. They may also take a warning for an error: `judged`.
    """

    rule: Rule
    span: Span
    message: str
    hint: str | None = None
    uses: int = 1
    accepted: str | None = None
    accepted_by: Span | None = None
    judged: Severity | None = None

    @property
    def code(self) -> str:
        return self.rule.code

    @property
    def severity(self) -> Severity:
        return self.judged or self.rule.severity

    def context(self) -> str:
        """` (used by block conv_unit at lab.yaml:30:7)`, or nothing outside blocks."""
        chain, use = [], self.span.used_by
        while use is not None:
            chain.append(f"block `{use.name}` at {use.span}")
            use = use.span.used_by
        if not chain:
            return ""
        times = f"; {self.uses} uses in all" if self.uses > 1 else ""
        return f" (used by {', inside '.join(chain)}{times})"


class TooManyErrors(Exception):
    """Ends an analysis: who has so many mistakes reads the first ones, and looking for the rest takes seconds."""


@dataclass(slots=True)
class Findings:
    """Collects diagnostics. The same rule, text position and message is one finding with a count."""

    _found: dict[tuple[object, ...], Diagnostic] = field(default_factory=dict)
    _errors: int = 0

    def add(self, rule: Rule, span: Span, message: str, hint: str | None = None) -> None:
        """Raises `TooManyErrors` after the error number `MAX_ERRORS`."""
        message, hint = one_line(message), None if hint is None else one_line(hint)
        key = (rule.code, span.file, span.line, span.column, message)
        known = self._found.get(key)
        if known is None:
            self._found[key] = Diagnostic(rule, span, message, hint)
            self._errors += rule.severity == "error"
            if self._errors == MAX_ERRORS and rule.severity == "error":
                raise TooManyErrors
        else:
            self._found[key] = replace(known, uses=known.uses + 1)

    def accept(self, reasons: dict[str, str]) -> set[str]:
        """Mark warnings whose code or name has a reason; return the codes and names that matched."""
        matched: set[str] = set()
        for key, diagnostic in self._found.items():
            for name in (diagnostic.rule.code, diagnostic.rule.name):
                if diagnostic.severity == "warning" and name in reasons:
                    matched.add(name)
                    self._found[key] = replace(diagnostic, accepted=reasons[name])
        return matched

    @property
    def has_errors(self) -> bool:
        return self._errors > 0

    def __iter__(self) -> Iterator[Diagnostic]:
        """In reading order: by file, line and column."""
        return iter(sorted(self._found.values(), key=lambda d: (d.span.file, d.span.line, d.span.column, d.code)))

    def __len__(self) -> int:
        return len(self._found)


class SpecError(Exception):
    """A spec that cannot be used, with every diagnostic that says why (the Python API raises it).

    `texts` are the files that the diagnostics point into, for showing the guilty lines.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic], texts: Mapping[str, str] | None = None):
        self.diagnostics, self.texts = tuple(diagnostics), texts or {}
        lines = [f"{d.span}: {d.severity}[{d.code}] {d.message}{d.context()}" for d in self.diagnostics]
        hints = [f"  hint: {d.hint}" if d.hint else "" for d in self.diagnostics]
        super().__init__("\n".join(f"{line}\n{hint}".rstrip() for line, hint in zip(lines, hints, strict=True)))


def one_line(text: str) -> str:
    """Text that can't break a terminal or a report: control characters written out, no more than a few lines long."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return shown if len(shown) <= MAX_MESSAGE else shown[: MAX_MESSAGE - 1] + "…"


def printable(text: str) -> str:
    """Text that can't drive a terminal or break an encoding: what is not shown is written out, lines stay lines."""
    return _UNSHOWN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that was probably meant, or None: `covn` -> `conv`, `torch.nn.Conv2d` -> `conv`."""
    return _nearest(word[:MAX_MESSAGE].lower(), tuple(candidates))


@lru_cache(maxsize=1_000)  # a mistake inside a repeat is met in every iteration
def _nearest(word: str, names: tuple[str, ...]) -> str | None:
    import difflib

    by_form = {folded(name): name for name in names}
    for whole in (folded(word), folded(word.rpartition(".")[2])):
        plain = whole.rstrip("123").removesuffix("d")
        for form in (whole, plain, plain.rstrip("123")):
            if form in by_form:
                return by_form[form]
    close = difflib.get_close_matches(word, names, n=5, cutoff=0.6)
    return min(close, key=lambda name: _edits(word, name.lower()), default=None)


def _edits(word: str, other: str) -> int:
    """How many letters to change, insert, remove or swap with their neighbour: 1 from `adma` to `adam`."""
    before: list[int] = []
    row: list[int] = [*range(len(other) + 1)]
    for i, letter in enumerate(word):
        above, before, row = before, row, [i + 1]
        for j, target in enumerate(other):
            cost = min(before[j] + (letter != target), before[j + 1] + 1, row[j] + 1)
            if i and j and letter == other[j - 1] and word[i - 1] == target:
                cost = min(cost, above[j - 1] + 1)
            row.append(cost)
    return row[-1]


def folded(word: str) -> str:
    """A word without what spellings differ in: `Batch_Norm -> batchnorm`."""
    return word.replace("_", "").replace("-", "").lower()


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """A hint for an unknown name: the nearest one, else all of them when they are few."""
    names = sorted(candidates)
    close = nearest(word, names)
    if close is not None:
        return f"did you mean `{close}`?"
    if names and len(names) <= 12:
        return "expected one of " + ", ".join(f"`{name}`" for name in names)
    return None
