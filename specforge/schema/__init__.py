"""The catalogue and the classes of a spec -> a JSON Schema, with which editors check and complete specs.

Nothing in it is written by hand beside what expansion reads (items, `repeat`, blocks, edits): a new layer is in the
schema because it is in the catalogue. Draft 7, the newest that yaml-language-server supports in every version.

The schema rejects nothing that `specforge validate` accepts, but for mistakes in blocks that nobody uses. The reverse
can't be had: it knows no shapes and no names.
"""

import json

from specforge.catalog.discovery import FAMILIES
from specforge.schema import requirements, sections
from specforge.schema.sharing import shared
from specforge.schema.values import Schema

__all__ = ["json_schema", "to_json"]


def json_schema() -> Schema:
    """The schema of a spec file."""
    definitions = {**sections.definitions(FAMILIES), **requirements.definitions(FAMILIES), "spec": sections.root()}
    found = shared(definitions)
    root = found.pop("spec")
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **root,
        "allOf": requirements.overlays(),
        "definitions": found,
    }


def to_json() -> str:
    """The schema as text; the same for the same catalogue."""
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"
