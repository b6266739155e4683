"""Steps timed against a fake clock: each step lasts what it is told to, and the waits of a device are told apart."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from resbench.trial.walking import Shape, Walk, Watched, walk


@dataclass
class Clock:
    """Time that passes only when something is done."""

    now: float = 0.0
    waits: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def wait(self) -> None:
        self.waits.append(self.now)


def journey(clock: Clock, seconds: Callable[[int], float], steps: int = 10_000) -> Iterator[None]:
    for step in range(steps):
        clock.now += seconds(step)
        yield


def walked(
    seconds: Callable[[int], float],
    shape: Shape,
    *,
    watch_s: float = 1.0,
    block_s: float = 0.0,
    steps: int = 10_000,
) -> tuple[Walk, Clock]:
    clock = Clock()
    watched = Watched(clock=clock, synchronise=clock.wait, block_s=block_s)
    return walk(journey(clock, seconds, steps), shape, watched, seconds=watch_s), clock


LONG = Shape(samples=12_800, batch=128)


def test_the_shape_of_an_epoch() -> None:
    """300 samples in batches of 128 are 128, 128 and 44."""
    shape = Shape(samples=300, batch=128)
    assert shape.steps == 3
    assert [shape.size(step) for step in range(6)] == [128, 128, 44, 128, 128, 44]
    assert [shape.usual(step) for step in range(6)] == [False, True, False, False, True, False]
    assert [Shape(samples=50, batch=128).usual(step) for step in range(3)] == [False, True, True]


def test_the_first_step_is_the_start_and_the_others_are_the_pace() -> None:
    found, _ = walked(lambda step: 0.5 if step == 0 else 0.02, LONG)
    assert sum(found.steps_s) / len(found.steps_s) == pytest.approx(0.02)
    assert found.start_s == pytest.approx(0.5 - 0.02)
    assert 50 <= len(found.steps_s) <= 52


def test_steps_that_are_not_yet_steady_count_as_start() -> None:
    """Ten steps of 60 ms before those of 20 ms take 0.4 s more than steady ones."""
    found, _ = walked(lambda step: 0.06 if step <= 10 else 0.02, LONG, watch_s=2.0)
    assert {round(one, 9) for one in found.steps_s} == {0.02}
    assert found.start_s == pytest.approx(11 * 0.04)


def test_the_first_step_of_an_epoch_and_a_small_last_one_are_no_usual_steps() -> None:
    shape = Shape(samples=5 * 128 + 32, batch=128)

    def seconds(step: int) -> float:
        return {0: 0.3, 5: 0.005}.get(step % 6, 0.02)

    found, _ = walked(seconds, shape)
    assert {round(one, 9) for one in found.steps_s} == {0.02}


def test_where_all_but_the_first_step_are_small_they_are_brought_to_a_whole_batch() -> None:
    """Of an epoch of 160 samples, the second step has 32: 5 ms of it are 20 ms of a whole batch."""
    found, _ = walked(lambda step: 0.005 if step % 2 else 0.1, Shape(samples=160, batch=128))
    assert found.steps_s[0] == pytest.approx(0.02)


def test_a_slow_network_is_watched_for_one_step_after_its_first() -> None:
    found, clock = walked(lambda _step: 20.0, LONG, watch_s=1.5)
    assert found == Walk(steps_s=(20.0,), start_s=0.0)
    assert clock.now == 40.0


def test_a_run_that_ends_has_its_steps_so_far_and_one_without_any_has_no_pace() -> None:
    found, _ = walked(lambda _step: 0.02, LONG, steps=6)
    assert len(found.steps_s) == 5
    with pytest.raises(ValueError, match="no pace"):
        walked(lambda _step: 0.02, LONG, steps=1)


def test_steps_on_a_device_are_timed_in_blocks_so_that_it_is_not_waited_for_after_each() -> None:
    found, clock = walked(lambda _step: 0.001, LONG, watch_s=1.0, block_s=0.1)
    assert all(one == pytest.approx(0.001) for one in found.steps_s)
    assert len(clock.waits) < clock.now / 0.001 / 20
