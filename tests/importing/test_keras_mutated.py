"""Keras files with anything in the wrong place: a network or a finding, never a traceback."""

import json
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from specforge.diagnostics import SpecError
from specforge.importing.network import Network
from tests.importing.test_keras import FOLDER, NETWORKS, read


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container of the JSON with a key or index of it."""
    found = []
    stack = [tree]
    while stack:
        entry = stack.pop()
        keys = list(entry) if isinstance(entry, dict) else list(range(len(entry)))
        found += [(entry, key) for key in keys]
        stack += [entry[key] for key in keys if isinstance(entry[key], dict | list)]
    return found


JUNK = st.sampled_from(
    [None, -1, 0, 3, 10**25, 0.5, "x", "conv2d", True, [], [[]], {}, {"class_name": "Dense"}, [1, 2, 3]]
)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(NETWORKS), st.lists(st.tuples(st.integers(0, 10**6), JUNK, st.booleans()), min_size=1, max_size=3)
)
def test_mutated_files_give_a_network_or_an_error(name: str, changes: list[tuple[int, Any, bool]]) -> None:
    tree = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    for number, junk, drops in changes:
        all_places = places(tree)
        container, key = all_places[number % len(all_places)]
        if drops:
            del container[key]
        else:
            container[key] = deepcopy(junk)  # a list that was put into itself would have no end
    found = outcome(json.dumps(tree))
    assert isinstance(found, Network) or found.diagnostics


def outcome(text: str) -> Network | SpecError:
    try:
        return read(text)[0]
    except SpecError as error:
        return error
