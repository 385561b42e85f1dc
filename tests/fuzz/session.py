"""One run of the fuzzer: what was tried, what failed, and the report."""

import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

from tests.fuzz.campaign import Order, Workers
from tests.fuzz.cases import Case, make_case
from tests.fuzz.minimise import minimised
from tests.fuzz.samples import compiled, on_the_command_line, put
from tests.fuzz.verdict import Verdict

COMMAND_LINE_EVERY = 500
COMPILED_EVERY = 20  # of those that pass and are small
IN_FULL = 5
Failure = tuple[int, Case, Verdict]


@dataclass(slots=True)
class Session:
    """`failures` holds the first one of each kind and place; `met` counts all of them."""

    seed: int
    folder: Path
    samples: bool = True
    failures: dict[tuple[str, str], Failure] = field(default_factory=dict)
    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    cases: int = 0
    with_findings: int = 0
    with_graph: int = 0
    slowest: tuple[float, int] = (0.0, -1)
    largest: tuple[float, int] = (0.0, -1)
    passing: list[int] = field(default_factory=list)
    on_the_command_line: int = 0

    def run(self, numbers: Iterable[int], *, workers: int) -> None:
        numbers = list(numbers)
        began = said = monotonic()
        with Workers(workers) as pool:
            orders: Iterator[Order] = ((self.seed, number) for number in numbers)
            for number, verdict in pool.judged(orders):
                self.note(number, verdict)
                if monotonic() - said > 5:
                    said = monotonic()
                    rate = self.cases / (said - began)
                    print(f"{self.cases:,} of {len(numbers):,}, {rate:.0f} a second: {self.counts()}", file=sys.stderr)
            if self.samples:
                self.take_samples(numbers)
            for key, (number, case, verdict) in self.failures.items():
                print(f"making {self.seed}:{number} small ({key[0]} {key[1]}) …", file=sys.stderr)
                self.failures[key] = (number, self.small(case, verdict, pool), verdict)
                self.save(key)

    def note(self, number: int, verdict: Verdict) -> None:
        self.cases += 1
        self.with_findings += verdict.has_findings
        self.with_graph += verdict.has_graph
        self.slowest = max(self.slowest, (verdict.seconds, number))
        self.largest = max(self.largest, (verdict.megabytes, number))
        if verdict.is_small and not verdict.failing:
            self.passing.append(number)
        self.fail(number, verdict)

    def fail(self, number: int, verdict: Verdict) -> None:
        key = (verdict.failing, verdict.place)
        if verdict.failing:
            self.met[key] += 1
            if key not in self.failures:
                print(f"case {self.seed}:{number} fails: {key[0]} {key[1]}", file=sys.stderr)
                self.failures[key] = (number, make_case(self.seed, number), verdict)

    def take_samples(self, numbers: list[int]) -> None:
        """The command line and compiling."""
        with tempfile.TemporaryDirectory() as folder:
            for number in numbers[::COMMAND_LINE_EVERY]:
                self.on_the_command_line += 1
                self.fail(
                    number,
                    on_the_command_line(
                        make_case(self.seed, number), number // COMMAND_LINE_EVERY, Path(folder) / "cli"
                    ),
                )
            self.passing = sorted(self.passing)[::COMPILED_EVERY]
            verdicts = compiled([make_case(self.seed, number) for number in self.passing], Path(folder))
            for number, verdict in zip(self.passing, verdicts, strict=True):
                self.fail(number, verdict)

    def small(self, case: Case, verdict: Verdict, pool: Workers) -> Case:
        """The case with a smaller spec that fails in the same place; what takes a process a try stays as it is."""
        if verdict.failing in ("cli", "build"):
            return case

        def fails(data: bytes, settings: tuple[str, ...] = case.settings) -> bool:
            again = pool.judge(replace(case, spec=data, settings=settings))
            return (again.failing, again.place) == (verdict.failing, verdict.place)

        if case.settings and fails(case.spec, ()):
            return self.small(replace(case, settings=()), verdict, pool)
        tries = 20 if verdict.failing in ("slow", "memory", "crash") else 400
        return replace(case, spec=minimised(case.spec, fails, tries=tries))

    def save(self, key: tuple[str, str]) -> None:
        number, case, verdict = self.failures[key]
        name = "".join(c if c.isalnum() else "-" for c in f"{verdict.failing}-{verdict.place}")[:80]
        put(case, self.folder / name)
        again = f"python -m tests.fuzz --seed {self.seed} --only {number}"
        what = f"{verdict.failing} {verdict.place}, {self.met[key]} cases, settings {case.settings!r}"
        text = f"{again}\n{what}\n{verdict.detail}\n"
        (self.folder / name / "about.txt").write_text(text, encoding="utf-8", errors="replace")

    def counts(self) -> str:
        return f"{self.with_findings:,} with findings, {self.with_graph:,} with a graph, {len(self.failures)} failures"

    def report(self) -> None:
        """Failures as cases for a test, and the closing line."""
        for (failing, place), (number, case, verdict) in self.failures.items():
            print(f"\n{failing} {place}: {self.met[failing, place]} cases, first {self.seed}:{number} ({case.kind})")
            print("\n".join(verdict.detail.splitlines()[-IN_FULL:]))
            print("".join(f"    --set {setting!r}\n" for setting in case.settings), end="")
            spec = repr(case.spec) if len(case.spec) < 1_000 else f"make_case({self.seed}, {number}).spec"
            print(f'    pytest.param({spec}, id="{failing}-{place}"),')
        sampled = f"{self.on_the_command_line} on the command line, {len(self.passing)} compiled"
        print(
            f"{self.cases:,} cases, seed {self.seed}: {self.counts()}; {sampled if self.samples else 'no samples'}; "
            f"slowest {self.slowest[0]:.2f} s (case {self.slowest[1]}), "
            f"largest {self.largest[0]:.0f} MB (case {self.largest[1]})"
        )
