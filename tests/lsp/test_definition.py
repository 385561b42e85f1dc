"""Where the thing under the cursor, `|`, is defined."""

from pathlib import Path

import pytest

from specforge.expand.files import zoo_folder
from specforge.lsp.definition import define
from tests.lsp.specs import LAB, document, marked

HEAD = "specforge: 1\nname: lab\n"
WIRED = """\
specforge: 1
name: lab
model:
  input: [3, 8, 8]
  layers:
    - {id: stem, conv: {out_channels: 8, kernel_size: 3}}
    - relu
    - residual:
        layers:
          - batch_norm
          - {from: stem, relu: }
    - {from: [relu_1, residual_1.batch_norm_1], add: }
    - {shared: enc, relu: }
    - {shared: enc, relu: }
"""


def target(text: str, folder: Path, analysed: str | None = None) -> tuple[str | None, int, int] | None:
    """The file's name, line and column."""
    content, position = marked(text)
    found = define(document(content, folder, analysed), position)
    return None if found is None else (found.file.name if found.file else None, *found.start)


def at(text: str, word: str, *, behind: str = "") -> str:
    start = text.index(word, text.index(behind) + len(behind)) + 1
    return f"{text[:start]}|{text[start:]}"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (at(LAB, "conv_unit", behind="repeat"), (None, 5, 3)),
        (at(LAB, "channels:", behind="repeat"), (None, 6, 14)),
        (at(LAB, "$dropout"), (None, 3, 10)),
        (at(LAB, "$width"), (None, 14, 15)),
        (at(LAB, "$kernel_size"), (None, 6, 34)),
        (at(WIRED, "stem", behind="from: "), (None, 6, 12)),
        (at(WIRED, "relu_1"), (None, 7, 7)),
        (at(WIRED, "residual_1."), (None, 10, 13)),
        (at(WIRED, "enc", behind="enc"), (None, 13, 16)),
        (at(LAB, "relu"), None),
        (at(LAB, "lab"), None),
        (f"{HEAD}x: |", None),
        (f"{LAB}edit:\n  - at: hea|d\n    remove: true\n", (None, 21, 12)),
    ],
)
def test_in_the_same_file(text: str, place: tuple[None, int, int] | None, tmp_path: Path) -> None:
    assert target(text, tmp_path) == place


def test_definitions_survive_broken_text(tmp_path: Path) -> None:
    text = LAB.replace("    - flatten\n", "    - conv: {out_ch\n    - conv_un|it: 5\n")
    assert target(text, tmp_path) == (None, 5, 3)


def test_in_other_files(tmp_path: Path) -> None:
    (tmp_path / "blocks.yaml").write_text("blocks:\n  unit:\n    params: {width: 8}\n    layers: [{linear: $width}]\n")
    (tmp_path / "base.yaml").write_text("specforge: 1\nparams:\n  wide: 3\n")
    text = (
        "specforge: 1\nname: lab\nextends: base.yaml\ninclude: [blocks.yaml]\n"
        "model:\n  input: [4]\n  layers:\n    - unit: {width: $wide}\n"
    )
    assert target(at(text, "base"), tmp_path, text) == ("base.yaml", 1, 1)
    assert target(at(text, "blocks"), tmp_path, text) == ("blocks.yaml", 1, 1)
    assert target(at(text, "unit"), tmp_path, text) == ("blocks.yaml", 2, 3)
    assert target(at(text, "width"), tmp_path, text) == ("blocks.yaml", 3, 14)
    assert target(at(text, "$wide"), tmp_path, text) == ("base.yaml", 3, 3)


def test_the_network_knows_addresses_that_the_text_does_not(tmp_path: Path) -> None:
    """A layer of a block, by its path, which has moved by a line since the spec was right."""
    text = (
        LAB.replace("name: lab", "name: lab\ndescription: x") + "edit:\n  - at: repeat_1.conv_unit_1.re|lu_1\n    rem"
    )
    assert target(text, tmp_path, LAB) == (None, 10, 9)


def test_in_the_zoo(tmp_path: Path) -> None:
    content, position = marked(f"{HEAD}extends: zoo/resn|et18.yaml\n")
    found = define(document(content, tmp_path), position)
    assert found is not None
    assert found.file == zoo_folder() / "resnet18.yaml"
    layers = "model:\n  layers:\n    - pretrained: "
    assert target(f"{HEAD}{layers}vgg|16\n", tmp_path) == ("vgg16.yaml", 1, 1)
    assert target(f"{HEAD}{layers}nowh|ere\n", tmp_path) is None
    assert target(f"{HEAD}extends: nowh|ere.yaml\n", tmp_path) is None
    assert target(f"{HEAD}extends: a\0|b.yaml\n", tmp_path) is None
