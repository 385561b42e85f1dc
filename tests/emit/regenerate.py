"""Writes the golden files anew: `python -m tests.emit.regenerate`."""

from pathlib import Path

from tests.emit.test_python import GOLDEN, ROOT, of

if __name__ == "__main__":
    for name in GOLDEN:
        target = Path(__file__).parent / "golden" / f"{Path(name).stem}.py.txt"
        target.write_text(of(ROOT / "specs" / f"{name}.yaml")[1].text, encoding="utf-8")
