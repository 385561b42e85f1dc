"""`include`: blocks of other files, each read once, and mistakes located in the file that makes them."""

from pathlib import Path
from textwrap import dedent

import pytest

from specforge.analysis import Analysis, analyse
from specforge.binding import plain
from specforge.diagnostics import Findings
from specforge.expand import files
from specforge.source import Mapping, parse

UNITS = "blocks: {unit: {params: {channels: required}, layers: [{linear: $channels}, relu]}}\n"
SPEC = """
    specforge: 1
    name: spec
    include: [blocks/units.yaml]
    model: {input: [3], layers: [unit: 8]}
"""


def written(folder: Path, **texts: str) -> Path:
    """Files by name (`__` for a folder); the spec is called `spec`."""
    for name, text in texts.items():
        file = folder / f"{name.replace('__', '/')}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text).lstrip())
    return folder / "spec.yaml"


def said(analysis: Analysis) -> list[str]:
    return [
        f"{Path(found.span.file).name}:{found.span.line} {found.code} {found.message}" for found in analysis.findings
    ]


def outputs(analysis: Analysis) -> list[tuple[str, tuple[int, ...]]]:
    return [(leaf.path, leaf.output) for leaf in analysis.require()[1].leaves()]


def test_included_blocks_are_the_spec_s_own(tmp_path: Path) -> None:
    analysis = analyse(written(tmp_path, spec=SPEC, blocks__units=UNITS))
    assert said(analysis) == []
    assert outputs(analysis) == [("unit_1.linear_1", (8,)), ("unit_1.relu_1", (8,))]


def test_paths_are_relative_to_the_file_that_includes(tmp_path: Path) -> None:
    spec = SPEC.replace("units.yaml", "more.yaml")
    more = "include: [deep/units.yaml]\nblocks: {two: {layers: [unit: 4, unit: 4]}}\n"
    (tmp_path / "blocks").mkdir()
    analysis = analyse(written(tmp_path, spec=spec, blocks__more=more, blocks__deep__units=UNITS))
    assert outputs(analysis)[0] == ("unit_1.linear_1", (8,))


def test_a_file_is_read_once_however_many_ways_lead_to_it(tmp_path: Path) -> None:
    spec = SPEC.replace("[blocks/units.yaml]", "[blocks/a.yaml, blocks/b.yaml, blocks/units.yaml]")
    include = "include: [units.yaml]\nblocks: {%s: {layers: [unit: 4]}}\n"
    analysis = analyse(
        written(tmp_path, spec=spec, blocks__a=include % "a", blocks__b=include % "b", blocks__units=UNITS)
    )
    assert said(analysis) == []


def test_a_parent_brings_its_includes_along(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    child = "specforge: 1\nname: child\nextends: base/spec.yaml\nmodel: {layers: [unit: 9]}\n"
    analysis = analyse(written(tmp_path, spec=child, base__spec=SPEC, base__blocks__units=UNITS))
    assert outputs(analysis)[0] == ("unit_1.linear_1", (9,))


def test_a_child_may_include_what_its_parent_includes(tmp_path: Path) -> None:
    child = "specforge: 1\nname: child\nextends: base.yaml\ninclude: [blocks/units.yaml]\n"
    assert said(analyse(written(tmp_path, spec=child, base=SPEC, blocks__units=UNITS))) == []


def test_a_child_changes_an_included_block_by_its_name(tmp_path: Path) -> None:
    child = "specforge: 1\nname: child\nextends: base.yaml\nblocks: {unit: {layers: [linear: $channels]}}\n"
    assert outputs(analyse(written(tmp_path, spec=child, base=SPEC, blocks__units=UNITS))) == [
        ("unit_1.linear_1", (8,))
    ]


def test_null_removes_inherited_blocks_not_included_ones(tmp_path: Path) -> None:
    base = SPEC.replace("include: [blocks/units.yaml]", "blocks: {old: {layers: [relu]}, unit: {layers: [relu]}}")
    child = "specforge: 1\nname: child\nextends: base.yaml\ninclude: [blocks/units.yaml]\nblocks: null\n"
    file = written(tmp_path, spec=child, base=base, blocks__units=UNITS)
    assert outputs(analyse(file))[0] == ("unit_1.linear_1", (8,))
    file = written(tmp_path, spec=child + "model: {layers: [old]}\n")
    assert said(analyse(file)) == ["spec.yaml:6 SF304 unknown layer or block `old`"]


def test_a_name_from_two_files_is_told_at_the_second(tmp_path: Path) -> None:
    spec = SPEC.replace("[blocks/units.yaml]", "[blocks/units.yaml, blocks/more.yaml]")
    (found,) = said(analyse(written(tmp_path, spec=spec, blocks__units=UNITS, blocks__more=UNITS)))
    assert found.startswith("more.yaml:1 SF213 block `unit` is already defined at ")
    assert found.endswith("units.yaml:1:10")


def test_a_name_of_the_spec_s_own_is_told_there(tmp_path: Path) -> None:
    spec = SPEC.replace("model:", "blocks: {unit: {layers: [relu]}}\n    model:")
    (found, *_) = said(analyse(written(tmp_path, spec=spec, blocks__units=UNITS)))
    assert found.startswith("spec.yaml:4 SF213 block `unit` is already defined at ")


def test_a_name_that_a_parent_has_is_told_in_the_library(tmp_path: Path) -> None:
    child = "specforge: 1\nname: child\nextends: base.yaml\ninclude: [more.yaml]\n"
    (found,) = said(analyse(written(tmp_path, spec=child, base=SPEC, blocks__units=UNITS, more=UNITS)))
    assert found.startswith("more.yaml:1 SF213 block `unit` is already defined at ")


def test_a_circle_of_files(tmp_path: Path) -> None:
    other = UNITS + "include: [other.yaml]\n"
    file = written(tmp_path, spec=SPEC, blocks__units=other, blocks__other="include: [units.yaml]\nblocks: {}\n")
    assert said(analyse(file)) == [
        "other.yaml:1 SF213 `include` goes in a circle: units.yaml -> other.yaml -> units.yaml"
    ]
    file = written(tmp_path, spec="include: [spec.yaml]\nblocks: {a: {layers: [relu]}}\n")
    assert said(analyse(file)) == ["spec.yaml:1 SF213 `include` goes in a circle: spec.yaml -> spec.yaml"]


def test_a_chain_without_end(tmp_path: Path) -> None:
    for number in range(files.MAX_FILES + 5):
        (tmp_path / f"n{number}.yaml").write_text(f"include: [n{number + 1}.yaml]\n")
    (found,) = said(analyse(tmp_path / "n0.yaml"))
    assert found.endswith(f"SF213 more than {files.MAX_FILES} files include each other")


@pytest.mark.parametrize(
    ("library", "expected"),
    [
        (
            "model: {layers: [relu]}\nblocks: {}\n",
            "units.yaml:1 SF213 an included file holds `blocks` only, found `model`",
        ),
        ("block: {}\ninclude: []\n", "units.yaml:1 SF213 an included file holds `blocks` only, found `block`"),
        ("specforge: 2\nblocks: {}\n", "units.yaml:1 SF213 `specforge` must be 1, found `2`"),
        ("specforge: 1\nname: units\n", "spec.yaml:3 SF213 `blocks/units.yaml` defines no blocks"),
        ("[relu]", "spec.yaml:3 SF213 `blocks/units.yaml` defines no blocks"),
        ("blocks: [relu]", "units.yaml:1 SF213 `blocks` is a mapping of names"),
        ("blocks: {unit: {layers: [", "units.yaml:1 SF102 the text ends where a value must follow"),
        ("blocks: {unit: {layer: [relu]}}", "units.yaml:1 SF209 a block has no `layer`"),
        ("blocks: {unit: {layers: [rellu]}}", "units.yaml:1 SF304 unknown layer or block `rellu`"),
        ("blocks: {conv: {layers: [relu]}}", "units.yaml:1 SF209 `conv` is a layer: a block can't take its name"),
    ],
)
def test_mistakes_in_a_library(library: str, expected: str, tmp_path: Path) -> None:
    spec = SPEC.replace("unit: 8", "relu")
    assert said(analyse(written(tmp_path, spec=spec, blocks__units=library))) == [expected]


@pytest.mark.parametrize(
    ("include", "message"),
    [
        ("blocks/units.yaml", "`include` is a list of files"),
        ("{a: b}", "`include` is a list of files"),
        ("[3]", "`include` lists paths of files"),
        ("[[blocks/units.yaml]]", "`include` lists paths of files"),
        ("[blocks/unit.yaml]", "`blocks/unit.yaml` does not exist"),
        ("[blocks]", "`blocks` is a folder"),
        ('["a\\0b"]', "this is not the path of a file"),
        ("[blocks/units.yaml, blocks/units.yaml]", "this file is listed above already"),
    ],
)
def test_what_is_no_library_is_told_at_the_reference(include: str, message: str, tmp_path: Path) -> None:
    spec = SPEC.replace("[blocks/units.yaml]", include).replace("unit: 8", "relu")
    (found,) = said(analyse(written(tmp_path, spec=spec, blocks__units=UNITS)))
    assert found.startswith(f"spec.yaml:3 SF213 {message}")


@pytest.mark.parametrize("include", ["", "[]"])
def test_no_includes_are_no_mistake(include: str, tmp_path: Path) -> None:
    spec = SPEC.replace("[blocks/units.yaml]", include).replace("unit: 8", "relu")
    assert said(analyse(written(tmp_path, spec=spec))) == []


def test_a_library_validates_alone(tmp_path: Path) -> None:
    assert said(analyse(written(tmp_path, spec="specforge: 1\nname: units\n" + UNITS))) == []
    broken = UNITS.replace("relu", "{branches: {paths: [[{conv: {filters: 3}}], [rellu]]}}")
    assert said(analyse(written(tmp_path, spec=broken))) == [
        "spec.yaml:1 SF301 `conv` has no `filters`",
        "spec.yaml:1 SF304 unknown layer or block `rellu`",
    ]


def test_an_included_block_can_be_edited(tmp_path: Path) -> None:
    spec = SPEC + "    edit: [{at: blocks.unit.relu_1, remove: true}]\n"
    assert outputs(analyse(written(tmp_path, spec=spec, blocks__units=UNITS))) == [("unit_1.linear_1", (8,))]


# --- the zoo


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "packaged"
    folder.mkdir()
    (folder / "net.yaml").write_text("specforge: 1\nname: net\nmodel: {input: [3], layers: [linear: 10]}\n")
    (folder / "units.yaml").write_text(UNITS)
    monkeypatch.setattr(files, "zoo_folder", lambda: folder)
    monkeypatch.setattr("specforge.analysis.zoo_folder", lambda: folder)
    return folder


def test_the_zoo_is_found_from_anywhere(zoo: Path, tmp_path: Path) -> None:
    spec = "specforge: 1\nname: a\nextends: zoo/net.yaml\ninclude: [zoo/units.yaml]\n"
    assert outputs(analyse(written(tmp_path, spec=spec))) == [("linear_1", (10,))]


def test_a_file_beside_the_spec_comes_before_the_zoo(zoo: Path, tmp_path: Path) -> None:
    spec = "specforge: 1\nname: a\nextends: zoo/net.yaml\n"
    own = "model: {input: [3], layers: [linear: 7]}\n"
    assert outputs(analyse(written(tmp_path, spec=spec, zoo__net=own))) == [("linear_1", (7,))]


def test_what_the_zoo_does_not_have_gets_a_suggestion(zoo: Path, tmp_path: Path) -> None:
    (found,) = analyse(written(tmp_path, spec="specforge: 1\nname: a\nextends: zoo/nte.yaml\n")).findings
    assert found.hint == "did you mean `zoo/net.yaml`?"


def test_the_zoo_leads_nowhere_else(zoo: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("model: {input: [3], layers: [relu]}\n")
    (tmp_path / "specs").mkdir()
    written(tmp_path, specs__a="specforge: 1\nname: a\nextends: zoo/../secret.yaml\n")
    (found,) = analyse(tmp_path / "specs" / "a.yaml").findings
    assert "does not exist" in found.message


def test_the_zoo_of_a_checkout_lies_among_its_specs() -> None:
    assert files.zoo_folder().parts[-2:] == ("specs", "zoo")


@pytest.mark.parametrize("path", sorted(files.zoo_folder().glob("*.yaml")), ids=lambda path: path.stem)
def test_the_zoo_reads_nothing_but_itself(path: Path) -> None:
    """Of the repository's specs, an installed specforge has these alone."""
    root = parse(path.read_text(encoding="utf-8"), path.name, Findings())
    assert isinstance(root, Mapping)
    named = [plain(node) for node in (root.get("extends"), root.get("include")) if node is not None]
    flat = [reference for found in named for reference in (found if isinstance(found, tuple) else (found,))]
    assert all((path.parent / reference).resolve().is_relative_to(files.zoo_folder()) for reference in flat)
