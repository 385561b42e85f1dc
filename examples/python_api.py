"""specforge from Python: prove a spec, count, build the network, train it briefly, compare two specs."""

from pathlib import Path
from tempfile import TemporaryDirectory

import torch

import specforge
from specforge.analysis import analyse

SPECS = Path(__file__).parents[1] / "specs"


def main() -> None:
    # Prove it. Mistakes would raise specforge.SpecError, with every one of them in `.diagnostics`.
    spec = specforge.load(SPECS / "quickstart.yaml")
    assert spec.train is not None
    print(f"{spec.name}: {spec.train.epochs} epochs of {spec.train.batch_size} images a step")

    # Count, without torch: the graph knows every layer's path, shapes, parameters and cost.
    _, graph = analyse(SPECS / "quickstart.yaml").require()
    print(f"{graph.trainable_parameters:,} trainable parameters, {graph.macs:,} MACs")
    for node in graph.leaves():
        if node.kind == "conv":
            print(f"  {node.path}: {list(node.input)} -> {list(node.output)}")

    # Build: a torch.nn.Module like any other. `seed` makes its first weights repeatable.
    module = specforge.compile(spec, seed=0)
    assert sum(parameter.numel() for parameter in module.parameters()) == graph.trainable_parameters
    logits = module(torch.rand(4, 1, 8, 8))
    print(f"four images -> {tuple(logits.shape)}")

    # Train, with settings as in `--set`. The folder holds weights, metrics and a report.
    with TemporaryDirectory() as folder:
        run = specforge.train(SPECS / "quickstart.yaml", settings=("train.epochs=2",), out=Path(folder) / "run")
        print(f"after 2 epochs {run.result.test_accuracy:.0%} of the test images are right")

    # Compare by meaning, not by text.
    found = specforge.diff(SPECS / "lab2.yaml", SPECS / "lab2_bn.yaml")
    print(f"the same: {found.same}; layers added: {len(found.architecture.added)}")


if __name__ == "__main__":
    main()
