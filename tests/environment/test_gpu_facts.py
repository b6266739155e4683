"""The stable facts of a GPU, from a made-up one."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from resbench.environment import capture, gpu
from resbench.environment.cpu import ROOT
from resbench.environment.gpu import gpu_facts, hashed
from resbench.results import IDENTITY, digest

from .conftest import MakeRoot

UUID = "0a1b2c3d-0000-1111-2222-333344445555"
DEVICE = torch.device("cuda:1")


@pytest.fixture(autouse=True)
def example(monkeypatch: pytest.MonkeyPatch) -> None:
    properties = SimpleNamespace(
        name="Example GPU", total_memory=16 * 2**30, major=9, minor=0, multi_processor_count=132, uuid=UUID
    )
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _device: properties)


@pytest.fixture
def nvidia_smi(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 555.42\necho 555.42\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


@pytest.mark.usefixtures("nvidia_smi")
def test_the_gpu_is_part_of_the_machine() -> None:
    assert gpu_facts(DEVICE) == {
        "gpu": "Example GPU",
        "gpu memory": "16.0 GiB",
        "gpu driver": "555.42",
        "gpu id": hashed(UUID),
        "gpu architecture": "compute capability 9.0, 132 multiprocessors",
    }


@pytest.mark.usefixtures("nvidia_smi")
def test_its_identity_is_made_of_the_facts_of_the_first_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resbench.environment.recording.read_gpu", lambda _uuid: "no NVML")
    found = capture("cuda:1")
    older = {name: found.machine[name] for name in IDENTITY}
    assert len(older) == 7
    assert found.machine_id == digest(older)[:12]


def test_without_nvidia_smi_the_kernel_knows_the_driver(
    make_root: MakeRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    said = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  555.42.02  Thu May 30 02:17:04 UTC 2030\nGCC version: 12\n"
    open_one = (
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  (dvs@example)\n"
    )
    for text, version in ((said, "555.42.02"), (open_one, "580.95.05")):
        assert gpu_facts(DEVICE, make_root({"proc/driver/nvidia/version": text}))["gpu driver"] == version


def test_a_fact_that_nobody_tells_is_left_out(make_root: MakeRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    bare = SimpleNamespace(name="Old GPU", total_memory=2**30)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _device: bare)
    assert gpu_facts(DEVICE, make_root({})) == {"gpu": "Old GPU", "gpu memory": "1.0 GiB"}


def test_a_hash_tells_two_gpus_apart_and_gives_neither_away() -> None:
    assert hashed(UUID) == hashed(f"GPU-{UUID}") == hashed(UUID.upper())
    assert hashed(UUID) != hashed(UUID.replace("0a", "0b"))
    assert len(hashed(UUID)) == 12
    assert UUID[:8] not in hashed(UUID)
    assert hashed("") == ""


def test_the_real_root_is_the_default() -> None:
    assert gpu._driver(ROOT) == gpu._driver(Path("/"))
