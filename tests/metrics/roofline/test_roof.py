import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.architectures.plan import Kind
from resbench.metrics.roofline.bytes import Cost
from resbench.metrics.roofline.roof import Bound, Roof, attainable_s, bound_of, flops_utilisation, total_s

ROOF = Roof(peak=400e9, bandwidth=40e9)
"""Its ridge is at 10 FLOP/B."""


def cost(flops: int, moved: int, *, priced: bool = True) -> Cost:
    return Cost("made up", Kind.CONVOLUTION, flops, 0, moved, 0, priced)


def test_below_the_ridge_memory_decides() -> None:
    assert bound_of(cost(9_000, 1_000), ROOF) is Bound.MEMORY
    assert attainable_s(cost(9_000, 1_000), ROOF) == 1_000 / 40e9


def test_from_the_ridge_on_computing_decides() -> None:
    assert ROOF.ridge == 10
    assert bound_of(cost(10_000, 1_000), ROOF) is Bound.COMPUTE
    assert attainable_s(cost(20_000, 1_000), ROOF) == 20_000 / 400e9


def test_what_does_nothing_waits_for_nothing() -> None:
    assert bound_of(cost(0, 0), ROOF) is Bound.NOTHING
    assert attainable_s(cost(0, 0), ROOF) == 0


def test_what_has_no_price_has_no_bound() -> None:
    assert bound_of(cost(0, 1_000, priced=False), ROOF) is Bound.UNKNOWN


def test_layers_run_one_after_the_other() -> None:
    assert total_s((cost(400, 1), cost(0, 40)), ROOF) == pytest.approx(1e-9 + 1e-9)


def test_utilisation_counts_each_multiply_accumulate_twice() -> None:
    # resnet50: 4,089,184,256 MACs; 100 ms of a machine of 400 GFLOP/s.
    assert flops_utilisation(4_089_184_256, 0.1, 400e9) == pytest.approx(0.20446, rel=1e-4)


@given(
    flops=st.integers(1, 10**15),
    moved=st.integers(1, 10**12),
    peak=st.floats(1e9, 1e15),
    bandwidth=st.floats(1e9, 1e13),
)
def test_time_bound_and_rate_tell_one_story(flops: int, moved: int, peak: float, bandwidth: float) -> None:
    roof, what = Roof(peak, bandwidth), cost(flops, moved)
    assert flops / attainable_s(what, roof) == pytest.approx(roof.attainable(what.intensity))
    memory_takes_longer = moved / bandwidth > flops / peak
    if moved / bandwidth != pytest.approx(flops / peak):
        assert (bound_of(what, roof) is Bound.MEMORY) == memory_takes_longer
