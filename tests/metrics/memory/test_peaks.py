"""Peak memory, with the process it is read in; nothing here depends on how much a machine uses exactly."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from resbench.errors import ResbenchError
from resbench.metrics import memory
from resbench.metrics.memory import asking, meters
from resbench.results import Statistic, Unit
from resbench.specs import Precision, Profiling


def peak(model: str, batch_size: int, size: int, num_classes: int | None = 10) -> int:
    asked = Profiling(batch_size=batch_size, num_classes=num_classes, input_CHW=(3, size, size))
    return int(memory.peak_on_cpu(model, asked, Precision.FP32, 1).value)


def test_a_process_grows_by_the_weights_and_by_the_images() -> None:
    weights_B = 4 * 11_181_642  # resnet18's 11,689,512 parameters with 10 instead of 1000 outputs
    small, large = peak("resnet18", 1, 64), peak("resnet18", 32, 224)
    assert weights_B < small < 3 * weights_B
    # At the widest point the stem's 64 x 112 x 112 output is alive together with its normalised copy.
    assert large - small > 32 * 2 * 64 * 112 * 112 * 4


def test_a_network_from_outside_grows_by_its_weights_and_not_by_its_libraries(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "import torchvision\nfrom torch import nn\nprint('noise')\n"
        "class Net(nn.Sequential):\n"
        "    def forward(self, images):\n"
        "        print('more noise')\n"
        "        return super().forward(images)\n"
        "def make(): return Net(nn.Flatten(), nn.Linear(3 * 32 * 32, 4096))\n",
        encoding="utf-8",
    )
    weights_B = 4 * (3 * 32 * 32 + 1) * 4096
    # A few pages that were resident before may go back meanwhile, and the kernel's count of pages is approximate: see proc(5).
    assert 0.99 * weights_B < peak(f"{tmp_path}/net.py:make", 1, 32, None) < 1.5 * weights_B
    assert 4 * 11_181_642 < peak("torchvision:resnet18", 1, 64) < 3 * 4 * 11_181_642


def test_the_measurement_says_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = {"parts": {"weights": 1024}, "peak": 4096, "method": "growth of a fresh process"}

    def answer(*_arguments: Any, **_options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, stdout=json.dumps(answered), stderr="")

    monkeypatch.setattr(subprocess, "run", answer)
    asked = Profiling(batch_size=1, num_classes=10, input_CHW=(3, 8, 8))
    found = memory.peak_on_cpu("resnet18", asked, Precision.FP32, 1)
    assert (found.metric, found.value, found.unit) == ("peak_memory", 4096, Unit.BYTE)
    assert found.statistic is Statistic.MAXIMUM
    assert "fresh process" in found.method


def test_a_process_that_fails_is_told_in_one_line() -> None:
    asked = Profiling(batch_size=1, num_classes=10, input_CHW=(3, 8, 8))
    with pytest.raises(
        ResbenchError, match=r"peak memory: the process ended with exit code 1: .*'resnet19'"
    ) as caught:
        memory.peak_on_cpu("resnet19", asked, Precision.FP32, 1)
    assert "\n" not in str(caught.value)


def test_a_process_that_hangs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_TIMEOUT_S", 0.01)
    asked = Profiling(batch_size=1, num_classes=10, input_CHW=(3, 8, 8))
    with pytest.raises(ResbenchError, match=r"peak memory: the process took longer than 0\.01 s"):
        memory.peak_on_cpu("resnet18", asked, Precision.FP32, 1)


def test_a_system_without_proc_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(meters, "_STATUS", tmp_path / "status")
    with pytest.raises(ResbenchError, match="which only Linux has"):
        meters.resident("VmRSS")


def test_on_cuda_what_was_there_before_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    allocator = {"now": 100, "peak": 900}  # of somebody else, in this process

    def allocate(size_B: int) -> None:
        allocator["now"] += size_B
        allocator["peak"] = max(allocator["peak"], allocator["now"])

    def prepare() -> Callable[[], None]:
        allocate(40)  # weights and input

        def call() -> None:
            allocate(30)
            allocate(-20)

        return call

    monkeypatch.setattr(torch.cuda, "synchronize", lambda _device: None)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _device: allocator["now"])
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _device: allocator["peak"])
    monkeypatch.setattr(
        torch.cuda, "reset_peak_memory_stats", lambda _device: allocator.update(peak=allocator["now"])
    )
    found = memory.peak_on_cuda(prepare, torch.device("cpu"))
    assert (found.metric, found.value, found.unit) == ("peak_memory", 70, Unit.BYTE)
    assert "CUDA allocator" in found.method
