"""A folder of specs and what they measured -> the page that a reader of the repository meets there, in Markdown.

python -m specforge.reproduction specs      writes specs/README.md, as `make docs` does
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

from specforge.diagnostics import printable
from specforge.reproduction.results import Results
from specforge.reproduction.survey import Known, Measured, Row, survey
from specforge.spec import Reported, Source

PAGE, RESULTS = "README.md", "results.json"
MAX_CLAIMS = 3
_UNITS = ((10**9, "G"), (10**6, "M"), (10**3, "k"))
_NOTICE = "<!-- Made by `make docs` from the specs and results.json: change those. -->"
_READING = """\
*Parameters* are trainable / all of them, where running statistics and frozen weights make a difference; *MACs* are for
one image. *Reported* is what the source says it reached. *Measured* is the test accuracy of finished runs of the spec
as it stands: the mean over seeds, ± their standard deviation. It comes from [results.json](results.json), which
`specforge reproduce` writes; *stale* means that the spec has changed since. *not run* means that nobody has run it."""
_AGAIN = """\
Each line runs a spec and records what it measured. `--data-dir DIR` says where the data sets are, `--download` fetches
them, `--seeds 3` runs it three times, `--list` shows what would be done."""
# not after an initial, as in `L. T. Anh`
_SENTENCE_END = re.compile(r"(?<=[.!?])(?<!\b[A-Z]\.)[\"”)]?\s+(?=[\"“(]?[A-Z0-9])")


def page(folder: Path) -> str:
    """The whole page; raises SpecError for a spec that is not right, ReproductionError for unreadable results."""
    rows, zoo = survey(folder, Results.read(folder / RESULTS))
    parts = ["# Specs", _NOTICE, _opening(rows), _READING, _table_of(rows)]
    for document, members in _by_document(rows):
        parts += [f"## {_heading(document)}", *_about_document(document), "\n".join(map(_about, members))]
    varied = [(row, measured) for row in rows for measured in row.varied]
    if varied:
        parts += ["## With other settings", "Runs of specs changed by `--set`.", _table_of_varied(varied)]
    if zoo:
        parts += ["## Zoo", "Networks of the literature, for `pretrained:` and `extends: zoo/…`.", _table_of_zoo(zoo)]
    return "\n\n".join([*parts, *_not_run(rows, folder.name)]) + "\n"


def _opening(rows: Sequence[Row]) -> str:
    run = sum(row.measured is not None and not row.measured.stale for row in rows)
    reported = sum(bool(row.reported) for row in rows)
    experiments = _plural(len(rows), "experiment")
    return f"{experiments}, one file each: {reported} with a result that the source reports, {run} run here."


def _table_of(rows: Iterable[Row]) -> str:
    headers = ("spec", "from", "data", "parameters", "MACs", "reported", "measured")
    lines = [
        (
            f"[{row.name}]({_address(row.path)})",
            _link(row.source),
            row.dataset or "",
            _parameters(row.parameters.trainable, row.parameters.total),
            _compact(row.macs),
            "<br>".join(_claims(row.reported)),
            _reached(row),
        )
        for row in rows
    ]
    return _table(headers, lines, numbers={3, 4})


def _table_of_varied(varied: Iterable[tuple[Row, Measured]]) -> str:
    lines = [
        (f"[{row.name}]({_address(row.path)})", " ".join(map(_code, found.settings)), _spelled(found))
        for row, found in varied
    ]
    return _table(("spec", "settings", "measured"), lines)


def _table_of_zoo(zoo: Iterable[Known]) -> str:
    lines = [
        (
            f"[{known.name}]({_address(known.path)})",
            f"{known.parameters.trainable:,}",
            _compact(known.macs),
            _paper(known.source),
        )
        for known in zoo
    ]
    return _table(("network", "parameters", "MACs", "source"), lines, numbers={1, 2})


def _not_run(rows: Sequence[Row], folder: str) -> list[str]:
    missing = [row for row in rows if row.trains and (row.measured is None or row.measured.stale)]
    if not missing:
        return []
    paths = [shlex.quote(printable(f"{folder}/{row.path}").replace("\n", " ")) for row in missing]
    width = max(map(len, paths))
    commands = [f"specforge reproduce {path:{width}}" + _since(row) for path, row in zip(paths, missing, strict=True)]
    return ["## Not run", _AGAIN, "\n".join(["```sh", *(command.rstrip() for command in commands), "```"])]


def _since(row: Row) -> str:
    return "   # stale: the spec has changed since" if row.measured else ""


def _by_document(rows: Iterable[Row]) -> Iterator[tuple[str | None, list[Row]]]:
    """Sections in the order of the documents; what has none comes last."""
    ordered = sorted(rows, key=lambda row: (row.source.document is None, row.source.document or "", row.name))
    for document, members in groupby(ordered, key=lambda row: row.source.document):
        yield document, list(members)


def _heading(document: str | None) -> str:
    return "Without a document" if document is None else f"Document {_plain(_short(document))}"


def _about_document(document: str | None) -> list[str]:
    return [_code(document)] if document is not None and _short(document) != document else []


def _short(document: str) -> str:
    """`002_44dc365f11a7112d.txt -> 002`; a title stays as it is."""
    numbered = re.match(r"(\d+)_\w+\.\w+\Z", document)
    return numbered[1] if numbered else document


def _link(source: Source) -> str:
    if source.document is None:
        return ""
    anchor = re.sub(r"[^\w\- ]", "", _heading(source.document).lower()).replace(" ", "-")
    return f"[{_plain(_short(source.document))}](#{anchor})"


def _about(row: Row) -> str:
    """`- **lab2_bn** (*Added Batch Normalization*): two sentences.`"""
    section = f" (*{_plain(row.source.section)}*)" if row.source.section else ""
    text = _plain(first_sentences(row.description))
    return f"- [**{row.name}**]({_address(row.path)}){section}: {text or 'no description.'}"


def first_sentences(text: str, count: int = 2) -> str:
    """The beginning of a description; a line break or a number with a point ends no sentence."""
    ends = [match.start() for match in _SENTENCE_END.finditer(text)]
    return text[: ends[count - 1]].rstrip() if len(ends) >= count else text


def _claims(reported: Sequence[Reported]) -> list[str]:
    """The claims on the tested accuracy first; not more lines than a table bears."""
    ordered = sorted(reported, key=lambda claim: claim.metric != "test_accuracy")
    shown = [_claim(claim) for claim in ordered[:MAX_CLAIMS]]
    return [*shown, f"and {len(ordered) - MAX_CLAIMS} more"] if len(ordered) > MAX_CLAIMS else shown


def _claim(claim: Reported) -> str:
    """`54%, 40 epochs`; what is not the test accuracy is named."""
    value = f"{claim.value * 100:.4g}%" if claim.metric.endswith("accuracy") else f"{claim.value:g}"
    metric = "" if claim.metric == "test_accuracy" else claim.metric.replace("_", " ") + " "
    return f"{metric}{value}" + (f", {_plural(claim.epochs, 'epoch')}" if claim.epochs else "")


def _reached(row: Row) -> str:
    if not row.trains:
        return "a network alone"
    return "not run" if row.measured is None else _spelled(row.measured)


def _spelled(measured: Measured) -> str:
    """`53.1 ± 0.2%, 40 epochs, 3 seeds`."""
    spread = "" if measured.deviation is None else f" ± {measured.deviation:.1%}"[:-1]
    least, most = measured.epochs
    epochs = _plural(most, "epoch") if least == most else f"{least} to {most} epochs"
    text = f"{measured.accuracy:.1%}"[:-1] + f"{spread}%, {epochs}, {_plural(measured.seeds, 'seed')}"
    return f"*stale:* {text}" if measured.stale else f"**{text.partition(',')[0]}**,{text.partition(',')[2]}"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


def _parameters(trainable: int, total: int) -> str:
    return f"{trainable:,}" if trainable == total else f"{trainable:,} / {total:,}"


def _compact(count: int) -> str:
    """`26.6 M`: three digits, which is what a comparison needs."""
    size, unit = next(((size, unit) for size, unit in _UNITS if count >= 0.9995 * size), (1, ""))
    return f"{count / size:#.3g}".rstrip(".") + f" {unit}" if unit else str(count)


def _paper(source: Source) -> str:
    """`He et al., 2015`, with the address behind it."""
    names = [name.split(" ")[-1] for name in re.split(r", | and ", source.authors or "")]
    authors = f"{names[0]} et al." if len(names) > 2 or "others" in names else " and ".join(names)
    text = _plain(", ".join(part for part in (authors, str(source.year or "")) if part))
    if source.url is None or not re.match(r"https?://[^\s<>()]+\Z", source.url):  # a link may lead to the web only
        return text or _plain(source.url or "")
    return f"[{text}]({source.url})" if text else source.url


def _plain(text: str) -> str:
    """A spec's words, which may be emphasised or in backticks, but are no link, no picture and no HTML."""
    return re.sub(r"([\[\]\\])", r"\\\1", printable(text)).replace("<", "&lt;").replace("\n", " ")


def _code(text: str) -> str:
    return f"`{printable(text).replace('`', '').replace(chr(10), ' ')}`"


def _address(path: str) -> str:
    """A path as a link leads to it: what would end the link is encoded."""
    return quote(path)


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = ()) -> str:
    rules = ["---:" if column in set(numbers) else "---" for column in range(len(headers))]
    lines = [headers, rules, *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
