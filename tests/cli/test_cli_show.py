"""`resbench show` from the command line to its tree, and what it says to bad input."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import torch
from syrupy.assertion import SnapshotAssertion

from resbench.catalog import gather
from resbench.cli.main import call
from resbench.models.build import build

NET = """
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self, width=8, num_classes=10):
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, 2))
            self.head = nn.Linear(width, num_classes)
            self.unused = nn.Linear(2, 2)

        def forward(self, images):
            print("noise")
            found = torch.linalg.svdvals(self.body(images).mean((2, 3)).unsqueeze(1))
            return self.head(found.expand(-1, self.head.in_features))
"""


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert call(["show", *arguments]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def walked(parts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for part in parts:
        yield part
        yield from walked(part["parts"])


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "net.py").write_text(dedent(NET), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return "net.py:Net"


@pytest.mark.parametrize(
    "arguments",
    [
        "resnet50",
        "resnet18 --depth 2",
        "cifar_resnet20(depth=8) --depth 3",
        "vgg16",
        "densenet121 --input 3x64x64",
    ],
)
def test_a_network_of_ours(
    arguments: str, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    assert shown(capsys, *arguments.split()) == snapshot


@pytest.mark.parametrize("form", ["csv", "markdown"])
def test_other_forms(form: str, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion) -> None:
    assert shown(capsys, "cifar_resnet110_preact", "--format", form) == snapshot


def test_somebody_elses_network(capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion) -> None:
    assert shown(capsys, "torchvision:squeezenet1_1") == snapshot


def test_what_is_not_priced_is_named(net: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = shown(capsys, net, "--input", "1x28x28")
    assert "noise" not in table
    assert "Not priced, and in no sum: aten._linalg_svd." in table
    assert "6 of 760 parameters are in no layer that ran." in table
    found = json.loads(shown(capsys, net, "--input", "1x28x28", "--format", "json"))
    assert found["unpriced"] == ["aten._linalg_svd"]
    # 3x3 from 1 to 8 channels at 28x28, from 8 to 8 at 13x13, 8 features to 10
    assert found["core_macs"] == 9 * 8 * 28**2 + 9 * 64 * 13**2 + 80
    assert found["parameters"] == 760


@pytest.mark.parametrize("name", ["resnet18", "cifar_resnet110_exclusive_gating", "vgg16", "densenet121"])
def test_the_tree_adds_up_and_has_the_shapes_of_the_module(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = json.loads(shown(capsys, name, "--depth", "3", "--format", "json"))
    costs = gather("architectures", "ARCHITECTURES")[name].costs
    assert (found["parameters"], found["core_macs"]) == (costs.parameters, costs.core_macs)
    for part in ({"parts": found["parts"], **costs_of(found)}, *walked(found["parts"])):
        if part["parts"]:
            assert costs_of(part) == {
                key: sum(child[key] for child in part["parts"]) for key in ("parameters", "core_macs")
            }
    assert sum(part["share"] for part in found["parts"]) == pytest.approx(1, abs=1e-4)
    with torch.device("meta"):
        network = build(gather("architectures", "ARCHITECTURES")[name]).eval()
        shapes = module_shapes(network, found["input"])
    stages = {part["path"]: part["output"] for part in walked(found["parts"]) if part["path"] in shapes}
    assert stages
    assert all(
        shapes[path] == shape for path, shape in stages.items() if path.startswith(("layer", "features.d"))
    )


def costs_of(part: dict[str, Any]) -> dict[str, int]:
    return {key: part[key] for key in ("parameters", "core_macs")}


def module_shapes(network: torch.nn.Module, size: str) -> dict[str, list[int]]:
    """Return the shape of what each module that runs once returns; the last of those that run several times."""
    shapes: dict[str, list[int]] = {}

    def note(name: str) -> Any:
        return lambda _module, _inputs, output: shapes.__setitem__(name, list(output.shape[1:]))

    for name, module in network.named_modules():
        module.register_forward_hook(note(name))
    network(torch.zeros(1, *map(int, size.split("x"))))
    return shapes


def test_csv_has_a_record_for_each_part_of_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    tree = json.loads(shown(capsys, "resnet34_a", "--depth", "3", "--format", "json"))["parts"]
    rows = list(csv.DictReader(io.StringIO(shown(capsys, "resnet34_a", "--depth", "3", "--format", "csv"))))
    assert [row["path"] for row in rows] == [part["path"] for part in walked(tree)]
    assert [int(row["core_macs"]) for row in rows] == [part["core_macs"] for part in walked(tree)]
    assert {row["depth"] for row in rows} == {"1", "2", "3"}


def test_weights_that_fit_are_said_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "w.pth"
    torch.save(
        build(gather("architectures", "ARCHITECTURES")["cifar_resnet20"], classes=3).state_dict(), file
    )
    table = shown(capsys, "cifar_resnet20", "--num-classes", "3", "--weights", str(file))
    assert "Weights w.pth, SHA-256 " in table
    # 19 convolutions of one tensor, each with a batch norm of five, and a linear layer of two
    assert " fit: 116 tensors." in table
    assert call(["show", "cifar_resnet20", "--weights", str(file)]) == 2
    assert capsys.readouterr().err.endswith("; give --num-classes 3\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("resnet5", "unknown model 'resnet5': did you mean resnet50"),
        ("resnet50 --input 3x8", "--input '3x8' is not channels x height x width"),
        ("resnet50 --input 1x28x28", "input 1x28x28 is not a picture"),
        ("resnet50 --depth 0", "0 is not in the range"),
        ("resnet50 --weights gone.pth", "there is no weight file 'gone.pth'"),
        ("torchvision:resnet5", "unknown model 'torchvision:resnet5': did you mean resnet50"),
    ],
)
def test_bad_input_gets_one_line(arguments: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["show", *arguments.split()]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert line in printed.err
    assert printed.err.count("\n") == 1


def test_a_picture_that_does_not_suit_somebody_elses_network_is_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(["show", "torchvision:resnet18", "--input", "4x32x32"]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("resbench: ResNet fails on an input of 4x32x32, in conv1: RuntimeError")
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--help"], ["resnet152"], ["resnet34(option=A)", "--depth", "3"]])
def test_our_networks_are_shown_without_torch(arguments: list[str]) -> None:
    program = (
        "import sys; from resbench.cli.main import call; "
        f"code = call(['show', *{arguments!r}]); assert 'torch' not in sys.modules; sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
