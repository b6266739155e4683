"""The meters of memory: CUDA's with an allocator that exists only in numbers, and with a real one where there is a GPU."""

import pytest
import torch

from resbench.metrics.memory.meters import CudaMeter, ProcessMeter, return_memory

DEVICE = torch.device("cuda:1")


class Allocator:
    """PyTorch's bookkeeping: what is handed out, and the most that ever was since the last reset."""

    def __init__(self) -> None:
        self.now = self.peak = 0
        self.waited = 0

    def add(self, size_B: int) -> None:
        self.now += size_B
        self.peak = max(self.peak, self.now)


@pytest.fixture
def allocator(monkeypatch: pytest.MonkeyPatch) -> Allocator:
    found = Allocator()

    def of(device: torch.device) -> None:
        assert device == DEVICE

    def synchronize(device: torch.device) -> None:
        of(device)
        found.waited += 1

    def allocated(device: torch.device) -> int:
        of(device)
        assert found.waited  # kernels under way may still free or take memory
        return found.now

    def reset(device: torch.device) -> None:
        of(device)
        found.peak = found.now

    def most(device: torch.device) -> int:
        of(device)
        return found.peak

    monkeypatch.setattr(torch.cuda, "synchronize", synchronize)
    monkeypatch.setattr(torch.cuda, "memory_allocated", allocated)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", reset)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", most)
    return found


def test_a_gpu_s_peak_starts_at_what_is_alive(allocator: Allocator) -> None:
    meter = CudaMeter(DEVICE)
    allocator.add(500)
    allocator.add(-400)
    meter.reset_peak()
    assert meter.now() == meter.peak() == 100
    allocator.add(30)
    allocator.add(-20)
    assert (meter.now(), meter.peak()) == (110, 130)
    assert meter.method == "CUDA allocator"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_real_gpu_s_peak_is_that_of_its_tensors() -> None:
    meter = CudaMeter(torch.device("cuda"))
    meter.reset_peak()
    before = meter.now()
    kept = torch.ones(2**20, device="cuda")
    torch.ones(2**21, device="cuda")
    assert meter.now() - before == 4 * 2**20
    assert meter.peak() - before == 4 * (2**20 + 2**21)
    del kept


def test_both_meters_say_how_they_read() -> None:
    assert ProcessMeter.method != CudaMeter.method
    assert callable(return_memory)
