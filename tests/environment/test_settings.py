"""Settings follow what torch and the environment's variables are told."""

import pytest
import torch

from resbench.environment.settings import settings_of

CPU = torch.device("cpu")


def test_settings_follow_what_torch_is_told() -> None:
    before = torch.are_deterministic_algorithms_enabled()
    try:
        torch.use_deterministic_algorithms(True)
        assert settings_of(CPU)["deterministic algorithms"] == "yes"
        torch.use_deterministic_algorithms(False)
        assert settings_of(CPU)["deterministic algorithms"] == "no"
    finally:
        torch.use_deterministic_algorithms(before)


def test_only_a_gpu_run_speaks_of_its_libraries() -> None:
    on_cpu, on_gpu = (settings_of(torch.device(name)) for name in ("cpu", "cuda"))
    assert on_gpu.keys() - on_cpu.keys() == {"cudnn.benchmark", "cudnn.deterministic", "CUDA allocator"}
    assert on_gpu["cudnn.benchmark"] == ("yes" if torch.backends.cudnn.benchmark else "no")


def test_rounded_products_show() -> None:
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        assert settings_of(CPU)["float32 products"] == "rounded to bf16"
        torch.set_float32_matmul_precision("highest")
        assert settings_of(CPU)["float32 products"] == "not rounded"
    finally:
        torch.set_float32_matmul_precision(before)


def test_flushed_denormals_show() -> None:
    if not torch.set_flush_denormal(True):
        pytest.skip("this CPU can't flush denormal numbers")
    try:
        assert settings_of(CPU)["denormal numbers"] == "flushed to zero"
    finally:
        torch.set_flush_denormal(False)
    assert settings_of(CPU)["denormal numbers"] == "kept"


def test_what_decides_the_allocator_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TOP_PAD_", "64")
    monkeypatch.setenv("LD_PRELOAD", "/home/ada/lib/libexample.so.2 /opt/libother.so")
    monkeypatch.delenv("MALLOC_CONF", raising=False)
    settings = settings_of(CPU)
    assert settings["MALLOC_TOP_PAD_"] == "64"
    assert settings["LD_PRELOAD"] == "libexample.so.2 libother.so"
    assert "MALLOC_CONF" not in settings


@pytest.mark.parametrize(
    ("preloaded", "name"),
    [
        ("/usr/lib/libjemalloc.so.2", "jemalloc"),
        ("/a/libx.so:/b/libtcmalloc_minimal.so.4", "tcmalloc_minimal"),
    ],
)
def test_another_allocator_is_named(monkeypatch: pytest.MonkeyPatch, preloaded: str, name: str) -> None:
    monkeypatch.setenv("LD_PRELOAD", preloaded)
    assert settings_of(CPU)["allocator"] == name


def test_the_usual_allocator_is_the_c_librarys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LD_PRELOAD", raising=False)
    monkeypatch.setattr("platform.libc_ver", lambda: ("glibc", "2.36"))
    assert settings_of(CPU)["allocator"] == "glibc 2.36"
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    assert settings_of(CPU)["allocator"] == "the system's"
