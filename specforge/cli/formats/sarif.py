"""Findings -> SARIF 2.1.0, the format of code scanning (OASIS standard, 27 March 2020).

Every kind of finding that was met is a rule with its explanation. Columns count Unicode characters. What is accepted is
a suppressed result with its reason as the justification. A fingerprint stays the same when lines move.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from specforge import __version__
from specforge.cli.formats.places import Root, root
from specforge.cli.validation import Validated, in_reading_order
from specforge.diagnostics import Diagnostic, Rule, Span, Use

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
BASE = "%SRCROOT%"
FINGERPRINT = "specforge/v1"


def to_sarif(validated: Sequence[Validated]) -> str:
    """One run with all findings."""
    found = in_reading_order(validated)
    rules = {one.code: one.rule for one in found}
    codes = sorted(rules)
    run = {
        "tool": {"driver": {"name": "specforge", "version": __version__, "rules": [_rule(rules[c]) for c in codes]}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {BASE: {"description": {"text": "The root of the repository."}}},
        "results": list(_results(found, codes, _lines(validated), root())),
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(rule: Rule) -> dict[str, Any]:
    text = " ".join(rule.explanation.split())
    first = text.split(". ")[0].removesuffix(".") + "."
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": first},
        "fullDescription": {"text": text},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"level": rule.severity},
    }


def _lines(validated: Sequence[Validated]) -> dict[str, list[str]]:
    return {name: text.splitlines() for file in validated for name, text in file.texts.items()}


def _results(
    found: Sequence[Diagnostic], codes: list[str], lines: Mapping[str, list[str]], place: Root
) -> Iterator[dict[str, Any]]:
    same: Counter[str] = Counter()
    for one in found:
        identity = _identity(one, lines, place)
        same[identity] += 1
        hint = f"\nHint: {one.hint}" if one.hint else ""
        where = "" if _is_file(one.span) else f"{one.span}: "
        result = {
            "ruleId": one.code,
            "ruleIndex": codes.index(one.code),
            "level": one.severity,
            "message": {"text": f"{where}{one.message}{hint}"},
            "locations": [_location(one.span, place)] if _is_file(one.span) else [],
            "partialFingerprints": {FINGERPRINT: f"{identity}:{same[identity]}"},
        }
        uses = [_use(use, place) for use in _uses(one) if _is_file(use.span)]
        if uses:
            result["relatedLocations"] = uses
        if one.accepted:
            kind = "external" if one.accepted_by else "inSource"
            result["suppressions"] = [{"kind": kind, "justification": one.accepted.strip()}]
        yield result


def _identity(found: Diagnostic, lines: Mapping[str, list[str]], place: Root) -> str:
    """What stays when lines are added above: the file, the text of the line, and what is said about it."""
    written = lines.get(found.span.file, [])
    line = written[found.span.line - 1].strip() if 1 <= found.span.line <= len(written) else ""
    file = place.path(found.span.file) or found.span.file
    return sha256("\0".join((found.code, file, line, found.message)).encode(errors="replace")).hexdigest()[:32]


def _location(span: Span, place: Root) -> dict[str, Any]:
    path = place.path(span.file)
    artifact = {"uri": quote(path), "uriBaseId": BASE} if path is not None else {"uri": _uri(span.file)}
    region = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    return {"physicalLocation": {"artifactLocation": artifact, "region": region}}


def _uri(file: str) -> str:
    return Path(file).absolute().as_uri()


def _is_file(span: Span) -> bool:
    """Not standard input, nor `--set`."""
    return not span.file.startswith("-")


def _uses(found: Diagnostic) -> Iterator[Use]:
    use = found.span.used_by
    while use is not None:
        yield use
        use = use.span.used_by


def _use(use: Use, place: Root) -> dict[str, Any]:
    return {**_location(use.span, place), "message": {"text": f"used by block `{use.name}`"}}
