"""What a spec must say that extends another one, to be the same with other values."""

import pytest

from specforge.analysis import choices
from specforge.binding import plain
from specforge.diagnostics import Findings
from specforge.expand.extends import merge
from specforge.search.extension import extension, text_of
from specforge.source import Mapping, parse

BASE = """\
params: {width: 8, unit: {conv: {out_channels: 4}}, names: {a: 1, b: 2}}
model: {input: [1, 8, 8], layers: [flatten, {linear: $width}]}
data: {dataset: digits, split: {train: 0.9, validation: 0.1}}
train: {epochs: 2, batch_size: 64, optimizer: {adam: {lr: 1e-3, eps: 1e-7}}, schedule: cosine, loss: cross_entropy}
"""


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (BASE, ""),
        (BASE.replace("epochs: 2", "epochs: 3"), "train: {epochs: 3}\n"),
        (BASE.replace("epochs: 2", "epochs: 2.0"), "train: {epochs: 2.0}\n"),
        (BASE.replace("{adam: {lr: 1e-3, eps: 1e-7}}", "sgd"), "train: {optimizer: sgd}\n"),
        (BASE.replace("{lr: 1e-3, eps: 1e-7}", "{lr: 2e-3}"), "train: {optimizer: {adam: {eps: null, lr: 2e-3}}}\n"),
        (BASE.replace("{adam: {lr: 1e-3, eps: 1e-7}}", "adam"), "train: {optimizer: {adam: {lr: null, eps: null}}}\n"),
        (BASE.replace(" schedule: cosine,", ""), "train: {schedule: null}\n"),
        (BASE.replace("[flatten, {linear: $width}]", "[flatten]"), "model: {layers: [flatten]}\n"),
        (BASE.replace("$width", "$(2 * width)"), "model: {layers: [flatten, {linear: $(2 * width)}]}\n"),
        (BASE.replace("{conv: {out_channels: 4}}", "{linear: 3}"), "params: {unit: {linear: 3}}\n"),
        (BASE.replace("{a: 1, b: 2}", "{b: 2}"), "params: {names: {a: null}}\n"),
    ],
)
def test_what_differs_is_said_and_merges_to_what_is_wanted(wanted: str, said: str) -> None:
    base, other = _parsed(BASE), _parsed(wanted)
    found = extension(base, other, choices())
    assert text_of(found) == said
    over = _parsed(text_of(found) or "{}")
    merged = plain(merge(base, over, choices()))
    expected = plain(other)
    if merged["train"]["optimizer"] == {"adam": {}}:
        merged["train"]["optimizer"] = "adam"
    assert merged == expected


def test_a_spec_that_has_weights_keeps_them() -> None:
    base = _parsed(BASE + "weights: {order: torch}\n")
    assert extension(base, base, choices()) == {"weights": {"order": "torch"}}


def test_long_values_are_written_over_lines() -> None:
    text = text_of({"train": {"epochs": 3, "milestones": list(range(60))}})
    assert text.startswith("train:\n  epochs: 3\n  milestones:\n    - 0\n    - 1\n")
    assert plain(_parsed(text)) == {"train": {"epochs": 3, "milestones": tuple(range(60))}}


def _parsed(text: str) -> Mapping:
    findings = Findings()
    node = parse(text, "spec.yaml", findings)
    assert not findings.has_errors
    assert isinstance(node, Mapping)
    return node
