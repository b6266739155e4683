import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.reporting.figures import interval_of, points, share, significant, timing
from resbench.results import Measurement, Statistic, Unit
from resbench.statistics.intervals import Interval, share_interval


def latency(value: float, **changes: object) -> Measurement:
    fields = {
        "metric": "latency",
        "value": value,
        "unit": Unit.SECOND,
        "statistic": Statistic.MEDIAN,
        "n": 30,
    }
    return Measurement(**{**fields, **changes})  # type: ignore[arg-type]


def decimals(text: str) -> int:
    return len(text.partition(".")[2])


@given(value=st.floats(1e-5, 1e3), below=st.floats(1e-6, 0.5), above=st.floats(1e-6, 0.5))
def test_a_timing_has_no_digits_beyond_its_interval(value: float, below: float, above: float) -> None:
    low, high = value * (1 - below), value * (1 + above)
    text = timing(latency(value, low=low, high=high), 1_000.0)
    shown = re.fullmatch(r"(\S+) \[(\S+), (\S+)\], n = 30", text)
    assert shown is not None
    half = 500 * (high - low)
    for number in shown.groups():
        # The last digit shown stands for no less than a hundredth of the interval's half width ...
        assert decimals(number) == 0 or 10 ** -decimals(number) >= half / 100
        # ... and one digit more would be less than two digits of it.
        assert 10 ** -(decimals(number) + 1) < half


@given(value=st.floats(0, 1), n=st.integers(1, 50_000))
def test_a_share_has_no_digits_beyond_its_interval(value: float, n: int) -> None:
    measurement = Measurement(metric="top1_strict", value=value, unit=Unit.ONE, statistic=Statistic.LAST, n=n)
    text = share(measurement, n)
    interval = share_interval(value, n)
    half = 50 * (interval.high - interval.low)
    numbers = re.findall(r"[\d.]+", text)
    assert len(numbers) == 3
    assert all(decimals(number) == 0 or 10 ** -decimals(number) >= half / 100 for number in numbers)
    assert [float(number) for number in numbers] == pytest.approx(
        [100 * value, 100 * interval.low, 100 * interval.high], abs=half
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.012345, "0.0123"), (12.345, "12.3"), (1234.5, "1,230"), (0, "0"), (56, "56"), (2e-7, "0.0000002")],
)
def test_without_an_interval_three_digits_are_shown(value: float, text: str) -> None:
    assert significant(value) == text


def test_what_was_not_run_says_so() -> None:
    assert (timing(None), share(None)) == ("not run", "not run")


def test_a_stored_interval_is_taken_and_a_missing_one_made() -> None:
    samples = tuple(float(number) for number in (1, 6, 2, 7, 3, 8, 4, 9, 5, 10))
    assert interval_of(latency(5.5, low=5.0, high=6.0, samples=samples)) == Interval(low=5.0, high=6.0)
    assert interval_of(latency(5.5, samples=samples)) == Interval(low=2.0, high=9.0)
    assert interval_of(latency(5.5, samples=samples[:4])) is None
    assert timing(latency(5.5, samples=samples[:4], n=4)) == "5.5, n = 4"


def test_a_difference_has_the_digits_of_the_accuracy() -> None:
    assert points(0.01234, share_interval(0.9, 12_032)) == "+1.23"
    assert points(-0.01234, share_interval(0.9, 96)) == "-1.2"
    assert points(0.01234, None) == "+1.2"
