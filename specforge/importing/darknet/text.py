"""The text of a Darknet network (`.cfg`) -> its sections, with the place of every setting.

    [convolutional]           Section("convolutional", settings={"filters": "32", "size": "3"})
    filters = 32       ->
    size = 3

A line that begins with `[` opens a section, one that begins with `#` or `;` is a comment, blanks count nowhere. Darknet
reads numbers with C's `atoi`, for which `abc` is 0 and `3px` is 3: here those are errors, with their place.
"""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, field

from specforge.diagnostics import Findings, Span, did_you_mean
from specforge.importing.rules import BAD_SETTING, NOT_THIS_FORMAT, UNREAD_SETTING

MAX_SECTIONS = 20_000  # as many layers as a spec may have
LARGEST = 1_000_000  # pixels, channels and neurons: what is larger is no network but a mistake
# what else Darknet calls a section
_ALIASES = {
    "conv": "convolutional",
    "conn": "connected",
    "max": "maxpool",
    "avg": "avgpool",
    "soft": "softmax",
    "network": "net",
    "lrn": "normalization",
    "local_avg": "local_avgpool",
    "silence": "empty",
}
_HEADER = re.compile(r"\[\s*([^\]\s]*)\s*\]")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}(\.0*)?")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?f?")


@dataclass(frozen=True, slots=True)
class Setting:
    """What stands behind a key, and where both stand."""

    text: str
    span: Span
    key_span: Span


@dataclass(slots=True)
class Section:
    """One `[kind]` with its settings. `index` counts the layers, as `route` does: -1 is `[net]`."""

    kind: str
    span: Span
    index: int
    findings: Findings
    settings: dict[str, Setting] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)

    def text(self, key: str, default: str = "") -> str:
        """A setting's text, whether or not it is a number."""
        self.read.add(key)
        return self.settings[key].text if key in self.settings else default

    def at(self, key: str) -> Span:
        """Where a setting's value stands; the section's own place without it."""
        return self.settings[key].span if key in self.settings else self.span

    def whole(self, key: str, default: int, *, low: int = 1, high: int = LARGEST) -> int:
        """A whole number between `low` and `high`; what is none is reported, and the default taken."""
        text = self.text(key)
        if key not in self.settings:
            return default
        if not _WHOLE.fullmatch(text):
            self._wrong(key, f"must be a whole number, found `{text}`")
            return default
        value = int(text.partition(".")[0])
        if not low <= value <= high:
            self._wrong(key, f"must be from {low} to {high}, found {value}")
            return default
        return value

    def wholes(self, key: str) -> list[tuple[int, Span]] | None:
        """A list of whole numbers with commas between, each with its place; None after an error."""
        text = self.text(key)
        if key not in self.settings or not text.strip(", "):
            self.findings.add(
                BAD_SETTING,
                self.at(key),
                f"[{self.kind}] needs `{key}`, the layers that it reads",
                f"write `{key} = -1`",
            )
            return None
        found: list[tuple[int, Span]] = []
        for match in re.finditer(r"[^,]+", text.rstrip(", \t")):
            entry, span = match[0].strip(), self._part(key, match)
            if not _WHOLE.fullmatch(entry):
                self.findings.add(BAD_SETTING, span, f"`{key}` must list whole numbers, found `{entry}`")
                return None
            found.append((int(entry.partition(".")[0]), span))
        return found

    def number(self, key: str, default: float, *, low: float = -math.inf, high: float = math.inf) -> float:
        """A finite number between `low` and `high`; what is none is reported, and the default taken."""
        text = self.text(key)
        if key not in self.settings:
            return default
        if not _NUMBER.fullmatch(text) or not math.isfinite(value := float(text.rstrip("f"))):
            self._wrong(key, f"must be a number, found `{text}`")
            return default
        if not low <= value <= high:
            self._wrong(key, f"must be from {low:g} to {high:g}, found {text}")
            return default
        return value

    def flag(self, key: str) -> bool:
        """Whether a switch is on: anything but 0 is."""
        return self.number(key, 0) != 0

    def ignore(self, keys: Collection[str]) -> None:
        """Take these as read: they say how Darknet trains or loads the layer, not what it computes."""
        self.read.update(keys)

    def report_unread(self, known: Collection[str] = ()) -> None:
        """Say which settings Darknet does not read here either."""
        for key, setting in self.settings.items():
            if key not in self.read:
                hint = did_you_mean(key, {*self.read, *known})
                self.findings.add(UNREAD_SETTING, setting.key_span, f"[{self.kind}] has no setting `{key}`", hint)

    def _wrong(self, key: str, why: str) -> None:
        self.findings.add(BAD_SETTING, self.at(key), f"`{key}` of [{self.kind}] {why}")

    def _part(self, key: str, match: re.Match[str]) -> Span:
        span = self.at(key)
        return span._replace(column=span.column + match.start(), end_column=span.column + match.end())


def sections(text: str, name: str, findings: Findings) -> list[Section]:
    """The file's sections in order; what is not one is reported, and nothing comes out of a file of another kind."""
    found: list[Section] = []
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        bare = line.strip()
        if not bare or bare[0] in "#;":
            continue
        if bare[0] == "[":
            if len(found) > MAX_SECTIONS:
                _not_darknet(findings, _span(name, number, line), f"there are more than {MAX_SECTIONS:,} sections")
                return []
            found.append(_opened(line, name, number, len(found) - 1, findings))
        elif not found:
            _not_darknet(findings, _span(name, number, line), "the first line of a Darknet file is `[net]`")
            return []
        else:
            _add_setting(found[-1], line, name, number)
    if not found:
        _not_darknet(findings, Span(name, 1, 1, 1, 1), "the file is empty")
    elif found[0].kind != "net":
        _not_darknet(findings, found[0].span, f"the first section must be [net], found [{found[0].kind}]")
        return []
    return found


def _opened(line: str, name: str, number: int, index: int, findings: Findings) -> Section:
    header = _HEADER.match(line.strip())
    span = _span(name, number, line)
    if header is None:
        findings.add(BAD_SETTING, span, "a section's name stands in brackets", "write `[convolutional]`")
        return Section("", span, index, findings)
    kind = _ALIASES.get(header[1], header[1])
    return Section(kind, span._replace(end_column=span.column + header.end()), index, findings)


def _add_setting(section: Section, line: str, name: str, number: int) -> None:
    """`key = value`; of a key that is written twice Darknet reads the first."""
    key, equals, value = line.partition("=")
    word = re.sub(r"\s", "", key)
    start = len(line) - len(line.lstrip()) + 1
    key_span = Span(name, number, start, number, start + len(key.strip()))
    if not equals or not word:
        section.findings.add(BAD_SETTING, key_span, "a setting is written `key = value`, a section `[name]`")
        return
    text = re.split("[#;]", value, maxsplit=1)[0]
    column = len(key) + 2 + len(text) - len(text.lstrip())
    setting = Setting(text.strip(), Span(name, number, column, number, column + max(1, len(text.strip()))), key_span)
    if word in section.settings:
        first = section.settings[word].span.line
        message = f"`{word}` stands on line {first} already, which is the one that Darknet reads"
        section.findings.add(UNREAD_SETTING, key_span, message, "remove one of them")
        return
    section.settings[word] = setting


def _span(name: str, number: int, line: str) -> Span:
    start = len(line) - len(line.lstrip()) + 1
    return Span(name, number, start, number, max(start + 1, len(line.rstrip()) + 1))


def _not_darknet(findings: Findings, span: Span, why: str) -> None:
    findings.add(NOT_THIS_FORMAT, span, f"this is no Darknet network: {why}", "Darknet's files begin with `[net]`")
