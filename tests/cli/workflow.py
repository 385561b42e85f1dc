"""Runs a GitHub workflow here: each `run` in bash as the runner does it, composite actions by their own steps.

Steps that check out or set up Python are what they lead to: the repository is there, and so is the Python. `${{ … }}`
holds a name of a context; `if` holds two with `==` between them, `!cancelled()`, or both. Nobody cancels.
"""

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


@dataclass
class Outcome:
    """What one `run` step did."""

    name: str
    code: int
    stdout: str
    stderr: str


@dataclass
class Runner:
    """One job on one machine. `variables` are those that GitHub sets; `contexts` what expressions see."""

    repository: Path
    temporary: Path
    action: Path
    python: Path
    variables: dict[str, str]
    contexts: dict[str, str] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def summary(self) -> Path:
        return self.temporary / "summary.md"

    def run(self, workflow: str) -> list[Outcome]:
        """The steps of the only job; after one that fails, those that do not mind."""
        (job,) = yaml.safe_load(workflow)["jobs"].values()
        self._steps(job["steps"], {})
        return self.outcomes

    def _steps(self, steps: list[dict[str, Any]], inputs: dict[str, str]) -> None:
        for step in steps:
            if not self._is_due(str(step.get("if", "")), inputs):
                continue
            if "run" in step:
                self._execute(step, inputs)
            else:
                self._use(step, inputs)

    def _use(self, step: dict[str, Any], inputs: dict[str, str]) -> None:
        name = str(step["uses"]).partition("@")[0]
        given = {key: self._filled(str(value), inputs) for key, value in step.get("with", {}).items()}
        if name == "actions/setup-python":
            self.contexts[f"steps.{step['id']}.outputs.python-path"] = str(self.python)
        elif name in ("OWNER/specforge", "./"):
            action = yaml.safe_load((self.action / "action.yml").read_text(encoding="utf-8"))
            assert set(given) <= set(action["inputs"])
            own = {key: given.get(key, about["default"]) for key, about in action["inputs"].items()}
            self._steps(action["runs"]["steps"], own)
        else:
            assert name == "actions/checkout", name

    def _execute(self, step: dict[str, Any], inputs: dict[str, str]) -> None:
        script = self.temporary / "script.sh"
        script.write_text(self._filled(step["run"], inputs), encoding="utf-8")
        more = self.temporary / "path"
        folders = more.read_text(encoding="utf-8").split() if more.exists() else []
        path = os.pathsep.join([*reversed(folders), os.environ["PATH"]])
        named = {name: self._filled(str(value), inputs) for name, value in step.get("env", {}).items()}
        own = {"GITHUB_PATH": str(more), "GITHUB_STEP_SUMMARY": str(self.summary), "RUNNER_TEMP": str(self.temporary)}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.repository,
            env=os.environ | self.variables | own | named | {"PATH": path},
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.outcomes.append(Outcome(step.get("name", step["run"]), done.returncode, done.stdout, done.stderr))

    def _filled(self, text: str, inputs: dict[str, str]) -> str:
        return _EXPRESSION.sub(lambda found: self._value(found[1], inputs), text)

    def _value(self, name: str, inputs: dict[str, str]) -> str:
        known = {**self.contexts, **{f"inputs.{key}": value for key, value in inputs.items()}}
        known["github.action_path"] = str(self.action)
        return known[name]

    def _is_due(self, condition: str, inputs: dict[str, str]) -> bool:
        whole = _EXPRESSION.fullmatch(condition)
        parts = [part for part in (whole[1] if whole else condition).split(" && ") if part]
        minds = "!cancelled()" not in parts
        if minds and any(outcome.code != 0 for outcome in self.outcomes):
            return False
        return all(part == "!cancelled()" or self._holds(part, inputs) for part in parts)

    def _holds(self, condition: str, inputs: dict[str, str]) -> bool:
        left, _, right = condition.partition(" == ")
        return self._value(left, inputs) == self._value(right, inputs)
