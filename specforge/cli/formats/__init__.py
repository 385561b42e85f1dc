"""What `validate` found -> text for people, or what a program reads. One file for each format; none needs another."""

from collections.abc import Sequence
from enum import StrEnum

from specforge.cli.validation import Validated, identity, once, reached


class Format(StrEnum):
    text = "text"
    concise = "concise"
    json = "json"
    github = "github"
    sarif = "sarif"
    junit = "junit"


def show(validated: Sequence[Validated], format_: Format, *, strict: bool = False) -> None:
    """To stdout. A mistake that reaches several files is shown once; JUnit's test cases stand for themselves."""
    if format_ in (Format.text, Format.concise):
        _show_text(validated, format_)
    elif format_ is Format.json:
        from specforge.cli.findings import to_json

        print(to_json(found for file in once(validated) for found in file.open))
    elif format_ is Format.github:
        from specforge.cli.formats.github import show_github

        show_github(validated, strict=strict)
    elif format_ is Format.sarif:
        from specforge.cli.formats.sarif import to_sarif

        print(to_sarif(validated))
    else:
        from specforge.cli.formats.junit import to_junit

        print(to_junit(validated, strict=strict))


def _show_text(validated: Sequence[Validated], format_: Format) -> None:
    from specforge.cli import findings

    reaches = reached(validated)
    for file in once(validated):
        for found in file.open:
            if format_ is Format.text:
                findings.write_text(found, file.texts, reaches=reaches.get(identity(found), ()))
            else:
                print(findings.concise(found))
        if format_ is Format.text:
            findings.write_accepted(file.findings, file.name)
