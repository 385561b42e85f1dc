"""A run whose machine loses power before each call that changes the disk, with other luck every time."""

import os
import shutil
from pathlib import Path

import pytest

from tests.training.disk import chance
from tests.training.test_power_loss import filmed_run, goes_on

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(os.name != "posix", reason="folders are synced"),
]
SEED = int(os.environ.get("SPECFORGE_SOAK_SEED", "0"))


@pytest.mark.parametrize("recipe", ["plain", "everything"])
def test_a_run_goes_on_after_a_power_cut_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: str) -> None:
    whole, filmed = filmed_run(tmp_path, monkeypatch, recipe)
    promised = [filmed.promised(calls) for calls in range(len(filmed.calls) + 1)]
    for calls, position in enumerate(promised):
        found = tmp_path / f"after-{calls}"
        filmed.disk(whole.parent, calls).lay_out(found, chance(SEED + calls))
        goes_on(whole, found / "run", position, recipe)
        shutil.rmtree(found)
    print(f"{recipe}: {len(promised)} power cuts survived")
