"""The page of the specs: as new as they are, and honest about what was measured."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from specforge.diagnostics import SpecError
from specforge.reproduction.finished import meaning
from specforge.reproduction.page import first_sentences, page
from specforge.reproduction.results import Measurement, Results, save
from specforge.reproduction.survey import survey
from tests.reproduction.runs import measurement

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs"


def test_the_checked_in_page_is_new() -> None:
    file = SPECS / "README.md"
    assert file.is_file(), "the page is missing: run `make docs`"
    assert file.read_text(encoding="utf-8") == page(SPECS), "a spec or a result has changed: run `make docs`"


def test_it_lists_every_spec_once() -> None:
    listed = re.findall(r"^\| \[\S+?\]\((\S+?)\)", page(SPECS), re.MULTILINE)
    files = {file.relative_to(SPECS).as_posix() for file in SPECS.rglob("*.yaml") if file.parent.name != "bases"}
    assert set(listed) <= files
    assert {path for path in files if "/" not in path} <= set(listed)
    assert len(listed) >= len(set(listed)) > 25


def test_every_recorded_result_is_of_a_spec_that_is_there() -> None:
    names = {row.name for row in survey(SPECS, Results())[0]}
    assert set(Results.read(SPECS / "results.json").specs) <= names


def test_lines_fit_a_screen() -> None:
    """What a table's cell shows; the addresses behind the words take no room."""
    tables = [line for line in page(SPECS).splitlines() if line.startswith("| ")]
    shown = [re.sub(r"\]\(.*?\)", "", line).split("<br>")[0] for line in tables]
    assert max(map(len, shown)) <= 160


def recorded(specs: Path, *runs: Measurement) -> str:
    results = Results()
    for run in runs:
        results = results.with_run("tiny", "", run)
    save(specs / "results.json", results)
    return page(specs)


def row(text: str) -> list[str]:
    """The cells of the first row."""
    line = next(line for line in text.splitlines() if line.startswith("| [tiny]"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def now(specs: Path, *settings: str) -> str:
    return meaning(specs / "tiny.yaml", settings).spec_hash


def test_a_spec_that_was_not_run(specs: Path) -> None:
    text = page(specs)
    cells = row(text)
    assert cells[:3] == ["[tiny](tiny.yaml)", "[002](#document-002)", "digits"]
    assert cells[3:5] == ["1,242 / 1,274", "1.18 k"]
    assert cells[5:] == ["90%, 2 epochs<br>test loss 0.31", "not run"]
    assert "\n1 experiment, one file each: 1 with a result that the source reports, 0 run here.\n" in text
    assert "## Document 002\n\n`002_0123456789abcdef.txt`\n\n" in text
    assert "- [**tiny**](tiny.yaml) (*A beginning*): A line through the digits. It is for tests.\n" in text
    assert text.endswith("```sh\nspecforge reproduce specs/tiny.yaml\n```\n")
    assert "bases" not in text


def test_networks_have_a_table_of_their_own(specs: Path) -> None:
    assert "| [line](zoo/line.yaml) | 1,001,000 | 1.00 M | [Lovelace et al., 1843](https://example.org) |" in page(
        specs
    )


def test_one_run(specs: Path) -> None:
    text = recorded(specs, measurement(spec_hash=now(specs), test_accuracy=0.8768))
    assert row(text)[-1] == "**87.7%**, 2 epochs, 1 seed"
    assert "## Not run" not in text


def test_several_seeds_are_a_mean_and_a_deviation(specs: Path) -> None:
    runs = [measurement(seed=seed, spec_hash=now(specs), test_accuracy=0.5 + seed / 100) for seed in range(3)]
    assert row(recorded(specs, *runs))[-1] == "**51.0 ± 1.0%**, 2 epochs, 3 seeds"


def test_runs_that_stopped_early_say_so(specs: Path) -> None:
    runs = [measurement(seed=seed, spec_hash=now(specs), epochs=2 - seed) for seed in range(2)]
    assert row(recorded(specs, *runs))[-1] == "**90.0 ± 0.0%**, 1 to 2 epochs, 2 seeds"


def test_a_result_from_before_the_spec_changed_is_stale(specs: Path) -> None:
    text = recorded(specs, measurement(spec_hash="of the old spec"))
    assert row(text)[-1] == "*stale:* 90.0%, 2 epochs, 1 seed"
    assert "0 run here" in text  # not as the spec is now
    assert "specforge reproduce specs/tiny.yaml   # stale" in text


def test_a_new_result_hides_the_stale_one(specs: Path) -> None:
    old, new = measurement(spec_hash="of the old spec"), measurement(spec_hash=now(specs), test_accuracy=0.1)
    text = recorded(specs, old, new)
    assert row(text)[-1] == "**10.0%**, 2 epochs, 1 seed"
    assert "stale:" not in text


def test_runs_with_settings_never_count_as_the_spec_s(specs: Path) -> None:
    settings = ("train.epochs=5",)
    varied = measurement(spec_hash=now(specs, *settings), settings=settings, epochs=5, test_accuracy=0.99)
    gone = measurement(spec_hash="of something", settings=("params.height=5",))
    text = recorded(specs, varied, gone)
    assert row(text)[-1] == "not run"
    assert "specforge reproduce specs/tiny.yaml" in text
    assert "| [tiny](tiny.yaml) | `train.epochs=5` | **99.0%**, 5 epochs, 1 seed |" in text
    assert "| [tiny](tiny.yaml) | `params.height=5` | *stale:* 90.0%, 2 epochs, 1 seed |" in text


def test_a_result_is_the_spec_s_again_when_the_spec_takes_over_the_settings(specs: Path) -> None:
    settings = ("train.epochs=5",)
    run = measurement(spec_hash=now(specs, *settings), settings=settings, epochs=5)
    text = (specs / "tiny.yaml").read_text()
    (specs / "tiny.yaml").write_text(text.replace("  epochs: 2\n", "  epochs: 5\n"))
    assert row(recorded(specs, run))[-1] == "**90.0%**, 5 epochs, 1 seed"


def test_a_broken_spec_stops_it(specs: Path) -> None:
    (specs / "broken.yaml").write_text("specforge: 1\nname: broken\nmodel: {input: [4], layers: [covn]}\n")
    with pytest.raises(SpecError, match="covn"):
        page(specs)


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("One. Two. Three.", "One. Two."),
        ("One. Two", "One. Two"),
        ("L. T. Anh's network. It is big. Very.", "L. T. Anh's network. It is big."),
        ("At 1.5 GHz. Really? Yes.", "At 1.5 GHz. Really?"),
        ('He said "no." Then (he) left. So.', 'He said "no." Then (he) left.'),
        ("", ""),
    ],
)
def test_first_sentences(text: str, beginning: str) -> None:
    assert first_sentences(text) == beginning


def test_it_is_made_without_torch(specs: Path) -> None:
    heavy = ("torch", "torchvision", "numpy", "matplotlib", "safetensors", "typer", "rich")
    script = (
        f"import runpy, sys\nsys.modules.update(dict.fromkeys({heavy!r}))\n"
        "sys.argv = ['specforge.reproduction', sys.argv[1]]\n"
        "runpy.run_module('specforge.reproduction', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", script, specs], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (specs / "README.md").read_text(encoding="utf-8") == page(specs)


HOSTILE = (
    "<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "![x](http://evil.example/x.png)",
    "<javascript:alert(1)>",
    "| a | b |",
    "`a` ``` b",
    "\\[x](y)",
    "\u202egnp.exe",
    "\x1b[31mred",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://a.example/) [x](javascript:alert(1)",
)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("key", ["description", "document", "section", "url", "authors"])
def test_words_of_strangers_are_no_markup(specs: Path, text: str, key: str) -> None:
    quoted = json.dumps(text)
    tiny = (specs / "tiny.yaml").read_text()
    if key == "description":
        tiny = re.sub("^description: .*$", lambda _: f"description: {quoted}", tiny, flags=re.MULTILINE)
    else:
        tiny = re.sub("^source: .*$", lambda _: f"source: {{{key}: {quoted}}}", tiny, flags=re.MULTILINE)
        line = (specs / "zoo" / "line.yaml").read_text()
        given = "authors: Ada Lovelace and others" if key == "authors" else "url: 'https://example.org'"
        (specs / "zoo" / "line.yaml").write_text(line.replace(given, f"{key}: {quoted}"))
    (specs / "tiny.yaml").write_text(tiny)
    found = page(specs)
    body = re.sub(r"<!-- Made by .*? -->|<br>|`[^`\n]*`", "", found)
    assert "<" not in body
    assert not re.search(r"(?<!\\)!\[", body)
    addresses = re.findall(r"(?<!\\)\]\(([^)]*)\)", body)
    assert addresses
    assert all(re.match(r"#|https?://[^\s<>()]+\Z|[\w./-]+\Z", address) for address in addresses)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e]", found)


def test_a_file_whose_name_would_end_the_link(specs: Path) -> None:
    (specs / "tiny.yaml").rename(specs / "a) [x](javascript:alert(1).yaml")
    found = page(specs)
    assert "](a%29%20%5Bx%5D%28javascript%3Aalert%281%29.yaml)" in found
    assert "specforge reproduce 'specs/a) [x](javascript:alert(1).yaml'" in found
