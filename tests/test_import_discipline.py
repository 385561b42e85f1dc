"""What is imported when: none of the heavy packages to analyse a spec, only torch and numpy to train one."""

import subprocess
import sys
from pathlib import Path

from specforge.expand.ids import MODULE_ATTRIBUTES

ROOT = Path(__file__).parent.parent
HEAVY = ("torch", "torchvision", "numpy", "matplotlib", "safetensors", "typer", "rich", "jinja2")

SPEC = """
specforge: 1
name: all_of_it
params: {width: 8}
blocks:
  unit:
    params: {channels: required}
    layers:
      - {conv: {out_channels: $channels, kernel_size: 3, padding: same}, init: {weight: kaiming_normal}}
      - batch_norm
      - relu
model:
  input: [3, 32, 32]
  defaults: {batch_norm: {eps: 1e-3}}
  init: [{select: {kind: linear}, initializer: zeros}]
  layers:
    - repeat: {times: 2, layers: [{unit: $width}, {max_pool: 2}]}
    - residual: {layers: [{unit: 16}], shortcut: projection}
    - global_avg_pool
    - dropout: 0.5
    - linear: 10
data:
  dataset: cifar10
  split: {train: 0.9, validation: 0.1}
  augment: [horizontal_flip, {crop: 4}]
train:
  epochs: 5
  batch_size: 64
  optimizer: {sgd: {lr: 0.1, momentum: 0.9}}
  schedule: cosine
  loss: cross_entropy
  checkpoint: best_validation_accuracy
"""

SCRIPT = f"""
import sys
for name in {HEAVY!r}:
    sys.modules[name] = None
from specforge.analysis import analyse
analysis = analyse(sys.argv[1])
assert [found.message for found in analysis.findings] == [], [found.message for found in analysis.findings]
assert analysis.graph is not None
print(analysis.graph.output)
"""


def test_a_spec_is_analysed_without_the_heavy_packages(tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text(SPEC)
    done = subprocess.run([sys.executable, "-c", SCRIPT, file], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "(10,)\n", "")


def test_every_word_of_the_catalogue_is_known_without_the_heavy_packages() -> None:
    script = (
        f"import sys\nfor name in {HEAVY!r}:\n    sys.modules[name] = None\n"
        "from specforge.catalog.discovery import FAMILIES, definition, index\n"
        "print(sum(definition(family, word) is not None for family in FAMILIES for word in index(family)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 50


def test_a_spec_imports_only_the_families_that_it_uses(tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text("specforge: 1\nname: small\nmodel: {input: [3], layers: [{linear: 10}]}\n")
    script = (
        "import sys\nfrom specforge.analysis import analyse\nanalyse(sys.argv[1]).require()\n"
        "print(*sorted(name for name in sys.modules if name.startswith('specforge.catalog.layers.')))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, file], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["specforge.catalog.layers.linear"]


FIRST_STEP = """
import sys
from specforge.cli import main, progress

def on_step(self, epoch, step, steps, loss):
    print("step", step)
    print(*sorted(sys.modules))
    raise SystemExit

progress.Lines.on_step = on_step
main()
"""
# what a run needs later, or what nothing in it needs: together as long to import as torch itself, or longer
LATER = {"matplotlib", "PIL", "jinja2", "rich", "sklearn", "sympy", "torchvision", "triton"}
LATER_PARTS = {"specforge.report", "torch._dynamo", "torch._inductor", "torch.distributed.fsdp", "torch.onnx"}


def test_training_takes_its_first_step_without_what_it_needs_later(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FIRST_STEP, "train", "specs/quickstart.yaml", "--out", tmp_path / "run"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    step, modules = done.stdout.splitlines()
    assert step == "step 1"
    loaded = set(modules.split())
    assert "torch" in loaded
    # some versions of torch import some of these by themselves
    bare = [sys.executable, "-c", "import sys, torch; print(*sys.modules)"]
    by_torch = set(subprocess.run(bare, capture_output=True, text=True, check=True).stdout.split())
    assert loaded & (LATER | LATER_PARTS) - by_torch == set()


def test_no_id_can_hide_an_attribute_of_a_torch_module() -> None:
    import torch

    for module in (torch.nn.Module(), torch.nn.Sequential(), torch.nn.ModuleList()):
        public = {name for name in dir(module) if not name.startswith("_")}
        assert public - MODULE_ATTRIBUTES == set()
