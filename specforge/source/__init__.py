"""YAML text -> a tree of nodes that know where they were written.

Read as YAML 1.2 core (`1e-3` is a number, `no` is a string, `010` is ten) from the parser's events, iteratively,
with every limit enforced on the way: `yaml.load` and `yaml.compose` recurse and know YAML 1.1 only.

    epochs: 40    ->    Mapping(entries={"epochs": Entry(key at 1:1, Scalar(40) at 1:9)})
"""

from specforge.source.building import (
    ALIAS,
    BAD_KEY,
    DUPLICATE_KEY,
    EMPTY,
    LIMIT,
    MANY_DOCUMENTS,
    MAX_ALIASES,
    MAX_DEPTH,
    MAX_NODES,
    TAG,
    parse,
    report_too_many,
)
from specforge.source.files import DISK, Files, Overlaid, nearest_file
from specforge.source.nodes import Entry, Mapping, Node, Scalar, Sequence, Value
from specforge.source.reading import MAX_BYTES, UNREADABLE, decode, read
from specforge.source.scalars import MAX_DIGITS, MAX_NUMBER, MIN_NUMBER, NoNumber, resolve_plain
from specforge.source.syntax import SYNTAX

__all__ = [
    "ALIAS",
    "BAD_KEY",
    "DISK",
    "DUPLICATE_KEY",
    "EMPTY",
    "LIMIT",
    "MANY_DOCUMENTS",
    "MAX_ALIASES",
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_DIGITS",
    "MAX_NODES",
    "MAX_NUMBER",
    "MIN_NUMBER",
    "SYNTAX",
    "TAG",
    "UNREADABLE",
    "Entry",
    "Files",
    "Mapping",
    "NoNumber",
    "Node",
    "Overlaid",
    "Scalar",
    "Sequence",
    "Value",
    "decode",
    "nearest_file",
    "parse",
    "read",
    "report_too_many",
    "resolve_plain",
]
