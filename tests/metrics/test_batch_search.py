"""The search against a memory of known size, and against one that is not steady."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.errors import ResbenchError
from resbench.metrics.batch_search import Trial, largest_batch


@given(capacity=st.integers(1, 5000), start=st.integers(1, 6000))
def test_the_answer_is_the_capacity_wherever_the_search_begins(capacity: int, start: int) -> None:
    found = largest_batch(lambda batch: batch <= capacity, start=start)
    assert (found.largest, found.oom_at) == (capacity, capacity + 1)
    assert found.trials[-1] == Trial(capacity, fitted=True)  # tried once more
    assert found.trials.count(Trial(capacity, fitted=True)) == 2
    # Steps away from the start double; what lies between the last two is halved.
    assert len(found.trials) <= 2 * math.log2(max(capacity, start)) + 4


@given(limit=st.integers(1, 300), start=st.integers(1, 300))
def test_the_search_ends_at_its_limit(limit: int, start: int) -> None:
    tried: list[int] = []

    def fits(batch: int) -> bool:
        tried.append(batch)
        return True

    found = largest_batch(fits, start=min(start, limit), limit=limit)
    assert (found.largest, found.oom_at) == (limit, None)
    assert max(tried) == limit


def test_not_even_one_image_is_a_finding() -> None:
    found = largest_batch(lambda _batch: False, start=8)
    assert (found.largest, found.oom_at) == (0, 1)
    assert found.sentence == "out of memory at batch 1: not a single image fits (4 tries)"


def test_the_finding_names_the_batch_that_was_out_of_memory() -> None:
    found = largest_batch(lambda batch: batch <= 5)
    assert found.sentence == "batch 5 fits, verified; out of memory at batch 6 (7 tries)"


def test_a_batch_that_fitted_by_chance_is_lowered() -> None:
    lucky = iter([True])  # 7 fits once, and never again

    def fits(batch: int) -> bool:
        return batch <= 5 or (batch == 7 and next(lucky, False))

    found = largest_batch(fits, start=7)
    assert (found.largest, found.oom_at) == (5, 6)


def test_memory_that_is_never_steady_is_an_error() -> None:
    seen: set[int] = set()

    def fits(batch: int) -> bool:
        """Each batch fits the first time, and never again."""
        first = batch not in seen
        seen.add(batch)
        return first and batch < 100

    with pytest.raises(ResbenchError, match="the largest batch is not steady"):
        largest_batch(fits)


def test_what_fails_for_another_reason_is_passed_on() -> None:
    def fits(_batch: int) -> bool:
        raise ResbenchError("no such kernel")

    with pytest.raises(ResbenchError, match="no such kernel"):
        largest_batch(fits)


@pytest.mark.parametrize("start", [0, 9])
def test_a_start_outside_the_limits_is_a_mistake(start: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 8"):
        largest_batch(lambda _batch: True, start=start, limit=8)
