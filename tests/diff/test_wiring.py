"""Differences in what layers read, in shared weights and in side branches."""

from pathlib import Path

from specforge.diff import Difference, diff, lines

HEAD = "specforge: 1\nname: wired\nmodel:\n  input: [3, 8, 8]\n  layers:\n"
LAYERS = """\
    - {id: a, conv: {out_channels: 4, kernel_size: 3, padding: 1}}
    - {id: b, conv: {out_channels: 4, kernel_size: 3, padding: 1}}
    - {id: c, conv: {out_channels: 4, kernel_size: 3, padding: 1}}
    - {from: [previous, a], add: }
    - global_avg_pool
    - linear: 2
"""


def compared(folder: Path, *replaced: tuple[str, str]) -> Difference:
    after = LAYERS
    for old, new in replaced:
        assert old in after
        after = after.replace(old, new)
    for name, layers in (("before.yaml", LAYERS), ("after.yaml", after)):
        (folder / name).write_text(HEAD + layers, encoding="utf-8")
    return diff(folder / "before.yaml", folder / "after.yaml")


def said(difference: Difference) -> str:
    return "\n".join(line.text for line in lines(difference))


def test_nothing(tmp_path: Path) -> None:
    assert compared(tmp_path).same


def test_another_source(tmp_path: Path) -> None:
    found = compared(tmp_path, ("[previous, a]", "[previous, b]"))
    assert not found.same
    assert "from" in said(found)
    (changed,) = found.architecture.changed
    assert [(setting.path, setting.before, setting.after) for setting in changed.arguments] == [
        ("from", ["previous", "a"], ["previous", "b"])
    ]


def test_shared_weights(tmp_path: Path) -> None:
    found = compared(tmp_path, ("{id: b,", "{id: b, shared: w,"), ("{id: c,", "{id: c, shared: w,"))
    assert not found.same
    assert [entry.after.path for entry in found.architecture.changed if entry.after] == ["c"]
    assert {setting.path for entry in found.architecture.changed for setting in entry.arguments} == {"shared"}
    assert found.parameters[0].total - found.parameters[1].total == 4 * 4 * 9 + 4


def test_a_side_branch(tmp_path: Path) -> None:
    extra = "    - auxiliary: {layers: [global_avg_pool, {linear: 2}]}\n    - global_avg_pool"
    found = compared(tmp_path, ("    - global_avg_pool", extra))
    assert not found.same
    assert any("auxiliary_1" in str(entry.after) for entry in found.architecture.added)
    assert not found.architecture.removed
    assert found.macs[0] == found.macs[1]
