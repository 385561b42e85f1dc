"""The published weights of an imported network -> a file of safetensors with the spec's names."""

from pathlib import Path

from specforge.importing.network import ImportFailure


def fetch_weights(spec: Path, file: Path) -> None:
    """Fetch what a spec's `weights` names, check it, and write it under the spec's names to `file`.

    ImportFailure where nothing is published, or it can't be had or does not fit.
    """
    from safetensors.torch import save_file

    from specforge.analysis import analyse
    from specforge.torch_backend import build, load_weights
    from specforge.torch_backend.pretrained import published_file
    from specforge.torch_backend.weights import WeightsError

    found, graph = analyse(spec).require()
    if found.weights is None or found.weights.url is None:
        raise ImportFailure(f"no weights of `{found.name}` are published", hint="import it without `--weights`")
    module = build(graph, seed=0)
    try:
        load_weights(module, published_file(found.weights, found.name, download=True), found.weights)
    except WeightsError as error:
        raise ImportFailure(error.message, hint=error.hint) from None
    save_file(module.state_dict(), file)
