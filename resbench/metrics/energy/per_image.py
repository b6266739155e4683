"""Joules of one picture: what the work draws above what the idle device draws, with the interval of both."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from resbench.metrics.energy.counters import Counter, EnergyRefused
from resbench.metrics.energy.windows import Mean, Time, mean_of, run_windows, update_period
from resbench.results import Measurement, Statistic, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long energy is watched.

    Attributes:
        windows: of work; half as many, and five at least, of idling before it, and as many after.
        updates: changes of the counter that a window must hold at least.
        shortest_s: of a window, however often the counter changes.
        longest_s: all of it may take.
    """

    windows: int = 10
    updates: int = 50
    shortest_s: float = 1.0
    longest_s: float = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """What one picture takes.

    Attributes:
        net_J: joules a picture, above idle.
        low_J, high_J: its 95 % interval, which knows the spread of work and of idling, and the counter's last update.
        gross_J: joules a picture, with what the device draws anyway in that time.
        idle_W: mean power while nothing runs, which was subtracted; `idle_half_W` its interval's half width.
        active_W: mean power while the work runs.
        images, seconds: seen in all windows of work.
        period_s: between two changes of the counter.
        window_s: of one window.
        counter: what was counted.
        windows: of work.
    """

    net_J: float
    low_J: float
    high_J: float
    gross_J: float
    idle_W: float
    idle_half_W: float
    active_W: float
    images: int
    seconds: float
    period_s: float
    window_s: float
    counter: str
    windows: int

    @property
    def sentence(self) -> str:
        """How it was measured, for a reader."""
        return (
            f"{self.counter}; {self.images} images in {self.seconds:.1f} s, windows of {self.window_s:.1f} s "
            f"(the counter moves every {1e3 * self.period_s:.0f} ms); "
            f"idle {self.idle_W:.1f} ± {self.idle_half_W:.1f} W subtracted"
        )

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """The figures in base units: joules of a picture above idle and in all, watts while idle and at work."""
        mean = partial(Measurement, statistic=Statistic.MEAN, n=self.windows)
        energy, power = partial(mean, unit=Unit.JOULE), partial(mean, unit=Unit.WATT)
        return (
            energy(
                metric="energy",
                value=self.net_J,
                low=self.low_J,
                high=self.high_J,
                method=f"of one image, above idle; {self.sentence}",
            ),
            energy(
                metric="energy_with_idle",
                value=self.gross_J,
                method=f"of one image, idle power not subtracted; {self.counter}",
            ),
            power(
                metric="idle_power",
                value=self.idle_W,
                low=max(0.0, self.idle_W - self.idle_half_W),
                high=self.idle_W + self.idle_half_W,
                method=f"{self.counter}; while nothing runs",
            ),
            power(
                metric="active_power",
                value=self.active_W,
                method=f"{self.counter}; while the work runs",
            ),
        )


STANDARD = Plan()


def energy_per_image(
    counter: Counter, work: Callable[[], object], batch_size: int, time: Time, plan: Plan = STANDARD
) -> Energy:
    """Return the energy of one picture. The device idles first and last, so that a drifting baseline shows in its interval.

    Args:
        counter: of the device's joules.
        work: one call on `batch_size` pictures, warmed up, that returns when the device is done.
        batch_size: pictures in one call.
        time: clock and sleep.
        plan: how long.

    Raises:
        EnergyRefused: the counter does not move, or so seldom that the plan's time holds too few of its updates.
    """
    period_s = update_period(counter, time)
    window_s = _window(plan, period_s)

    def idle() -> None:
        time.sleep(window_s / plan.updates)

    before = run_windows(counter, time, idle, number=_idles(plan), seconds=window_s)
    active = run_windows(counter, time, work, number=plan.windows, seconds=window_s)
    after = run_windows(counter, time, idle, number=_idles(plan), seconds=window_s)
    idling = _baseline([window.watts for window in before], [window.watts for window in after])
    joules, seconds, calls = (sum(column) for column in zip(*active, strict=True))
    images = batch_size * int(calls)
    spread_J = mean_of([(window.joules - idling.value * window.seconds) / window.calls for window in active])
    # Of all windows together the counter may have kept one update to itself.
    update_J = period_s * joules / seconds / images
    half_J = math.hypot(spread_J.half_width / batch_size, idling.half_width * seconds / images) + update_J
    net_J = (joules - idling.value * seconds) / images
    return Energy(
        net_J=net_J,
        low_J=net_J - half_J,
        high_J=net_J + half_J,
        gross_J=joules / images,
        idle_W=idling.value,
        idle_half_W=idling.half_width,
        active_W=joules / seconds,
        images=images,
        seconds=seconds,
        period_s=period_s,
        window_s=window_s,
        counter=counter.name,
        windows=len(active),
    )


def _window(plan: Plan, period_s: float) -> float:
    """Return the seconds of a window, which holds as many updates of the counter as the plan wants."""
    window_s = max(plan.shortest_s, plan.updates * period_s)
    needed_s = (plan.windows + 2 * _idles(plan)) * window_s
    if needed_s > plan.longest_s:
        raise EnergyRefused(
            f"energy: the counter moves every {period_s:.2g} s: windows of {plan.updates} updates would take "
            f"{needed_s:.0f} s, and there are {plan.longest_s:.0f} s"
        )
    return window_s


def _idles(plan: Plan) -> int:
    return max(5, plan.windows // 2)


def _baseline(before: list[float], after: list[float]) -> Mean:
    """Return the idle power; what it changed from before to after widens its interval."""
    first, second = mean_of(before), mean_of(after)
    half = math.hypot(first.half_width, second.half_width) / 2
    return Mean((first.value + second.value) / 2, max(half, abs(first.value - second.value) / 2))
