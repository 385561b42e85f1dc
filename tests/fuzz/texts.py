"""Mutations of a text that know nothing of its meaning: bytes, characters, tokens and lines."""

import re
from random import Random

from tests.fuzz.corpus import texts
from tests.fuzz.hostile import EXPRESSIONS, NUMBERS, SNIPPETS, TEXTS, words

_TOKEN = re.compile(r"[A-Za-z_]\w*|[-+]?\d[\d.e+-]*|[^\w\s]|\s+")
MAX_TEXT = 200_000


def mutated_text(random: Random) -> bytes:
    """A text of the corpus with a few slips of one level."""
    data = random.choice(texts())
    mutate = random.choice((_bytes, _characters, _characters, _tokens, _tokens, _tokens, _lines, _lines))
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        data = mutate(random, data)[:MAX_TEXT]
    return data


def _bytes(random: Random, data: bytes) -> bytes:
    place, end = sorted((random.randrange(len(data) + 1), random.randrange(len(data) + 1)))
    end = min(end, place + random.choice((0, 1, 1, 2, 16)))
    noise = random.choice(
        (b"", b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", random.randbytes(3), data[place:end] * 2)
    )
    how = random.randrange(4)
    if how == 0:
        return data[:place]
    return data[:place] + noise + data[end if how == 1 else place :]


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _characters(random: Random, data: bytes) -> bytes:
    text = _decoded(data)
    place = random.randrange(len(text) + 1)
    end = place + random.choice((0, 0, 1, 2, 5, 12))
    return _encoded(text[:place] + random.choice(SNIPPETS) + text[end:])


def _tokens(random: Random, data: bytes) -> bytes:
    tokens = _TOKEN.findall(_decoded(data)) or ["x"]
    place, other = random.randrange(len(tokens)), random.randrange(len(tokens))
    how = random.randrange(6)
    if how == 0:
        del tokens[place]
    elif how == 1:
        tokens[place], tokens[other] = tokens[other], tokens[place]
    elif how == 2:
        tokens.insert(other, tokens[place])
    else:
        tokens[place] = _replacement(random, tokens[place])
    return _encoded("".join(tokens))


def _replacement(random: Random, token: str) -> str:
    """Something of the same kind, mostly."""
    if token.strip("+-")[:1].isdigit() and random.random() < 0.7:
        return str(random.choice(NUMBERS))
    if token.isidentifier() and random.random() < 0.7:
        return random.choice((random.choice(words()), token[:-1], token + "s", token.upper(), random.choice(TEXTS)))
    return random.choice((random.choice(SNIPPETS), random.choice(EXPRESSIONS), token * 3))


def _lines(random: Random, data: bytes) -> bytes:
    lines = _decoded(data).splitlines(keepends=True) or ["\n"]
    place, other = random.randrange(len(lines)), random.randrange(len(lines))
    how = random.randrange(8)
    if how == 0:
        del lines[place]
    elif how == 1:
        lines[place], lines[other] = lines[other], lines[place]
    elif how == 2:
        lines.insert(other, lines[place])
    elif how == 3:
        lines[place] = random.choice(("  ", " ", "    ", "\t")) + lines[place]
    elif how == 4:
        lines[place] = lines[place].removeprefix("  ")
    elif how == 5:
        lines[place : place + random.randrange(1, 8)] = []
    elif how == 6:
        block = lines[place : place + random.randrange(1, 5)]
        lines[place:place] = block * random.choice((2, 10, 100))
    else:
        foreign = _decoded(random.choice(texts())).splitlines(keepends=True) or ["\n"]
        start = random.randrange(len(foreign))
        lines[place:place] = foreign[start : start + random.randrange(1, 8)]
    return _encoded("".join(lines))
