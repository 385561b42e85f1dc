"""Patterns for paths, as people know them from .gitignore.

specs/drafts          that file, or everything below that folder
specs/*.yaml          the files of one folder: `*`, `?` and `[ab]` stop at `/`
specs/**/old_*.yaml   at any depth below
old_*.yaml            without a `/` before its end: at any depth

What `*` and `**` took is never given back (`(?>…)`): the first place where the rest fits is as good as any other one,
and a pattern of many stars is as fast as one of few.
"""

import re
from functools import lru_cache
from itertools import groupby

_PART = re.compile(r"\[(!?)([^\]]+)\]|\*+|(.)", re.DOTALL)
_ANY_DEPTH = "(?:[^/]+/)*?"


def matches(pattern: str, path: str) -> bool:
    """Whether a path, with `/` and relative to where patterns start, is meant by a pattern."""
    return _compiled(pattern).fullmatch(path) is not None


@lru_cache(maxsize=1_000)
def _compiled(pattern: str) -> re.Pattern[str]:
    whole = pattern.removeprefix("./").rstrip("/")
    segments = [segment for segment in whole.split("/") if segment]
    if "/" not in whole:
        segments = ["**", *segments]
    expression, deep = "", False
    for stars, run in groupby(segments, key="**".__eq__):
        if stars:
            deep = True
            continue
        fixed = "/".join(map(_of_segment, run))
        expression += f"(?>{_ANY_DEPTH}{fixed}(?=/|$))" if deep else f"{fixed}(?=/|$)"
        expression += "/"
        deep = False
    expression = f"{expression}.+" if deep else expression.removesuffix("/")
    return re.compile(f"{expression}(?:/.*)?", re.DOTALL)


def _of_segment(segment: str) -> str:
    """`a*b*c`: what stands between two stars is looked for once."""
    parts = [""]
    for match in _PART.finditer(segment):
        if match[0].startswith("*"):
            parts.append("")
        elif match[3] is not None:
            parts[-1] += "[^/]" if match[3] == "?" else re.escape(match[3])
        else:
            parts[-1] += _of_set(match[2], negated=bool(match[1]))
    first, *middle = parts
    if not middle:
        return first
    last = middle.pop()
    return f"{first}{''.join(f'(?>[^/]*?{part})' for part in middle)}[^/]*{last}"


def _of_set(letters: str, *, negated: bool) -> str:
    """`[a-f_]`; a range from back to front holds nothing."""
    parts = []
    for match in re.finditer("(.)-(.)|(.)", letters, re.DOTALL):
        if match[3] is not None:
            parts.append(re.escape(match[3]))
        elif match[1] <= match[2]:
            parts.append(f"{re.escape(match[1])}-{re.escape(match[2])}")
    if negated:
        return f"[^/{''.join(parts)}]"
    return f"(?!/)[{''.join(parts)}]" if parts else "(?!)"
