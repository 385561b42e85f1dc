"""What a settings file may say. All of it is optional."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from specforge.catalog.definition import Section
from specforge.diagnostics import Severity

_NO_SPEC = "`specforge.yaml` holds the settings of a project: give a spec another name"
Text = Annotated[str, Field(min_length=1)]


class Ignore(Section):
    """Warnings that are right in this project.

        ignore:
          - {code: SF509, path: specs/lab*.yaml, reason: the documents apply softmax}

    `code` is the code or the name of a warning. `path` is a pattern for the files in which it is ignored; without
    it, all. `reason` says why; it is shown in the place of the warning.
    """

    code: Text
    reason: Text
    path: Text | None = None

    @field_validator("reason")
    @classmethod
    def _says_something(cls, reason: str) -> str:
        if not reason.strip():
            raise ValueError("a reason in words")
        return reason


class Settings(Section):
    """How specforge treats the specs below a folder.

        paths: [specs]
        exclude: [specs/drafts]
        severities: {layer-without-effect: error}
        ignore: [{code: SF509, path: specs/lab*.yaml, reason: the documents apply softmax}]

    `paths` are the files, folders and globs that hold specs. `exclude` are patterns for files among them that do not
    count. `severities` take a warning, by its code or name, for an `error`. `ignore` accepts warnings with a reason.
    Paths and patterns start at the folder of the file.
    """

    advice: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("specforge", "name", "model", "blocks", "train"), _NO_SPEC),
        "path": "did you mean `paths`?",
    }

    paths: tuple[Text, ...] = ()
    exclude: tuple[Text, ...] = ()
    severities: dict[str, Severity] = Field(default_factory=dict)
    ignore: tuple[Ignore, ...] = ()
