"""Scaling for display, against the figures papers print and against arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench import units


@pytest.mark.parametrize(
    ("parameters", "printed"), [(11_693_352, "44.607"), (21_805_224, "83.180"), (25_557_032, "97.492")]
)
def test_mebibytes_are_the_voc_tables_model_sizes(parameters: int, printed: str) -> None:
    assert units.mebibytes(4 * parameters) == printed


def test_giga() -> None:
    # what torchvision gives for ResNet-50, in GFLOPs that are multiply-accumulates
    assert units.giga(4_089_184_256) == "4.089"


def test_percent_and_thousands() -> None:
    assert units.percent(0.8998175) == "89.98 %"
    assert units.percent(0.8998175, digits=6) == "89.981750 %"
    assert units.thousands(25_557_032) == "25,557,032"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (4.2, "4.2 s"),
        (60, "1 min 00 s"),
        (185, "3 min 05 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 00 min"),
        (8040, "2 h 14 min"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert units.duration(seconds) == text


@pytest.mark.parametrize(
    ("half_width", "decimals"),
    [(0.23, 2), (0.0023, 4), (1.7, 1), (17, 0), (23_000, 0), (0, 3), (-1, 3), (float("nan"), 3)],
)
def test_decimals(half_width: float, decimals: int) -> None:
    assert units.decimals_for(half_width) == decimals


@given(st.floats(0.001, 9.4))
def test_an_uncertainty_below_ten_keeps_two_digits(half_width: float) -> None:
    shown = f"{half_width:.{units.decimals_for(half_width)}f}".replace(".", "").lstrip("0")
    assert len(shown) in (2, 3)  # 0.0999 is shown as 0.100


@given(st.floats(-1e3, 1e3), st.floats(0.001, 1e3))
def test_a_value_and_its_interval_have_the_same_decimals(value: float, half: float) -> None:
    text = units.with_interval(value, value - half, value + half)
    numbers = text.replace("[", "").replace("]", "").replace(",", "").split()
    assert len({len(number.partition(".")[2]) for number in numbers}) == 1
    assert all(
        float(number) == pytest.approx(exact, abs=half)
        for number, exact in zip(numbers, (value, value - half, value + half), strict=True)
    )


def test_without_an_interval_three_digits_are_shown() -> None:
    assert units.with_interval(0.012345, None, None) == "0.0123"
