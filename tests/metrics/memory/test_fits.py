"""The batch that fits, with measurements that differ from the prediction as real ones do."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.errors import ResbenchError
from resbench.metrics.batch_search import largest_batch
from resbench.metrics.memory.fitting import predict_fit, verify_fit

GIB = 2**30


def linear(base_B: int, each_B: int) -> Callable[[int], int]:
    return lambda batch_size: base_B + each_B * batch_size


def test_the_prediction_alone_says_so() -> None:
    found = predict_fit(1000, linear(100, 90), largest_batch)
    assert (found.batch_size, found.predicted, found.predicted_B, found.measured_B) == (None, 10, 1000, None)
    assert found.unverified


@given(
    st.integers(0, 10**9),
    st.integers(10**6, 10**8),
    st.integers(0, 10**8),
    st.floats(0.9, 1.2),
    st.integers(10**8, 10**10),
)
def test_the_answer_is_the_largest_batch_that_was_measured_to_fit(
    base: int, each: int, more: int, factor: float, limit: int
) -> None:
    def measured(batch_size: int) -> int:
        return base + more + int(factor * each * batch_size)

    found = verify_fit(limit, linear(base, each), measured, largest_batch, available_B=limit)
    assert found.batch_size is not None
    assert not found.unverified
    assert found.batch_size == max(0, (limit - base - more) // each) or factor != 1
    assert found.batch_size == 0 or found.measured_B == measured(found.batch_size) <= limit
    assert measured(found.batch_size + 1) > limit


def test_out_of_memory_is_an_answer() -> None:
    def measured(batch_size: int) -> int | None:
        return None if batch_size > 6 else 100 * batch_size

    found = verify_fit(1000, linear(0, 100), measured, largest_batch, available_B=2000)
    assert (found.predicted, found.batch_size, found.next_B, found.unverified) == (10, 6, None, "")


def test_what_this_machine_cannot_hold_is_no_answer() -> None:
    def never(_batch_size: int) -> int:
        pytest.fail("nothing may be measured")

    with pytest.raises(ResbenchError, match=r"16\.0 GiB free: a limit of 80\.0 GiB can't be verified"):
        verify_fit(80 * GIB, linear(0, GIB), never, largest_batch, available_B=16 * GIB)


def test_a_good_prediction_needs_few_measurements() -> None:
    tried: list[int] = []

    def measured(batch_size: int) -> int:
        tried.append(batch_size)
        return 104 * batch_size

    found = verify_fit(20_000, linear(0, 100), measured, largest_batch, available_B=10**6)
    assert (found.predicted, found.batch_size) == (200, 192)
    # 200, 199, 197, 193, 185 by steps, then 189, 191, 192 by halves, and 192 once more
    assert tried == [200, 199, 197, 193, 185, 189, 191, 192, 192]


def test_peaks_that_are_never_the_same_are_no_answer() -> None:
    seen: set[int] = set()

    def measured(batch_size: int) -> int | None:
        known = batch_size in seen
        seen.add(batch_size)
        return None if known or batch_size > 20 else batch_size

    with pytest.raises(ResbenchError, match="not steady"):
        verify_fit(1000, linear(0, 100), measured, largest_batch, available_B=10**6)


def test_a_single_picture_may_be_too_much() -> None:
    found = verify_fit(10, linear(100, 1), linear(100, 1), largest_batch, available_B=10**6)
    assert (found.batch_size, found.next_B, found.unverified) == (0, 101, "")
