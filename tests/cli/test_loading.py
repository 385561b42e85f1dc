"""What commands import is not searched for garbage, what they do afterwards is."""

import subprocess
import sys
from types import ModuleType

import pytest

from specforge.cli.loading import leave
from tests.cli.conftest import PROGRAM, ROOT


def printed(script: str, *arguments: str) -> list[str]:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


def test_torch_is_loaded_and_left_alone_by_the_collector() -> None:
    script = "import gc, sys; from specforge.cli.loading import load_torch; load_torch();"
    script += "print('torch' in sys.modules, gc.isenabled(), len(gc.get_objects()) < 100)"
    assert printed(script) == ["True"] * 3


def test_the_collector_works_again_after_an_import_that_fails() -> None:
    script = """
import gc
from specforge.cli.loading import lasting
try:
    with lasting():
        assert not gc.isenabled()
        import nothing_of_this_name
except ImportError:
    print(gc.isenabled())
"""
    assert printed(script) == ["True"]


def test_a_command_ends_without_a_search_for_garbage() -> None:
    # what is registered first is called last
    script = f"import atexit, gc; atexit.register(lambda: print(len(gc.get_objects()))); {PROGRAM}"
    assert int(printed(script, "config", "--hash", "specs/quickstart.yaml")[-1]) < 100


def test_what_the_compiler_of_torch_left_is_searched_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen: list[str] = []
    monkeypatch.setattr("gc.freeze", lambda: frozen.append("frozen"))
    monkeypatch.setitem(sys.modules, "triton", ModuleType("triton"))
    leave()
    assert not frozen
    monkeypatch.delitem(sys.modules, "triton")
    leave()
    assert frozen == ["frozen"]
