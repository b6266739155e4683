"""`resbench doctor`: what it prints of a made-up machine, and its exit codes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from resbench.cli import doctor
from resbench.cli.main import call
from resbench.environment.doubts.doubt import Findings
from resbench.environment.host import HostState
from resbench.environment.nvml import GpuState
from resbench.environment.process import ProcessState
from resbench.environment.state import gpu_state, host_state
from resbench.results import Environment

HOST = HostState(
    load=1.5, waiting=0.12, governor="powersave", turbo=True, clock_Hz=2.1e9, temperature_C=61.0,
    memory_available_B=6 * 2**30, quota_cores=1.5, huge_pages="madvise",
)  # fmt: skip
GPU = GpuState(
    driver_cuda=(12, 8), other_processes=1, load=0.4, held_back=("power cap",), temperature_C=71.0, clock_Hz=1.41e9,
    power_limit_W=250.0, default_power_limit_W=300.0, memory_free_B=2**33, persistence=True, has_energy_counter=True,
)  # fmt: skip
DOUBTFUL = Findings(
    environment=Environment(
        machine={
            "cpu": "Example CPU 3000",
            "cores": "2",
            "memory": "8.0 GiB",
            "system": "Example Linux, x86_64",
            "instructions": "AVX2, AVX512",
            "gpu": "Example GPU",
            "gpu driver": "555.42",
            "gpu id": "0123456789ab",
        },
        software={"python": "3.11.7", "torch": "2.15.0", "CUDA": "13.2"},
        settings={"threads": "2", "affinity": "cores 0-1", "cudnn.benchmark": "no"},
        state=host_state(HOST) | gpu_state(GPU),
        commit="0123456789abcdef0123456789abcdef01234567",
        changed=True,
        changes="ba9876543210",
    ),
    host=HOST,
    process=ProcessState(
        threads=2, cores=2, physical_cores=2, foreign_cores=0.7, returned=1.0, flushed=True, compiler="g++",
        has_triton=True, missing=("openvino",), joules="unreadable", cache="/cache", torch_cuda=(13, 2),
    ),
    gpu=GPU,
)  # fmt: skip
CALM = Findings(
    environment=Environment(machine={"cpu": "Example CPU"}, software={}, settings={}, state={}),
    host=HostState(),
    process=ProcessState(threads=1, cores=1, flushed=True, compiler="g++", joules="readable"),
)

Show = Callable[[Findings], None]


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Show:
    """Return a function that makes the command find what is given."""
    return lambda found: monkeypatch.setattr(doctor, "look", lambda _device: found)


@pytest.mark.parametrize("output", ["table", "markdown", "json", "csv"])
def test_a_doubtful_machine(
    output: str, show: Show, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    show(DOUBTFUL)
    assert call(["doctor", "--format", output]) == 0
    shown = capsys.readouterr()
    assert shown.out == snapshot
    assert shown.err == ""


@pytest.mark.parametrize("output", ["table", "markdown", "json", "csv"])
def test_a_calm_machine(
    output: str, show: Show, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    show(CALM)
    assert call(["doctor", "--strict", "--format", output]) == 0
    assert capsys.readouterr().out == snapshot


def test_strict_fails_for_a_warning_after_all_was_printed(
    show: Show, capsys: pytest.CaptureFixture[str]
) -> None:
    show(DOUBTFUL)
    assert call(["doctor", "--strict", "--format", "json"]) == 1
    shown = capsys.readouterr()
    assert {doubt["weight"] for doubt in json.loads(shown.out)["doubts"]} == {"warning", "note"}
    assert shown.err == ""


def test_strict_does_not_fail_for_a_note(show: Show, capsys: pytest.CaptureFixture[str]) -> None:
    notes = Findings(
        environment=CALM.environment,
        host=CALM.host,
        process=ProcessState(threads=1, cores=1, joules="absent"),
    )
    show(notes)
    assert call(["doctor", "--strict", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["doubts"]


def test_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "LOOK_S", 0)
    monkeypatch.setenv("RESBENCH_CACHE", str(tmp_path))
    assert call(["doctor", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["machine_id"]) == 12
    assert found["environment"]["machine"]["cores"]
    assert found["environment"]["state"]["memory available"]
    subjects = {doubt["subject"] for doubt in found["doubts"]}
    assert "noise floor" in subjects  # nothing was measured in an empty cache


def test_a_device_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["doctor", "--device", "cuda:99"]) == 2
    assert capsys.readouterr().err.startswith("resbench: device 'cuda:99' is not there: ")
