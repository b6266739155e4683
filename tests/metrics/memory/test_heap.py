"""The counting allocator."""

from resbench.metrics.memory.heap import Heap, Purpose


def test_a_block_lives_as_long_as_somebody_holds_it() -> None:
    heap = Heap()
    block = heap.hold(heap.allocate(10))
    heap.release(block)
    assert sum(heap.live.values()) == 10
    heap.release(block)
    assert sum(heap.live.values()) == 0
    assert heap.peak == 10


def test_the_peak_knows_when_it_was_and_what_it_was_made_of() -> None:
    heap = Heap()
    heap.allocate(5, Purpose.WEIGHTS)
    heap.now = "conv, forward"
    output = heap.allocate(7)
    heap.hold(output, Purpose.ACTIVATIONS)
    heap.release(heap.allocate(3))
    heap.now = "later"
    heap.allocate(1)
    assert (heap.peak, heap.peak_during) == (15, "conv, forward")
    assert heap.at_peak == {Purpose.WEIGHTS: 5, Purpose.ACTIVATIONS: 7, Purpose.WORKSPACE: 3}
