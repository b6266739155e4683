"""`resbench profile` from the command line to its output, and what it says to bad input."""

import csv
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.cli.asked_cases import parse_input
from resbench.cli.main import call
from resbench.errors import UsageError
from resbench.models.build import build
from resbench.trial.case import Case


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
    assert found["latency"]["n"] >= 3  # one call in each process at least, however busy the machine is
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


def test_a_network_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.py").write_text(
        "from torch import nn\n"
        "class Net(nn.Sequential):\n"
        "    def __init__(self, width=4, num_classes=2):\n"
        "        super().__init__(nn.Conv2d(1, width, 3), nn.Flatten(), nn.Linear(36 * width, num_classes))\n"
        "        self.unused = nn.Linear(1, 1)\n"
        "    def forward(self, images):\n"
        "        print('noise')\n"
        "        return self[2](self[1](self[0](images)))\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    model, classes = "net.py:Net(width=5)", ["--num-classes", "7"]
    assert call(["profile", model, "--input", "1x8x8", *classes, "--quick", "--format", "json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["model"], found["num_classes"], found["input"]) == (model, 7, "1x8x8")
    # 3x3 from 1 to 5 channels with bias, 180 features to 7 classes, and two numbers that no layer reads
    assert found["parameters"] == 5 * 9 + 5 + 180 * 7 + 7 + 2
    assert found["core_macs"] == 36 * 45 + 180 * 7
    assert any("2 of 1319 parameters are in no layer that ran" in note for note in found["notes"])
    assert call(["profile", "net.py:Net", "--input", "1x8x8", "--quick"]) == 0
    assert capfd.readouterr().out.startswith("net.py:Net: input 1x8x8, batch 1, fp32, cpu\n")


BRIEFLY = ["--quick", "--processes", "1", "--time-budget", "0.1", "--threads", "1"]


def test_several_batches_are_one_table_with_ratios(capfd: pytest.CaptureFixture[str]) -> None:
    options = ["cifar_resnet20", "--input", "3x16x16", "--batch-size", "1,4", *BRIEFLY, "--format"]
    assert call(["profile", *options, "json"]) == 0
    printed = capfd.readouterr()
    assert printed.err == ""
    found = json.loads(printed.out)
    assert [case["batch_size"] for case in found["cases"]] == [1, 4]
    assert found["cases"][0]["speed"] is None
    assert found["cases"][1]["speed"]["low"] <= found["cases"][1]["speed"]["ratio"]
    assert found["environment"]["settings"]["threads"] == "1"
    assert call(["profile", *options, "table"]) == 0
    assert "cifar_resnet20, batch 4" in capfd.readouterr().out


def set_roof(monkeypatch: pytest.MonkeyPatch, *, occupied: float = 1.0) -> None:
    """Let the machine's roof be 1 TFLOP/s and 1 TB/s, seen while its threads had a core for so much of their time."""
    from resbench.cli import profile_extras
    from resbench.metrics.roofline.ceiling import Ceilings, Rate

    rate = Rate(1e12, "by hand", 5, occupied)
    roof = Ceilings(device="cpu", precision="fp32", threads=1, convolution=rate, product=rate, copy=rate)
    monkeypatch.setattr(profile_extras, "ceilings_here", lambda *_arguments, **_options: (roof, False))


def test_no_share_of_a_disturbed_roof_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    set_roof(monkeypatch, occupied=0.3)
    options = ["--input", "3x16x16", "--roofline", *BRIEFLY, "--format", "json"]
    assert call(["profile", "cifar_resnet20", *options]) == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["roofline"]["disturbed"], found["roofline"]["mfu"]) == (True, None)
    assert found["bound"] in ("device-bound", "launch-bound")
    assert call(["profile", "cifar_resnet20", "cifar_plain20", *options]) == 0
    assert set(json.loads(capfd.readouterr().out)["mfu"].values()) == {None}
    picture = tmp_path / "roof.svg"
    shown = ["--layers", "--plot", str(picture), *options]
    assert call(["profile", "cifar_resnet20", *shown]) == 0
    layers = json.loads(capfd.readouterr().out)["layers"]
    assert {(layer["bound"], layer["of_roof"]) for layer in layers} == {(None, None)}
    assert all(layer["seconds"] is not None for layer in layers if layer["kind"] == "convolution")
    assert "(other programs ran)" in picture.read_text(encoding="utf-8")


def test_several_cases_stand_under_their_roof(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    set_roof(monkeypatch)
    options = ["cifar_resnet20", "--input", "3x16x16", "--batch-size", "1,4", "--roofline", *BRIEFLY]
    assert call(["profile", *options, "--format", "json"]) == 0
    found = json.loads(capfd.readouterr().out)
    (shown,) = found["rooflines"]
    assert shown["peak"] == 1e12
    for case, (name, share) in zip(found["cases"], found["mfu"].items(), strict=True):
        assert name == f"cifar_resnet20, batch {case['batch_size']}"
        timed = case.get("latency_as_timed") or case["latency"]
        macs = (
            640 + (40_551_040 - 640) // 4
        )  # at 32x32 all but the head's 640 belong to convolutions: here a quarter
        assert share == pytest.approx(2 * case["batch_size"] * macs / timed["median"] / 1e12)
        assert case["bound"] != "device-bound"
    assert call(["profile", *options]) == 0
    text = capfd.readouterr().out
    assert "roof of cpu, fp32, 1 thread" in text
    assert "shares of the roof" in text


def test_what_differs_stands_before_the_ratios(capfd: pytest.CaptureFixture[str]) -> None:
    options = ["cifar_resnet20", "--input", "3x16x16", "--allocator", "system,keep", *BRIEFLY, "--format"]
    assert call(["profile", *options, "table"]) == 0
    shown = capfd.readouterr().out
    line = next(
        line for line in shown.splitlines() if line.startswith("Differs, cifar_resnet20, allocator keep")
    )
    assert (
        "from cifar_resnet20, allocator system: case allocator: system -> keep; setting allocator mode: "
        in line
    )
    assert shown.index(line) < shown.index("speed")


def test_a_profile_stands_beside_an_earlier_one(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    options = ["cifar_resnet20", "--input", "3x16x16", *BRIEFLY]
    assert call(["profile", *options, "--format", "json"]) == 0
    earlier = tmp_path / "earlier.json"
    text = capfd.readouterr().out
    earlier.write_text(text, encoding="utf-8")
    before = json.loads(text)
    layout = before["environment"]["model"]["layout"]
    assert len(layout) == 12
    assert (
        call(["profile", *options, "--batch-size", "2", "--against", str(earlier), "--format", "json"]) == 0
    )
    (found,) = json.loads(capfd.readouterr().out)["against"]["cases"]
    assert {"kind": "case", "what": "batch size", "then": "1", "now": "2"} in found["differences"]
    assert found["speed"]["low"] <= found["speed"]["ratio"] <= found["speed"]["high"]
    before["environment"]["machine"]["cpu"] = "Another CPU"
    earlier.write_text(json.dumps(before), encoding="utf-8")
    assert call(["profile", *options, "--against", str(earlier)]) == 2
    assert "was measured on another machine (Another CPU)" in capfd.readouterr().err
    assert call(["profile", *options, "--against", str(earlier), "--across-machines"]) == 0
    shown = capfd.readouterr().out
    differs = shown.index("Differs, cifar_resnet20, eager")
    assert "machine cpu: Another CPU -> " in shown[differs:]
    assert differs < shown.index("against earlier.json")


def test_a_training_step_is_profiled_in_parts(capfd: pytest.CaptureFixture[str]) -> None:
    options = ["cifar_resnet20", "--mode", "training", "--batch-size", "2", *BRIEFLY, "--format", "json"]
    assert call(["profile", *options]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["mode"] == "training"
    assert found["memory"]["measured_peak"] > found["memory"]["predicted"]["weights"]
    for part in ("forward", "backward", "optimizer"):
        assert found[f"step_{part}"]["median"] > 0


def test_layers_a_picture_and_a_trace_of_one_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    set_roof(monkeypatch)
    trace, picture = tmp_path / "trace.json", tmp_path / "roof.svg"
    shown = ["--layers", "--plot", str(picture), "--trace", str(trace)]
    assert call(["profile", "cifar_resnet20", *shown, *BRIEFLY, "--format", "json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["plot"] == str(picture)
    assert "layers under the measured roof" in picture.read_text(encoding="utf-8")
    assert found["layers"][0]["bound"] in (
        "compute",
        "memory",
    )  # a picture measures the roof, if it is not known
    assert found["roofline"]["mfu"] > 0
    assert (
        len(found["layers"]) > 60
    )  # 19 convolutions, as many batch norms and ReLUs, 9 additions, pool and head
    assert found["trace"] == str(trace)
    assert trace.stat().st_size > 0


def test_which_batch_fits(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    from resbench.cli import profile_memory
    from resbench.metrics.memory.asking import Measured
    from resbench.metrics.memory.workload import Workload

    seen: dict[tuple[bool, int], int] = {}

    def measure(workload: Workload) -> Measured:
        """What is predicted, and 5 MiB on top."""
        mode = "training" if workload.training else "inference"
        case = Case(model=workload.model, input_CHW=(3, 32, 32), batch_size=workload.batch_size, mode=mode)
        peak = profile_memory.predict(case, layers_of(find_architecture(case.model))).peak + 5 * 2**20
        seen[workload.training, workload.batch_size] = peak
        return Measured(parts={}, peak=peak, method="by a fixed rule")

    monkeypatch.setattr(profile_memory, "measure", measure)
    assert call(["profile", "cifar_resnet20", "--fits", "100MiB", "--format", "json"]) == 0
    rows = json.loads(capfd.readouterr().out)
    assert [row["mode"] for row in rows] == ["inference", "training"]
    for row in rows:
        batch, training = row["largest_batch"], row["mode"] == "training"
        assert seen[training, batch] <= 100 * 2**20 < seen[training, batch + 1]
    assert rows[0]["largest_batch"] > rows[1]["largest_batch"] > 1


def test_the_largest_batch_is_found_and_used(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from resbench.cli import largest_batches
    from resbench.metrics.batch_search import BatchSearch, largest_batch

    def search(_case: Case, *, start: int) -> BatchSearch:
        assert start == 7
        return largest_batch(lambda batch_size: batch_size <= 3, start=start)

    monkeypatch.setattr(largest_batches, "find_largest_batch", search)
    monkeypatch.setattr(largest_batches, "predicted_batch", lambda _case: 7)
    assert call(["profile", "cifar_resnet20", "--batch-size", "auto", *BRIEFLY, "--format", "json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["batch_size"] == 3
    assert any("out of memory at batch 4 (6 tries); predicted: 7." in note for note in found["notes"])


def test_a_network_of_which_nothing_fits_is_a_row_beside_the_others(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from resbench.cli import largest_batches
    from resbench.metrics.batch_search import BatchSearch, largest_batch

    def search(case: Case, *, start: int) -> BatchSearch:
        most = 0 if case.model == "cifar_resnet32" else 2
        return largest_batch(lambda batch_size: batch_size <= most, start=start)

    monkeypatch.setattr(largest_batches, "find_largest_batch", search)
    monkeypatch.setattr(largest_batches, "predicted_batch", lambda _case: 2)
    options = ["--batch-size", "auto", "--input", "3x16x16", *BRIEFLY, "--format", "json"]
    assert call(["profile", "cifar_resnet32", "cifar_resnet20", *options]) == 0
    first, second = json.loads(capfd.readouterr().out)["cases"]
    assert first["failure"] == {"kind": "oom", "message": "not a single image fits (2 tries)"}
    assert (second["failure"], second["batch_size"]) == (None, 2)
    assert second["latency"]["n"] > 0
    assert call(["profile", "cifar_resnet32", *options]) == 1
    assert "cifar_resnet32: out of memory at batch 1: not a single image fits" in capfd.readouterr().err


def test_weights_are_among_the_settings(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "w.pth"
    model = build(find_architecture("cifar_plain20"))
    torch.save({"state_dict": model.state_dict()}, file)
    options = ["--weights", str(file), "--quick", "--format", "json"]
    assert call(["profile", "cifar_plain20", *options]) == 0
    found = json.loads(capfd.readouterr().out)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    assert found["environment"]["settings"]["weights"] == f"w.pth, SHA-256 {digest}"
    assert "Taken from 'state_dict' in the file." in found["notes"]
    assert call(["profile", "cifar_resnet32", *options]) == 2
    # six units of two convolutions of one tensor and two batch norms of four; counts of batches may be missing
    assert "w.pth does not fit cifar_resnet32: 60 missing" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("resnet50 --weights gone.pth", "there is no weight file 'gone.pth'"),
        ("torchvision:resnet5", "unknown model 'torchvision:resnet5': did you mean resnet50"),
        ("gone.py:Net", "there is no file 'gone.py'"),
        ("resnet5", "unknown model 'resnet5': did you mean resnet50"),
        ("resnet50 --input 3x0x9", "input 3x0x9 is not a picture: give 3 channels, height and width"),
        ("resnet50 --input 3x224", "--input '3x224' is not channels x height x width"),
        ("resnet50 --input 1x28x28", "input 1x28x28 is not a picture"),
        ("resnet50 --device gpu", "unknown device 'gpu': did you mean cuda?"),
        ("resnet50 --device cuda:99", "device 'cuda:99' is not there"),
        ("resnet50 --precision fp16", "precision 'fp16' is for GPUs: on a CPU use bf16 or fp32"),
        ("resnet50 --precision fp33", "did you mean fp32"),
        (
            "resnet50 --batch-size 0",
            "--batch-size '0' is no batch: give numbers from 1, as in 1,8,32, or auto",
        ),
        ("resnet50 --batch-size 1,x", "--batch-size 'x' is no batch"),
        ("resnet50 --threads 4096", "--threads 4096 are more than the"),
        ("resnet50 --backend egaer", "unknown backend 'egaer': did you mean eager"),
        ("resnet50 --mode train", "unknown mode 'train': did you mean training"),
        ("resnet50 --allocator kept", "unknown allocator 'kept': did you mean keep"),
        ("resnet50 --against gone.json", "--against 'gone.json' can't be read: No such file or directory"),
        (
            "resnet50 --data cifar10",
            "--data is about training, whose pictures it prepares: add --mode training",
        ),
        ("resnet50 --across-machines", "--across-machines is about --against"),
        ("resnet50 --fits 11", "--fits '11' is no size: give a number with"),
        ("resnet18 resnet50 --fits 1GiB", "--fits is about one case, and 2 are asked for"),
        ("resnet18 resnet50 --layers", "--layers show one case, and 2 are asked for: name one"),
        ("resnet18 resnet50 --energy", "--energy show one case, and 2 are asked for: name one"),
        ("resnet18 --mode training --layers --plot a.svg", "--layers and --plot show eager inference"),
        (
            "resnet18 --plot roof.pdf",
            "'roof.pdf' is not the name of a picture: give one that ends in .svg or .png",
        ),
        ("resnet18 --plot no/such/roof.svg", "no picture can be written to 'no/such/roof.svg'"),
        ("resnet18 --mode training --backend onnxruntime", "backend 'onnxruntime' has no training step"),
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
