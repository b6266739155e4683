"""Each doubt comes for its reason and only for that, and names a remedy."""

from dataclasses import replace
from typing import Any

import pytest

from resbench.environment.doubts.all_checks import doubts
from resbench.environment.doubts.doubt import Doubt, Findings, Weight
from resbench.environment.host import HostState
from resbench.environment.nvml import MISSING, GpuState
from resbench.environment.process import ProcessState
from resbench.results import Environment

CALM = Findings(
    environment=Environment(
        machine={"cpu": "Example CPU"},
        software={"torch": "2.15.0"},
        settings={"threads": "2", "THP_MEM_ALLOC_ENABLE": "1", "cudnn.benchmark": "yes"},
    ),
    host=HostState(load=0.1, governor="performance", turbo=False, temperature_C=50.0, huge_pages="madvise"),
    process=ProcessState(
        threads=2, cores=2, physical_cores=2, foreign_cores=0.0, returned=0.0, flushed=True, compiler="g++",
        has_triton=True, joules="readable", cache="/cache", torch_cuda=(13, 2),
    ),
    gpu=GpuState(
        driver_cuda=(13, 2), other_processes=0, load=0.0, temperature_C=40.0, power_limit_W=300.0,
        default_power_limit_W=300.0, persistence=True, has_energy_counter=True,
    ),
)  # fmt: skip
"""A machine of which nobody can complain."""


def with_host(**state: Any) -> Findings:
    return replace(CALM, host=replace(CALM.host, **state))


def with_process(**state: Any) -> Findings:
    return replace(CALM, process=replace(CALM.process, **state))


def with_gpu(**state: Any) -> Findings:
    assert isinstance(CALM.gpu, GpuState)
    return replace(CALM, gpu=replace(CALM.gpu, **state))


def with_settings(**settings: str) -> Findings:
    known = {
        name.replace("_", " ") if name.startswith("float32") else name: value
        for name, value in settings.items()
    }
    environment = replace(CALM.environment, settings={**CALM.environment.settings, **known})
    return replace(CALM, environment=environment)


def test_a_calm_machine_raises_no_doubt() -> None:
    assert doubts(CALM) == ()
    assert doubts(replace(CALM, gpu=None)) == ()


@pytest.mark.parametrize(
    ("found", "subject", "said", "remedy"),
    [
        (with_host(governor="powersave"), "governor", "is powersave", "--governor performance"),
        (with_host(governor="performance/powersave"), "governor", "performance/powersave", "cpupower"),
        (with_host(turbo=True), "turbo", "above its nominal", "no_turbo"),
        (with_host(temperature_C=95.0), "CPU temperature", "95 degrees", "cool"),
        (with_host(on_battery=True), "battery", "battery", "plug it in"),
        (with_host(highest_clocks_Hz=(3e9, 5e9)), "mixed cores", "5.0 and 3.0 GHz", "taskset"),
        (with_host(quota_cores=1.5), "CPU quota", "1.5 cores' time of 2", "--threads 1"),
        (with_host(hypervisor="QEMU", stolen=0.03), "hypervisor", "(QEMU): its cores may be shared", "side by side"),
        (with_host(hypervisor="unnamed", stolen=0.03), "hypervisor", "3.0 % of the time", "dedicated cores"),
        (with_host(swap_used_B=2**30), "swap", "1,024 MiB", "swapoff"),
        (with_host(nodes=2), "NUMA", "2 NUMA nodes", "numactl"),
        (with_process(foreign_cores=1.4), "load by others", "1.4 of 2 cores", "stop them"),
        (with_process(threads=4), "threads", "4 threads on 2 cores", "OMP_NUM_THREADS=2"),
        (with_process(physical_cores=1), "threads", "2 threads on 1 physical", "OMP_NUM_THREADS=1"),
        (with_process(returned=1.0), "allocator", "back to the kernel", "GLIBC_TUNABLES="),
        (with_process(debug_build=True), "debug build", "2.15.0 is a debug build", "pytorch.org"),
        (with_process(cache_writable=False), "cache", "/cache can't be written", "RESBENCH_CACHE"),
        (with_gpu(other_processes=2), "shared GPU", "2 other processes", "nvidia-smi"),
        (with_gpu(load=0.5), "shared GPU", "50%", "nvidia-smi"),
        (with_gpu(mig=True), "GPU instances", "MIG", "whole GPU"),
        (with_gpu(held_back=("heat (hardware)",)), "GPU clock", "heat (hardware)", "cool"),
        (with_gpu(temperature_C=90.0), "GPU temperature", "90 degrees", "cool"),
        (with_gpu(power_limit_W=200.0), "GPU power", "200 W of the 300 W", "--power-limit 300"),
        (with_gpu(driver_cuda=(12, 8)), "GPU driver", "knows CUDA 12.8, torch is built with 13.2", "update"),
        (replace(CALM, gpu=MISSING), "GPU state", "not installed", "resbench[nvidia]"),
        (replace(CALM, gpu="NVML: Driver Not Loaded"), "GPU state", "Driver Not Loaded", "nvidia-smi"),
        (with_settings(CUDA_LAUNCH_BLOCKING="1"), "CUDA_LAUNCH_BLOCKING", "after every kernel", "unset"),
        (with_settings(ONEDNN_MAX_CPU_ISA="AVX2"), "ONEDNN_MAX_CPU_ISA", "=AVX2 keeps", "unset"),
        (with_settings(NVIDIA_TF32_OVERRIDE="1"), "NVIDIA_TF32_OVERRIDE", "TF32", "unset"),
    ],
)  # fmt: skip
def test_a_warning(found: Findings, subject: str, said: str, remedy: str) -> None:
    (doubt,) = doubts(found)
    assert (doubt.weight, doubt.subject) == (Weight.WARNING, subject)
    assert said in doubt.found
    assert remedy in doubt.remedy


@pytest.mark.parametrize(
    ("found", "subject", "remedy"),
    [
        (with_host(huge_pages="always"), "huge pages", "madvise"),
        (with_host(huge_pages="never"), "huge pages", "madvise"),
        (with_settings(THP_MEM_ALLOC_ENABLE="0"), "huge pages", "THP_MEM_ALLOC_ENABLE=1"),
        (with_settings(float32_convolutions="rounded to tf32"), "TF32", "allow_tf32"),
        (with_settings(float32_products="rounded to bf16"), "rounding", "highest"),
        (with_process(flushed=False), "denormal numbers", "set_flush_denormal"),
        (with_process(missing=("thop", "torchinfo", "fvcore")), "packages", 'pip install "resbench[counters]" fvcore'),
        (with_process(compiler=""), "compiler", "CXX"),
        (with_process(has_triton=False), "compiler", "triton"),
        (with_process(joules="unreadable"), "CPU energy", "chmod"),
        (with_process(joules="absent"), "CPU energy", "bare metal"),
        (with_gpu(persistence=False), "GPU persistence", "--persistence-mode 1"),
        (with_gpu(has_energy_counter=False), "GPU energy", "Volta"),
        (with_settings(**{"cudnn.benchmark": "no"}), "cudnn.benchmark", "= True"),
        (
            replace(CALM, environment=replace(CALM.environment, commit="abc", changed=True, changes="123")),
            "local changes",
            "commit",
        ),
    ],
)  # fmt: skip
def test_a_note(found: Findings, subject: str, remedy: str) -> None:
    (doubt,) = doubts(found)
    assert (doubt.weight, doubt.subject) == (Weight.NOTE, subject)
    assert remedy in doubt.remedy


@pytest.mark.parametrize(
    "found",
    [
        with_host(governor=""),
        with_host(turbo=None),
        with_host(temperature_C=None),
        with_host(highest_clocks_Hz=(4.9e9, 5.0e9)),
        with_host(quota_cores=2.0),
        with_host(swap_used_B=2**20),
        with_host(huge_pages=""),
        with_process(foreign_cores=None),
        with_process(foreign_cores=0.05),
        with_process(physical_cores=None),
        with_process(returned=None),
        with_process(torch_cuda=None),
        with_gpu(driver_cuda=None),
        with_gpu(driver_cuda=(13, 3)),
        with_gpu(other_processes=None),
        with_gpu(load=None),
        with_gpu(power_limit_W=None),
        with_gpu(persistence=None),
        with_gpu(temperature_C=None),
        with_settings(ONEDNN_MAX_CPU_ISA="all"),
        with_settings(CUDA_LAUNCH_BLOCKING="0"),
    ],
)
def test_what_is_unknown_or_harmless_is_no_doubt(found: Findings) -> None:
    assert doubts(found) == ()


def test_a_gpu_that_is_not_asked_for_is_not_doubted() -> None:
    assert doubts(replace(with_process(has_triton=False), gpu=None)) == ()


def test_a_noise_floor_that_nobody_measured_is_worth_a_note() -> None:
    (found,) = doubts(replace(CALM, noise_known=False))
    assert (found.weight, found.subject) == (Weight.NOTE, "noise floor")
    assert found.remedy.startswith("resbench noise")


def test_warnings_stand_first() -> None:
    found = replace(
        with_process(flushed=False, debug_build=True, joules="absent"), host=HostState(turbo=True)
    )
    weights = [doubt.weight for doubt in doubts(found)]
    assert weights == sorted(weights, key=[Weight.WARNING, Weight.NOTE].index)
    assert len(set(weights)) == 2


def test_every_sentence_is_one_line_without_its_stop() -> None:
    worst = replace(
        CALM,
        host=HostState(
            governor="powersave", turbo=True, temperature_C=99.0, on_battery=True, quota_cores=0.5, hypervisor="X",
            swap_used_B=2**31, huge_pages="always", nodes=4, highest_clocks_Hz=(1e9, 2e9),
        ),
        process=ProcessState(threads=9, cores=2, foreign_cores=2.0, returned=1.0, debug_build=True, missing=("thop",)),
        gpu=GpuState(other_processes=1, mig=True, held_back=("heat",), power_limit_W=1.0, default_power_limit_W=2.0),
        noise_known=False,
    )  # fmt: skip
    found = doubts(worst)
    assert len(found) > 15
    for doubt in found:
        assert isinstance(doubt, Doubt)
        for text in (doubt.found, doubt.remedy):
            assert text
            assert "\n" not in text
            assert not text.endswith(".")
