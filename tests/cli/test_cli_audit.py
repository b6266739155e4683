"""`resbench audit` from the command line to its output, and what it says to bad input."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from resbench.architectures.naming import find_architecture
from resbench.cli.main import call
from resbench.models.build import build

FOREIGN = Path(__file__).parents[1] / "architectures" / "foreign_networks.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with `resnet110.pth`, which is option B, and `net.safetensors`."""
    found = tmp_path_factory.mktemp("checkpoints")
    module = build(find_architecture("cifar_resnet110_b"))
    torch.save({"state_dict": module.state_dict(), "epoch": 164}, found / "resnet110.pth")
    save_file(build(find_architecture("cifar_resnet20(width=32)")).state_dict(), found / "net.safetensors")
    return found


def printed(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert call(["audit", *arguments]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    return out


def test_the_misleading_resnet110(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = printed(capfd, str(folder / "resnet110.pth"))
    assert "This is cifar_resnet110_b: the same names and shapes.\n" in out
    assert "The name says cifar_resnet110, but it is cifar_resnet110_b;" in out
    assert "1,730,714 parameters, where cifar_resnet110 has 1,727,962." in out
    assert "A checkpoint holds no strides" in out


def test_a_checkpoint_as_json(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capfd, str(folder / "net.safetensors"), "--format", "json"))
    assert found["exact"] is False
    assert [one["name"] for one in found["networks"]] == ["cifar_plain20", "cifar_resnet20"]
    assert [one["trait"] for one in found["networks"][0]["differences"]] == ["width", "stem"]
    assert (found["classes"], found["input"], found["claim"]) == (10, None, "")
    assert len(found["next_nearest"]) == 3


def test_a_module_whose_code_says_resnet50_and_has_the_papers_strides(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "resnet50.py"
    file.write_text(FOREIGN.read_text() + "\n\ndef build(): return resnet50_of_the_paper()\n")
    found = json.loads(printed(capfd, f"{file}:build", "--format", "json"))
    assert [one["name"] for one in found["networks"]] == ["resnet50_v1"]
    assert found["exact"] is True
    assert found["traits"]["stride placement"] == "on the first convolution (1x1)"
    assert found["claim"].startswith(
        "the name says resnet50, but it is resnet50_v1; stride placement: on the first convolution (1x1), "
        "where resnet50 has on the second convolution (3x3)"
    )


def test_a_near_miss_as_csv(capfd: pytest.CaptureFixture[str]) -> None:
    out = printed(capfd, f"{FOREIGN}:resnet56_padded_on_both_sides", "--input", "3x32x32", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert row == {
        "network": "cifar_resnet56",
        "exact": "False",
        "trait": "padding side",
        "found": "1/2 of the channels of zeros in front, the rest behind",
        "expected": "all channels of zeros behind",
        "where": "units.9, 2 of 2 units",
    }


def test_torchvisions_resnet50_is_v1_5(capfd: pytest.CaptureFixture[str]) -> None:
    out = printed(capfd, "torchvision:resnet50", "--format", "markdown")
    assert "This is resnet50: every layer is the same and reads the same layers." in out
    assert "| stride placement" in out
    assert "on the second convolution (3x3)" in out


def test_a_described_choice_is_recognised(capfd: pytest.CaptureFixture[str]) -> None:
    assert "This is resnet18_a:" in printed(capfd, "resnet18(shortcut=A)")


def test_a_described_near_miss_as_table(capfd: pytest.CaptureFixture[str]) -> None:
    assert printed(capfd, "cifar_resnet56(block_bias=yes)") == (
        "cifar_resnet56(block_bias=yes): 196 layers of its description, 855,034 parameters, 10 classes, "
        "input 3x32x32\n"
        "\n"
        "This is none of the catalogued networks; the nearest is cifar_resnet56: 1 trait differs.\n"
        "\n"
        "trait             found  expected  where\n"
        "----------------  -----  --------  ------------------------\n"
        "convolution bias  yes    no        layer1.0, 27 of 27 units\n"
        "\n"
        "Next nearest: cifar_resnet56_b (2 traits), cifar_plain56 (2 traits), cifar_resnet44 (2 traits).\n"
        "Parameters with as many classes: cifar_resnet56 853,018, cifar_resnet56_b 855,770, "
        "cifar_plain56 853,018, cifar_resnet44 658,586.\n"
        "Not compared: probabilities of dropouts, constants of scalings, the weights themselves.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("resnet5", "unknown model 'resnet5': did you mean resnet50"),
        ("absent.pth", "there is no file 'absent.pth'"),
        (str(FOREIGN), "is a Python file: name the callable in it, as in"),
        (f"{FOREIGN}:absent", "absent"),
        ("resnet50 --input 3x0x9", "input 3x0x9 is not a picture"),
        ("absent.pth --input 3x9x9", "is a checkpoint, which has no input: leave out --input"),
        (str(FOREIGN.parent / "test_anatomy.pth"), "there is no file"),
    ],
)
def test_bad_input_is_one_line(arguments: str, line: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert call(["audit", *arguments.split()]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert line in err
    assert err.count("\n") == 1


def test_a_described_network_is_audited_without_torch() -> None:
    code = (
        "import sys\nfrom resbench.cli.main import call\n"
        "code = call(['audit', 'cifar_resnet20'])\nsys.exit('torch was imported' if 'torch' in sys.modules else code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "This is cifar_resnet20" in done.stdout
