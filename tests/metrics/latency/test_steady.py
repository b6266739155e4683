"""The end of the warm-up, on a fake machine, and the change-point test against simulated series."""

import math
from typing import Any

import numpy as np
import pytest

from resbench.metrics.latency.steady import SteadyRule, change_point, steady_from, warm_up

QUICK = SteadyRule(tolerance=0.03, seconds=20.0, limit_s=1e9)


def noisy(level: float, n: int, rng: np.random.Generator, rho: float = 0.5) -> list[float]:
    found, noise = [], 0.0
    for _ in range(n):
        noise = rho * noise + math.sqrt(1 - rho**2) * rng.standard_normal()
        found.append(level * math.exp(0.01 * noise))
    return found


@pytest.mark.parametrize("cold", [5, 9])
def test_the_warm_up_lasts_as_long_as_the_cold_calls_do(machine_of: Any, cold: int) -> None:
    rng = np.random.default_rng(cold)
    durations = noisy(2.0, cold, rng) + noisy(1.0, 10_000, rng)
    machine = machine_of(lambda number: durations[number])
    warmth = warm_up(machine.call, machine.stopwatch, QUICK)
    assert warmth.steady
    assert warmth.steady_from == pytest.approx(cold, abs=2)
    assert cold + 16 <= warmth.calls == machine.calls <= cold + 60
    assert warmth.call_s == pytest.approx(1.0, rel=0.02)


def test_speeds_that_fall_step_by_step_are_all_warm_up(machine_of: Any) -> None:
    rng = np.random.default_rng(0)
    durations = [call for level in (8.0, 4.0, 2.0, 1.0) for call in noisy(level, 8, rng)] + noisy(
        0.9, 9999, rng
    )
    machine = machine_of(lambda number: durations[number])
    warmth = warm_up(machine.call, machine.stopwatch, QUICK)
    assert warmth.steady
    assert warmth.steady_from == pytest.approx(32, abs=3)


def test_calls_that_become_slower_are_not_steady_either() -> None:
    rng = np.random.default_rng(0)
    assert steady_from(noisy(1.0, 40, rng) + noisy(1.2, 40, rng), 0.03) == pytest.approx(40, abs=2)


def test_the_warm_up_is_bounded_and_says_that_it_was_not_steady(machine_of: Any) -> None:
    machine = machine_of(lambda number: 0.99**number)
    warmth = warm_up(machine.call, machine.stopwatch, SteadyRule(seconds=0.0, limit_s=60.0))
    assert not warmth.steady
    assert 60.0 <= warmth.seconds < 61.0


def test_one_call_longer_than_the_limit_is_all_there_is(machine_of: Any) -> None:
    machine = machine_of(lambda _number: 30.0)
    warmth = warm_up(machine.call, machine.stopwatch, SteadyRule(limit_s=10.0))
    assert (warmth.calls, warmth.steady, warmth.call_s) == (1, False, 30.0)


def test_slow_calls_are_steady_when_as_many_as_there_was_time_for_show_no_change(machine_of: Any) -> None:
    rng = np.random.default_rng(7)
    calls = noisy(0.6, 60, rng)
    steady = machine_of(lambda number: calls[number])
    warmth = warm_up(steady.call, steady.stopwatch, SteadyRule(limit_s=5.0))
    assert (warmth.calls, warmth.steady) == (9, True)
    cooling = machine_of(lambda number: calls[number] * (3 if number < 3 else 1))
    assert warm_up(cooling.call, cooling.stopwatch, SteadyRule(limit_s=5.0)).steady is False


def test_outliers_are_no_change() -> None:
    rng = np.random.default_rng(4)
    series = np.asarray(noisy(1.0, 100, rng))
    series[[20, 21, 60, 90]] *= 10
    assert steady_from(series, 0.03) == 0


def test_a_steady_series_is_seldom_taken_for_a_change() -> None:
    rng = np.random.default_rng(9)
    for rho in (0.0, 0.5, 0.75):
        dismissed = [steady_from(noisy(1.0, 60, rng, rho), tolerance=0.03) > 0 for _ in range(200)]
        assert np.mean(dismissed) <= 0.02, rho
        changes = [found.p < 0.05 for _ in range(200) if (found := change_point(noisy(1.0, 60, rng, rho)))]
        assert np.mean(changes) <= 0.15, rho  # more than 5 %: the correlation is estimated, from 60 calls


def test_the_statistic_is_that_of_pettitt() -> None:
    # Ranks 1..8 in order, n = 8: U_t = 2 (1 + ... + t) - 9 t is lowest at t = 4: 20 - 36 = -16.
    # Straight lines leave no residual, so no correlation: p = 2 exp(-6 x 16^2 / (8^3 + 8^2)) = 0.139.
    found = change_point([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    assert found is not None
    assert found.index == 4
    assert (found.before, found.after) == (2.5, 6.5)
    assert found.p == pytest.approx(2 * math.exp(-6 * 16**2 / (8**3 + 8**2)))
    assert found.shift == pytest.approx(1.6)
    assert found.order == 0.0  # no call before exceeds one after


def test_order_is_the_share_of_pairs_of_mann_and_whitney() -> None:
    series = np.random.default_rng(0).random(30)
    found = change_point(series)
    assert found is not None
    pairs = [a > b for a in series[: found.index] for b in series[found.index :]]
    assert found.order == pytest.approx(np.mean(pairs))


def test_a_few_calls_or_equal_ones_show_no_change() -> None:
    assert change_point([5.0, 1.0, 1.0]) is None
    found = change_point([1.0] * 20)
    assert found is not None
    assert found.p == 1.0
