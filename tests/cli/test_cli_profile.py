"""`resbench profile` from the command line to its output, and what it says to bad input."""

import csv
import io
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.cli.main import call
from resbench.cli.profile import parse_input
from resbench.errors import UsageError


def test_resnet50_as_json(capfd: pytest.CaptureFixture[str]) -> None:
    assert call(["profile", "resnet50", "--format", "json", "--quick"]) == 0
    printed = capfd.readouterr()
    assert printed.err == ""
    found = json.loads(printed.out)
    assert found["parameters"] == 25557032
    assert found["core_macs"] == 4089184256
    assert found["size_mib"] == 97.492
    assert found["size_bytes"] == 4 * 25557032
    assert found["conventions"]["voc-table"]["flops"] == 8223029248
    assert found["cross_check"]["fvcore"]["macs"] == 4111512576
    assert {check["unexplained"] for check in found["cross_check"].values()} == {0}
    assert found["input"] == "3x224x224"
    assert found["latency"]["low"] <= found["latency"]["median"] <= found["latency"]["high"]
    assert found["latency"]["n"] >= 10
    assert found["throughput"]["unit"] == "images/s"
    assert found["peak_memory_bytes"] > found["size_bytes"]
    assert {"machine", "software", "settings"} <= found["environment"].keys()


def test_what_was_asked_for_is_what_is_measured(capfd: pytest.CaptureFixture[str]) -> None:
    options = "--batch-size 2 --input 3x17x9 --num-classes 7 --precision bf16 --seed 5 --quick --format"
    assert call(["profile", "cifar_resnet20", *options.split(), "json"]) == 0
    found = json.loads(capfd.readouterr().out)
    asked = ("batch_size", "input", "num_classes", "precision", "seed", "device")
    assert [found[name] for name in asked] == [2, "3x17x9", 7, "bf16", 5, "cpu"]
    assert call(["profile", "cifar_resnet20", *options.split(), "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))
    macs = {row["method"]: float(row["value"]) for row in rows if row["metric"] == "macs"}
    assert macs["core"] == found["core_macs"]
    assert next(row for row in rows if row["metric"] == "latency")["unit"] == "s"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("resnet5", "unknown model 'resnet5': did you mean resnet50"),
        ("resnet50 --input 3x0x9", "input 3x0x9 is not a picture: give 3 channels, height and width"),
        ("resnet50 --input 3x224", "--input '3x224' is not channels x height x width"),
        ("resnet50 --input 1x28x28", "input 1x28x28 is not a picture"),
        ("resnet50 --device gpu", "unknown device 'gpu': did you mean cuda?"),
        ("resnet50 --device cuda:99", "device 'cuda:99' is not there"),
        ("resnet50 --precision fp16", "precision 'fp16' is for GPUs: on a CPU use bf16 or fp32"),
        ("resnet50 --precision fp33", "did you mean fp32"),
        ("resnet50 --batch-size 0", "0 is not in the range"),
        ("resnet50 --num-classes 0", "0 is not in the range"),
        ("resnet50 --format jsno", "did you mean json"),
    ],
)
def test_bad_input_gets_one_line(arguments: str, line: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert call(["profile", *arguments.split()]) == 2
    printed = capfd.readouterr()
    assert printed.out == ""
    assert line in printed.err
    assert printed.err.count("\n") == 1


def test_help_shows_examples_and_loads_no_torch() -> None:
    program = "import sys; from resbench.cli.main import call; call(['profile', '--help']); assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "resbench profile resnet50 --format json" in done.stdout


@given(shape=st.tuples(*[st.integers(0, 999_999_999)] * 3))
def test_a_shape_survives_being_written_and_read(shape: tuple[int, int, int]) -> None:
    assert parse_input("x".join(map(str, shape))) == shape
    assert parse_input("X".join(map(str, shape))) == shape


@given(text=st.text(alphabet="0123456789xX-+. ,²", max_size=14))
def test_any_text_is_a_shape_or_refused(text: str) -> None:
    try:
        shape = parse_input(text)
    except UsageError as error:
        assert "is not channels x height x width" in str(error)  # noqa: PT017 - either outcome is allowed
    else:
        assert [int(part) for part in text.lower().strip().split("x")] == list(shape)
