"""The paths that only a GPU takes, on a real one: events, graph replay, NVML, and the search for the largest batch.

Their logic is tested with fakes everywhere: tests/metrics/latency/test_device_time.py (queues), test_disturbance.py and
tests/environment/test_gpu_state.py (NVML), tests/metrics/energy (counters), tests/metrics/test_batch_search.py and
tests/trial/test_fitting.py (memory).
"""

import math
from dataclasses import replace

import pytest
import torch

from resbench.environment.gpu import gpu_uuid
from resbench.environment.nvml import GpuState, read_gpu
from resbench.metrics.energy.counters import check_gpu, open_nvml
from resbench.metrics.latency import device_time, nvml
from resbench.metrics.latency.device_time import CudaQueue, on_queue
from resbench.models.nvml import find_nvml
from resbench.trial.case import Case
from resbench.trial.fitting import find_largest_batch
from resbench.trial.live import live

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="there is no GPU here: fakes test the logic of its paths"
)
needs_nvml = pytest.mark.skipif(find_nvml() is None, reason="nvidia-ml-py is not installed")
DEVICE = torch.device("cuda:0") if torch.cuda.is_available() else torch.device("cpu")
CASE = Case(model="cifar_resnet20", input_CHW=(3, 32, 32), num_classes=10, batch_size=64, device="cuda:0")


@pytest.mark.parametrize("mode", ["inference", "training"])
def test_a_case_is_captured_and_replayed_as_a_graph(mode: str) -> None:
    with live(replace(CASE, mode=mode)) as opened:
        for _ in range(5):
            opened.call()
        assert opened.device_time is not None
        busy = opened.device_time(5)
    assert busy.method == device_time.GRAPH
    assert len(busy.samples_s) == 5
    assert min(busy.samples_s) > 0


def test_a_call_that_waits_for_the_device_is_timed_by_events() -> None:
    square = torch.randn(1024, 1024, device=DEVICE)
    found = on_queue(lambda: float((square @ square).sum()), CudaQueue(DEVICE), 3)
    assert found.method == device_time.EVENTS
    assert all(seconds > 0 for seconds in found.samples_s)
    torch.cuda.synchronize(DEVICE)  # a capture that failed leaves the device usable
    assert math.isfinite(float((square @ square).sum()))


@needs_nvml
def test_nvml_tells_the_state_of_the_gpu_that_torch_uses() -> None:
    state = read_gpu(gpu_uuid(DEVICE))
    assert isinstance(state, GpuState)
    assert state.memory_free_B is not None
    assert 0 < state.memory_free_B <= torch.cuda.get_device_properties(DEVICE).total_memory
    look = nvml.reader(f"GPU-{gpu_uuid(DEVICE).removeprefix('GPU-')}")
    assert look is not None
    seen = look()
    assert seen is not None
    assert seen.clock_Hz > 1e7
    assert 0 < seen.temperature_C < 120


@needs_nvml
def test_the_counter_of_joules_grows_with_work_or_is_refused_with_a_reason() -> None:
    state = read_gpu(gpu_uuid(DEVICE))
    assert isinstance(state, GpuState)
    if state.mig or state.other_processes or not state.has_energy_counter:
        pytest.skip("the GPU is shared, cut into instances, or counts no joules")
    check_gpu(state)
    counter = open_nvml(gpu_uuid(DEVICE), torch.cuda.get_device_name(DEVICE))
    square = torch.randn(4096, 4096, device=DEVICE)
    before = counter.joules()
    for _ in range(200):
        square = (square @ square) / 64
    torch.cuda.synchronize(DEVICE)
    assert counter.joules() > before


def test_the_largest_batch_is_found_within_a_memory() -> None:
    found = find_largest_batch(replace(CASE, mode="training"), limit_B=2**29, start=256)
    assert found.largest > 1
    assert found.oom_at == found.largest + 1
    double = find_largest_batch(replace(CASE, mode="training"), limit_B=2**30, start=2 * found.largest)
    assert double.largest > 1.5 * found.largest
