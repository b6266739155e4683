"""Energy against a device that exists only in numbers: coarse updates, noise, drift."""

import random
from collections.abc import Callable

import pytest

from resbench.metrics.energy.counters import EnergyRefused
from resbench.metrics.energy.per_image import Energy, Plan, energy_per_image
from resbench.metrics.energy.windows import Time, mean_of, update_period
from resbench.results import Unit


class Device:
    """Draws `idle_W`, and `active_W` while it works; its counter moves every `period_s`.

    Noise is of a power that is drawn anew every `slow_s`, so that neighbouring moments resemble each other.
    """

    name = "a device of numbers"

    def __init__(
        self,
        *,
        idle_W: float = 20.0,
        active_W: float = 80.0,
        period_s: float = 0.02,
        noise: float = 0.0,
        slow_s: float = 0.5,
        seed: int = 0,
    ) -> None:
        self.now = self.total = self.shown = self.updated = 0.0
        self.idle_W, self.active_W, self.period_s = idle_W, active_W, period_s
        self.noise, self.slow_s = noise, slow_s
        self._factor, self._until = 1.0, 0.0
        self._random = random.Random(seed)
        self.time = Time(clock=lambda: self.now, sleep=self.sleep)

    def joules(self) -> float:
        return self.shown

    def sleep(self, seconds: float) -> None:
        self._pass(seconds, self.idle_W)

    def work(self) -> None:
        self._pass(0.05, self.active_W)

    def _pass(self, seconds: float, watts: float) -> None:
        end = self.now + seconds
        while self.now < end:
            if self.now >= self._until:
                self._factor = 1 + self.noise * self._random.gauss(0, 1)
                self._until = self.now + self.slow_s
            step = min(end, self.updated + self.period_s, self._until) - self.now
            step = max(step, 1e-9)
            self.total += watts * self._factor * step
            self.now += step
            if self.now >= self.updated + self.period_s - 1e-9:
                self.shown, self.updated = self.total, self.now


def measured(device: Device, plan: Plan | None = None, batch_size: int = 4) -> Energy:
    return energy_per_image(device, device.work, batch_size, device.time, plan or Plan())


TRUE_J = (80 - 20) * 0.05 / 4


def test_the_idle_baseline_is_subtracted_and_stated() -> None:
    found = measured(Device())
    assert found.net_J == pytest.approx(TRUE_J, rel=0.01)
    assert found.gross_J == pytest.approx(80 * 0.05 / 4, rel=0.01)
    assert found.idle_W == pytest.approx(20, rel=0.01)
    assert found.active_W == pytest.approx(80, rel=0.01)
    assert found.low_J <= TRUE_J <= found.high_J
    assert f"idle {found.idle_W:.1f}" in found.sentence
    assert "subtracted" in found.sentence


def test_a_coarse_counter_gets_longer_windows() -> None:
    found = measured(Device(period_s=0.1))
    assert found.period_s == pytest.approx(0.1, rel=0.05)
    assert found.window_s >= 50 * 0.099
    assert found.low_J <= TRUE_J <= found.high_J


def test_windows_too_short_for_the_counter_are_refused() -> None:
    with pytest.raises(EnergyRefused, match="50 updates would take"):
        measured(Device(period_s=2.0))


def test_a_counter_that_stands_still_is_refused() -> None:
    device = Device(period_s=1e9)
    with pytest.raises(EnergyRefused, match="did not move for 10 s"):
        update_period(device, device.time)


def covered(make: Callable[[int], Device], runs: int = 120) -> float:
    hits = 0
    for seed in range(runs):
        found = measured(make(seed), Plan(shortest_s=1.0, updates=50))
        hits += found.low_J <= TRUE_J <= found.high_J
    return hits / runs


def test_the_interval_covers_under_noise() -> None:
    assert covered(lambda seed: Device(noise=0.05, seed=seed)) >= 0.93


def test_the_interval_covers_where_neighbouring_windows_resemble_each_other() -> None:
    assert covered(lambda seed: Device(noise=0.05, slow_s=2.0, seed=seed)) >= 0.9


def test_an_idle_power_that_changes_widens_the_interval() -> None:
    class Warming(Device):
        def work(self) -> None:
            super().work()
            self.idle_W = 30.0

    still, warming = measured(Device()), measured(Warming())
    assert warming.idle_W == pytest.approx(25, rel=0.02)
    assert warming.high_J - warming.low_J > still.high_J - still.low_J


def test_few_windows_give_no_interval() -> None:
    with pytest.raises(ValueError, match="at least five"):
        mean_of([1.0, 2.0])


def test_equal_observations_leave_no_doubt() -> None:
    assert mean_of([3.0] * 5) == (3.0, 0.0)


def test_the_figures_are_measurements_in_joules_and_watts() -> None:
    device = Device(idle_W=20.0, active_W=80.0)
    found = {each.metric: each for each in energy_per_image(device, device.work, 4, device.time).measurements}
    # 50 ms of 60 W above idle for four images
    net = found["energy"]
    assert net.value == pytest.approx(0.05 * 60 / 4, rel=0.01)
    assert (net.unit, net.n) == (Unit.JOULE, 10)
    assert net.low is not None
    assert net.high is not None
    assert net.low <= net.value <= net.high
    assert found["energy_with_idle"].value == pytest.approx(0.05 * 80 / 4, rel=0.01)
    assert found["idle_power"].value == pytest.approx(20.0, rel=0.01)
    assert found["idle_power"].unit is Unit.WATT
    assert found["active_power"].value == pytest.approx(80.0, rel=0.01)
