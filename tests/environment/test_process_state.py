"""What this process can do, and what its allocator does with memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from resbench.environment.process import read_process, returned_share

from .conftest import MakeRoot

_RAPL = "sys/class/powercap/intel-rapl:0/energy_uj"


def test_it_is_this_process() -> None:
    found = read_process(0.25)
    assert found.threads == torch.get_num_threads()
    assert found.foreign_cores == 0.25
    assert not found.debug_build
    assert "fvcore" not in found.missing


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resbench.environment.process.find_spec", lambda _name: None)
    found = read_process()
    assert found.missing == ("fvcore", "ptflops", "thop", "torchinfo", "onnx", "onnxruntime", "openvino")
    assert not found.has_triton


def test_the_compiler_is_the_one_that_is_wanted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert read_process().compiler == ""
    (tmp_path / "clang++").write_text("#!/bin/sh\n")
    (tmp_path / "clang++").chmod(0o755)
    assert read_process().compiler == "clang++"
    monkeypatch.setenv("CXX", "another++")
    assert read_process().compiler == ""


def test_a_cache_that_could_be_made_can_be_written_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RESBENCH_CACHE", str(tmp_path / "new" / "folder"))
    assert read_process().cache_writable
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RESBENCH_CACHE", str(tmp_path / "file" / "folder"))
    assert not read_process().cache_writable
    monkeypatch.setenv("RESBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(os, "access", lambda *_arguments: False)
    assert not read_process().cache_writable


def test_the_energy_counter(make_root: MakeRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_process(root=make_root({})).joules == "absent"
    root = make_root({_RAPL: "1234\n"})
    assert read_process(root=root).joules == "readable"
    monkeypatch.setattr(os, "access", lambda *_arguments: False)
    assert read_process(root=root).joules == "unreadable"


def test_the_cuda_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    for said, version in (("13.2", (13, 2)), ("12.8.1", (12, 8)), (None, None)):
        monkeypatch.setattr(torch.version, "cuda", said)
        assert read_process().torch_cuda == version


@pytest.mark.skipif(sys.platform != "linux", reason="the variables are those of Linux's C library")
@pytest.mark.parametrize(
    ("variables", "share"),
    [
        ({}, 1.0),
        ({"GLIBC_TUNABLES": "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=17179869184:glibc.malloc.top_pad=268435456"}, 0.0),
    ],
    ids=["as it comes", "by the remedy of the doctor"],
)  # fmt: skip
def test_the_allocators_habit_is_seen(variables: dict[str, str], share: float) -> None:
    if "glibc" not in str(__import__("platform").libc_ver()):
        pytest.skip("another C library")
    if "[always]" in Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text():
        pytest.skip("with huge pages everywhere a block takes few faults")
    program = "from resbench.environment.process import returned_share; print(returned_share())"
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_", "LD_"))
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**clean, **variables},
    )
    assert float(done.stdout) == pytest.approx(share, abs=0.1)


def test_the_second_taking_counts() -> None:
    pages = 64 * 2**20 // os.sysconf("SC_PAGE_SIZE")
    counts = iter([0, pages, pages, pages + pages // 4])
    assert returned_share(lambda: next(counts)) == 0.25
