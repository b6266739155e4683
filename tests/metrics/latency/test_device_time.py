"""Device time on a fake queue, and by the real profiler on the CPU."""

from collections.abc import Callable

import pytest
import torch

from resbench.metrics.latency import device_time
from resbench.metrics.latency.device_time import EVENTS, GRAPH, CudaQueue, on_cpu, on_queue, working_seconds


class FakeQueue:
    """A device that takes 3 s for a call's work; the host takes 10 s to launch it, and none to launch a replay."""

    def __init__(self, *, capturable: bool) -> None:
        self.now, self.pending, self.capturable = 0.0, 0.0, capturable

    def launch(self) -> None:
        self.now += 10.0
        self.pending += 3.0

    def mark(self) -> float:
        self.drain()
        return self.now

    def seconds(self, begin: float, end: float) -> float:
        return end - begin

    def drain(self) -> None:
        self.now += self.pending
        self.pending = 0.0

    def captured(self, call: Callable[[], object]) -> Callable[[], object] | None:
        return self._replay if self.capturable else None

    def _replay(self) -> None:
        self.pending += 3.0


def test_a_replayed_graph_holds_no_gap_between_launches() -> None:
    queue = FakeQueue(capturable=True)
    assert on_queue(queue.launch, queue, 4) == ([3.0] * 4, GRAPH)


def test_what_cannot_be_captured_is_timed_with_its_gaps_which_the_method_says() -> None:
    queue = FakeQueue(capturable=False)
    queue.pending = 100.0  # of somebody else
    samples, method = on_queue(queue.launch, queue, 2)
    assert samples == [13.0] * 2
    assert method == EVENTS
    assert "gaps" in method


def test_operators_count_beyond_what_doing_nothing_costs() -> None:
    assert working_seconds([5.0, 0.5, 0.1], nothing_s=0.5) == 4.5


def test_a_product_is_work_and_a_view_is_none() -> None:
    square = torch.randn(300, 300)
    product = on_cpu(lambda: square @ square, 3)
    views = on_cpu(lambda: [square.view(-1) for _ in range(3)], 3)
    assert len(product.samples_s) == 3
    assert product.method == device_time.OPERATORS
    assert min(product.samples_s) > max(0.0, *sorted(views.samples_s)[:1])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here: the fake queue has to do")
def test_on_a_gpu_a_graph_is_captured_and_takes_time() -> None:
    device = torch.device("cuda")
    square = torch.randn(2048, 2048, device=device)
    found = on_queue(lambda: square @ square, CudaQueue(device), 3)
    assert found.method == GRAPH
    assert all(seconds > 0 for seconds in found.samples_s)
