import subprocess
from pathlib import Path

import psutil
import pytest
import torch

import resbench
from resbench import environment
from resbench.environment import capture

CPUINFO = """processor\t: 0
vendor_id\t: Example
model name\t: Example   CPU @ 2.00GHz
flags\t\t: model name of a flag
processor\t: 1
model name\t: Another
"""


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    package = tmp_path / "checkout" / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    git(package.parent, "init", "-q")
    git(package.parent, "add", ".")
    git(package.parent, "commit", "-qm", "one")
    return package


def test_the_machine_is_the_same_at_every_call() -> None:
    first, second = capture("cpu"), capture("cpu")
    assert first.machine == second.machine
    assert first.machine_id == second.machine_id
    assert set(first.machine) == {"cpu", "cores", "memory", "system"}


def test_the_facts_agree_with_other_witnesses() -> None:
    found = capture("cpu", {"workers": "3"})
    assert int(found.machine["cores"]) == len(psutil.Process().cpu_affinity() or [])
    assert found.software["torch"] == torch.__version__
    assert found.software["resbench"] == resbench.__version__
    assert found.settings["threads"] == str(torch.get_num_threads())
    assert found.settings["workers"] == "3"


def test_settings_follow_what_torch_is_told() -> None:
    before = torch.are_deterministic_algorithms_enabled()
    try:
        torch.use_deterministic_algorithms(True)
        assert capture("cpu").settings["deterministic algorithms"] == "yes"
        torch.use_deterministic_algorithms(False)
        assert capture("cpu").settings["deterministic algorithms"] == "no"
    finally:
        torch.use_deterministic_algorithms(before)


def test_only_a_gpu_run_speaks_of_its_libraries() -> None:
    on_cpu, on_gpu = (environment._settings(torch.device(name)) for name in ("cpu", "cuda"))
    assert on_gpu.keys() - on_cpu.keys() == {"cudnn.benchmark", "cudnn.deterministic"}
    assert on_gpu["cudnn.benchmark"] == ("yes" if torch.backends.cudnn.benchmark else "no")
    software = environment._software(torch.device("cuda"))
    assert software["CUDA"] == (torch.version.cuda or "not built in")
    assert "CUDA" not in environment._software(torch.device("cpu"))


def test_rounded_products_show() -> None:
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        assert capture("cpu").settings["float32 products"] == "rounded to bf16"
        torch.set_float32_matmul_precision("highest")
        assert capture("cpu").settings["float32 products"] == "not rounded"
    finally:
        torch.set_float32_matmul_precision(before)


def test_what_decides_the_allocator_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TOP_PAD_", "64")
    monkeypatch.setenv("LD_PRELOAD", "/home/ada/lib/libexample.so.2 /opt/libother.so")
    monkeypatch.delenv("MALLOC_CONF", raising=False)
    settings = capture("cpu").settings
    assert settings["MALLOC_TOP_PAD_"] == "64"
    assert settings["LD_PRELOAD"] == "libexample.so.2 libother.so"
    assert "MALLOC_CONF" not in settings


def test_the_cpu_is_named_as_linux_names_it(tmp_path: Path) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(CPUINFO)
    assert environment._cpu_model(file) == "Example CPU @ 2.00GHz"
    file.write_text("processor: 0\n")
    assert environment._cpu_model(file)


def test_a_checkout_is_known_by_its_commit(checkout: Path) -> None:
    commit = git(checkout.parent, "rev-parse", "HEAD")
    assert environment._commit(checkout) == (commit, False)
    (checkout.parent / "report.md").write_text("a report beside the package changes nothing")
    assert environment._commit(checkout) == (commit, False)
    (checkout / "new.py").write_text("")
    assert environment._commit(checkout) == (commit, True)


def test_an_installed_package_has_no_commit_even_inside_a_checkout(checkout: Path, tmp_path: Path) -> None:
    inside = checkout.parent / ".venv" / "site-packages" / "resbench"
    inside.mkdir(parents=True)
    assert environment._commit(inside) == ("", False)
    outside = tmp_path / "site-packages" / "resbench"
    outside.mkdir(parents=True)
    assert environment._commit(outside) == ("", False)


def test_a_checkout_without_a_commit_has_none(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    git(tmp_path, "init", "-q")
    assert environment._commit(package) == ("", False)


def test_without_git_there_is_no_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert environment._commit(checkout) == ("", False)


def test_the_gpu_is_part_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Properties:
        name = "Example GPU"
        total_memory = 16 * 2**30

    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 555.42\necho 555.42\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: Properties())
    machine = environment._machine(torch.device("cuda:1"))
    assert (machine["gpu"], machine["gpu memory"], machine["gpu driver"]) == (
        "Example GPU",
        "16.0 GiB",
        "555.42",
    )
