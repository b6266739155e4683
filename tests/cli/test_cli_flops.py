"""`resbench flops` from the command line to its output; golden files hold how it looks."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from resbench.cli.main import call
from resbench.cli.output import Format
from resbench.metrics.flops.conventions import CONVENTIONS

Capture = pytest.CaptureFixture[str]


def printed(capfd: Capture, *arguments: str) -> str:
    assert call(["flops", *arguments]) == 0
    found = capfd.readouterr()
    assert found.err == ""
    return found.out


def as_json(capfd: Capture, *arguments: str) -> Any:
    return json.loads(printed(capfd, *arguments, "--format", "json"))


@pytest.mark.parametrize("output", list(Format))
@pytest.mark.parametrize(
    "arguments",
    [
        ["resnet50"],
        ["resnet34", "--backward"],
        ["resnet50", "--convention", "fvcore"],
        ["resnext50_32x4d", "--convention", "flop-counter-mode", "--backward", "--num-classes", "20"],
        ["cifar_resnet20(depth=8)", "--per-layer"],
        ["resnet50", "--explain", "3.8G", "4.1G", "8.2G", "4.13G", "4.11G"],
        ["cifar_resnet20", "--explain", "12.3456M"],
    ],
    ids=" ".join,
)
def test_every_view_looks_as_it_should(
    arguments: list[str], output: Format, capfd: Capture, snapshot: SnapshotAssertion
) -> None:
    text = printed(capfd, *arguments, "--format", output)
    # All that agrees is long; a test of its own looks at it.
    if "--explain" in arguments and output in (Format.JSON, Format.CSV):
        text = text[:3000]
    assert text == snapshot


def test_every_convention_in_whole_numbers(capfd: Capture) -> None:
    found = as_json(capfd, "resnet50")
    assert found["parameters"] == 25557032
    assert found["at_least"] is False
    assert list(found["conventions"]) == [convention.name for convention in CONVENTIONS]
    values = {name: one["value"] for name, one in found["conventions"].items()}
    assert values["core-macs"] == 4089184256
    assert values["paper2015"] == 3857973248
    assert found["conventions"]["paper2015"]["form"] == "resnet50(stride_on_1x1=yes)"
    assert values["voc-table"] == 8223029248
    for one in found["conventions"].values():
        assert sum(term["operations"] for term in one["terms"]) == one["value"]
        assert all(term["factor"] * term["quantity"] == term["operations"] for term in one["terms"])
    rows = list(csv.DictReader(io.StringIO(printed(capfd, "resnet50", "--format", "csv"))))
    assert {row["convention"]: int(row["value"]) for row in rows} == values


def test_input_and_classes_are_those_asked_for(capfd: Capture) -> None:
    found = as_json(
        capfd, "resnet18", "--input", "3x64x96", "--num-classes", "7", "--convention", "core-macs"
    )
    assert (found["input"], found["num_classes"]) == ("3x64x96", 7)
    # All convolutions of ResNet-18 see whole pixels at multiples of 32.
    convolutions = 1_813_561_344 * (64 * 96) // (224 * 224)
    assert found["conventions"]["core-macs"]["value"] == convolutions + 512 * 7


def test_the_backward_pass_stands_beside_conventions_that_have_one(capfd: Capture) -> None:
    found = as_json(capfd, "resnet18", "--backward")["conventions"]
    assert found["fvcore"]["backward"] is None
    core = found["core-macs"]
    assert core["backward"] == 2 * core["value"] - 147 * 64 * 112**2
    assert sum(term["operations"] for term in core["backward_terms"]) == core["backward"]


@pytest.mark.parametrize("convention", ["all", "thop", "paper2015"])
def test_layers_add_up_to_the_counts(convention: str, capfd: Capture) -> None:
    arguments = ["resnet50", "--convention", convention, "--backward"]
    whole = as_json(capfd, *arguments)["conventions"]
    layers = as_json(capfd, *arguments, "--per-layer")["layers"]
    for name in layers[0]["counts"]:
        assert sum(layer["counts"][name] for layer in layers) == whole[name]["value"]
    for name in layers[0]["backward_counts"]:
        assert sum(layer["backward_counts"][name] for layer in layers) == whole[name]["backward"]
    table = printed(capfd, *arguments, "--per-layer", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["name"] for row in rows] == [layer["name"] for layer in layers]
    assert sum(int(row["macs"]) for row in rows) == sum(layer["macs"] for layer in layers)


def test_a_program_gets_all_that_agrees(capfd: Capture) -> None:
    found = as_json(capfd, "resnet50", "--explain", "4.1G", "25.557M")["explanations"]
    assert [one["number"] for one in found] == ["4.1G", "25.557M"]
    assert len(found[0]["candidates"]) > 20
    likeliest = found[0]["candidates"][0]
    assert likeliest["conventions"] == ["core-macs", "torchvision"]
    assert likeliest["departures"] == []
    assert (likeliest["value"], likeliest["agreement"]) == (4089184256, "rounded")
    assert found[1]["agrees"] is False
    assert found[1]["no_operations"] == {"parameters": 25557032}
    shown = printed(capfd, "resnet50", "--explain", "4.1G", "--all-candidates")
    assert shown.count("rounded to 4.1G") + shown.count("cut off to 4.1G") == len(found[0]["candidates"])


def test_a_number_that_is_no_count_is_told_apart(capfd: Capture) -> None:
    shown = printed(capfd, "resnet50", "--explain", "25.557M", "11.1M")
    assert "25.557M: nothing agrees but\n  the number of parameters: 25,557,032\n" in shown
    assert "(elements out of convolutions and linear layers): 11,114,984\n" in shown


OUTSIDE = """
import torch
from torch import nn


class Odd(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Conv2d(3, 4, 3, bias=False)

    def forward(self, images):
        return torch.linalg.svdvals(self.weight(images)).flatten(1)
"""


def test_what_is_not_priced_is_named_and_makes_the_count_a_lower_bound(
    tmp_path: Path, capfd: Capture
) -> None:
    file = tmp_path / "odd.py"
    file.write_text(OUTSIDE, encoding="utf-8")
    arguments = [f"{file}:Odd", "--input", "3x10x10"]
    found = as_json(capfd, *arguments)
    assert found["at_least"] is True
    (unknown,) = found["unknown"]
    assert "svd" in unknown["operator"]
    assert found["conventions"]["core-macs"]["value"] == 27 * 4 * 8 * 8
    assert found["conventions"]["paper2015"]["value"] is None
    assert "described" in found["conventions"]["paper2015"]["reason"]
    table = printed(capfd, *arguments)
    assert f"is not in any count: {unknown['operator']} (1)." in table
    assert "at least 0.000" in table
    assert "Total: at least 6,912 MACs" in printed(capfd, *arguments, "--convention", "core-macs")


def test_torchvisions_own_network_is_counted_as_ours(capfd: Capture) -> None:
    theirs, ours = (as_json(capfd, name)["conventions"] for name in ("torchvision:resnet18", "resnet18"))
    for name in ours:
        if name != "paper2015":
            assert theirs[name]["value"] == ours[name]["value"]
    found = as_json(capfd, "torchvision:resnet18", "--explain", "29.0G")["explanations"][0]["candidates"]
    assert found[0]["departures"] == ["batch 16"]


@pytest.mark.parametrize(
    "arguments", ["resnet50", "resnet50 --explain 4.1G", "resnet50 --per-layer --backward", "--help"]
)
def test_a_catalogued_network_needs_no_torch(arguments: str) -> None:
    heavy = {"torch", "torchvision", "rich", "pandas", "numpy", "tabulate", "matplotlib", "sqlalchemy"}
    program = (
        f"import sys; from resbench.cli.main import call; call(['flops', *{arguments.split()!r}]); "
        f"print(sorted({heavy!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert done.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("resnet5", "unknown model 'resnet5': did you mean"),
        ("resnet50 --convention fvcor", "unknown FLOP convention 'fvcor': did you mean fvcore"),
        ("resnet50 --input 3x224", "--input '3x224' is not channels x height x width"),
        ("resnet50 --input 1x28x28", "input 1x28x28 is not a picture"),
        ("vgg16 --input 3x16x16", "input 3x16x16 is too small for vgg16"),
        ("resnet50 --explain 4.1", "'4.1' is no whole number of operations: say of what, as in 4.1G"),
        ("resnet50 --explain four", "'four' is not a number of operations"),
        ("resnet50 --explain 0G", "'0G' is no operation"),
        ("resnet50 4.1G", "'4.1G' is one argument too many: numbers to explain follow --explain"),
        ("--explain 3.8G 4.1G resnet50", "'4.1G' stands where the network should"),
        ("resnet50 --all-candidates", "--all-candidates goes with --explain"),
        ("resnet50 --per-layer --explain 4G", "--per-layer and --explain do not go together"),
        ("resnet50 --backward --explain 4G", "--backward does not go with --explain"),
        ("resnet50 --convention flops --reconcile", "--convention does not go with --reconcile"),
        ("resnet50 --num-classes 0", "0 is not in the range"),
        ("torchvision:resnet18 --convention paper2015", "paper2015 does not apply to torchvision:resnet18"),
        ("torchvision:resnet18 --per-layer --convention paper2015", "paper2015 does not apply"),
    ],
)
def test_bad_input_gets_one_line(arguments: str, line: str, capfd: Capture) -> None:
    assert call(["flops", *arguments.split()]) == 2
    found = capfd.readouterr()
    assert found.out == ""
    assert line in found.err
    assert found.err.count("\n") == 1
