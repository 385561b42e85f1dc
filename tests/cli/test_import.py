"""`specforge import`: sources, where the spec goes, and what is said when nothing comes out."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from specforge.analysis import analyse
from specforge.cli import application

ROOT = Path(__file__).parents[2]
TINY_CFG = "[net]\nwidth=8\nheight=8\nchannels=3\n[connected]\noutput=2\nactivation=linear\n"


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(application({"import": "import_", "list": "list_words"}), ["import", *arguments])
    return result.exit_code, result.stdout, result.stderr


def one_line(text: str) -> str:
    return " ".join(text.split())


def test_a_network_of_torchvision_to_stdout(tmp_path: Path) -> None:
    pytest.importorskip("torchvision.models", exc_type=ImportError)
    code, out, err = run("torchvision:squeezenet1_1")
    assert (code, err) == (0, "")
    assert out.startswith("# Made by `specforge import torchvision:squeezenet1_1`.\nspecforge: 1\n")
    (tmp_path / "squeezenet1_1.yaml").write_text(out)
    _, graph = analyse(tmp_path / "squeezenet1_1.yaml").require()
    assert graph.trainable_parameters == 1_235_496


def test_a_network_of_torchvision_into_a_file(tmp_path: Path) -> None:
    pytest.importorskip("torchvision.models", exc_type=ImportError)
    code, out, err = run("torchvision:alexnet", "--output-file", str(tmp_path / "net.yaml"))
    assert (code, out) == (0, "")
    assert one_line(err) == one_line(f"wrote {tmp_path / 'net.yaml'}")
    assert "  - {id: classifier, linear: 1000}\n" in (tmp_path / "net.yaml").read_text()


def test_published_weights_beside_the_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With torchvision's file in place of the network: the tensors have the spec's names then."""
    models = pytest.importorskip("torchvision.models", exc_type=ImportError)
    import torch
    from safetensors.torch import load_file

    import specforge

    theirs = models.squeezenet1_1()
    torch.save(theirs.state_dict(), tmp_path / "published.pth")
    monkeypatch.setattr(
        "specforge.torch_backend.pretrained.published_file", lambda *_, **__: tmp_path / "published.pth"
    )
    code, _, err = run("torchvision:squeezenet1_1", "-o", str(tmp_path / "net.yaml"), "--weights")
    assert (code, "net.safetensors" in err) == (0, True)
    ours = specforge.compile(tmp_path / "net.yaml", weights=tmp_path / "net.safetensors").eval()
    assert set(load_file(tmp_path / "net.safetensors")) == set(ours.state_dict())
    images = torch.rand(1, 3, 224, 224)
    assert torch.equal(ours(images), theirs.eval()(images))


@pytest.mark.parametrize(("ending", "kind"), [(".cfg", "a Darknet .cfg"), (".json", "a Keras .json")])
def test_weights_that_nobody_publishes(tmp_path: Path, ending: str, kind: str) -> None:
    (tmp_path / f"tiny{ending}").write_text(TINY_CFG)
    code, _, err = run(str(tmp_path / f"tiny{ending}"), "-o", str(tmp_path / "tiny.yaml"), "--weights")
    assert (code, (tmp_path / "tiny.yaml").exists()) == (2, False)
    assert f"--weights is for torchvision: {kind} has no published weights" in one_line(err)


def test_a_file_that_is_there_is_replaced_by_force_alone(tmp_path: Path) -> None:
    (tmp_path / "tiny.cfg").write_text(TINY_CFG)
    spec = tmp_path / "tiny.yaml"
    spec.write_text("mine")
    code, _, err = run(str(tmp_path / "tiny.cfg"), "-o", str(spec))
    assert (code, spec.read_text()) == (1, "mine")
    assert "tiny.yaml is already there hint: give another name, or replace it with `--force`" in one_line(err)
    assert run(str(tmp_path / "tiny.cfg"), "-o", str(spec), "--force")[0] == 0
    assert "specforge: 1" in spec.read_text()


def test_weights_that_are_there_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "net.safetensors").write_text("mine")
    code, _, err = run("torchvision:alexnet", "-o", str(tmp_path / "net.yaml"), "--weights")
    assert (code, (tmp_path / "net.yaml").exists()) == (1, False)
    assert "net.safetensors is already there" in one_line(err)


def test_weights_need_a_place() -> None:
    code, _, err = run("torchvision:alexnet", "--weights")
    assert code == 2
    assert "give `--output-file` too" in one_line(err.replace("│", ""))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("torchvision:resnet5O", "torchvision has no classification network `resnet5O`"),
        (
            "torchvison:resnet50",
            "`torchvison:resnet50` is nothing that can be imported hint: did you mean `torchvision`?",
        ),
        (
            "net.xyz",
            "`net.xyz` is nothing that can be imported hint: give `torchvision:NAME`, or a file that ends with `.cfg`, "
            "`.json`, `.safetensors`, `.pth`, `.pt`",
        ),
        ("net.yaml", "hint: `net.yaml` is already a spec: `specforge validate net.yaml`"),
        ("resnet18", "`resnet18` is nothing that can be imported hint: did you mean `torchvision:resnet18`?"),
        ("resnet18.", "hint: give `torchvision:NAME`, or a file that ends with"),
        (
            "torchvision:swin_v2_t",
            "calls `torch.nn.functional.pad` here in a way that can't be imported",
        ),
        ("torchvision:maxvit_t", "calls `torch.functional.einsum`, which no layer of the language does"),
        ("missing.cfg", "missing.cfg: No such file or directory"),
    ],
)
def test_what_can_not_be_imported(source: str, message: str) -> None:
    if source.startswith("torchvision:") or source == "resnet18":
        pytest.importorskip("torchvision.models", exc_type=ImportError)
    code, out, err = run(source)
    assert (code, out) == (1, "")
    assert message in one_line(err)


def test_without_torchvision_the_message_says_what_to_install() -> None:
    script = (
        "import sys\nsys.modules['torchvision'] = None\nfrom specforge.cli import main\n"
        "sys.argv = ['specforge', 'import', 'torchvision:resnet18']\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "torchvision can't be imported" in one_line(done.stderr)
    assert "pip install torch torchvision" in one_line(done.stderr)


def test_a_network_becomes_a_spec_without_torch() -> None:
    script = (
        "import sys\nfor name in ('torch', 'torchvision', 'numpy', 'safetensors', 'typer', 'rich'):\n"
        "    sys.modules[name] = None\n"
        "from specforge.importing.network import Network, Operation\n"
        "from specforge.importing.specs import spec_of\n"
        "layer = Operation('linear', {'out_features': 2}, (0,), 'fc', ('fc.weight', 'fc.bias'), (2,))\n"
        "print(dict(spec_of(Network('small', (4,), (layer,), 1), comment='small').names))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "{'classifier.weight': 'fc.weight', 'classifier.bias': 'fc.bias'}\n"
