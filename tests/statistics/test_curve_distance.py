import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.statistics.curve_distance import curve_distance


def test_a_constant_distance_is_its_own_mean() -> None:
    found = curve_distance([1, 2, 3, 4], [0.5, 0.6, 0.7, 0.8], [1, 2, 3, 4], [0.4, 0.5, 0.6, 0.7])
    assert found is not None
    assert (found.area, found.mean, found.signed) == pytest.approx((0.3, 0.1, 0.1))
    assert (found.epochs, found.first, found.last) == (4, 1, 4)


def test_curves_that_cross_enclose_two_triangles() -> None:
    """From +1 to -3 over one epoch: triangles of 1/4 x 1 / 2 and 3/4 x 3 / 2, with signs -1 in all."""
    found = curve_distance([1, 2], [1.0, -3.0], [1, 2], [0.0, 0.0])
    assert found is not None
    assert (found.area, found.signed) == pytest.approx((1 / 8 + 9 / 8, -1.0))
    assert (found.largest, found.at) == (-3.0, 2)


def test_only_common_epochs_count_and_gaps_are_bridged() -> None:
    found = curve_distance([1, 3, 5, 6], [2.0, 2.0, 2.0, 9.0], [5, 4, 1], [0.0, 7.0, 1.0])
    assert found is not None
    assert (found.epochs, found.first, found.last) == (2, 1, 5)
    assert found.area == pytest.approx(6.0)


def test_one_common_epoch_is_a_distance_without_an_area() -> None:
    found = curve_distance([1, 2], [0.2, 0.9], [2, 3], [0.8, 0.8])
    assert found is not None
    assert (found.area, found.at) == (0, 2)
    assert found.mean == pytest.approx(0.1)
    assert curve_distance([1], [0.1], [2], [0.1]) is None


def test_a_curve_needs_a_value_for_each_epoch() -> None:
    with pytest.raises(ValueError, match="zip"):
        curve_distance([1, 2], [0.1], [1, 2], [0.1, 0.2])


def test_it_is_said_in_words() -> None:
    found = curve_distance([1, 2], [0.5, 0.6], [1, 2], [0.45, 0.5])
    assert found is not None
    assert found.said(100, " points") == (
        "mean distance 7.5 points over epochs 1 to 2 (signed +7.5), largest +10 points at epoch 2"
    )


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=2, max_size=30))
def test_the_area_is_that_of_a_fine_grid(pairs: list[tuple[float, float]]) -> None:
    epochs = list(range(1, len(pairs) + 1))
    ours, theirs = ([pair[i] for pair in pairs] for i in (0, 1))
    found = curve_distance(epochs, ours, epochs, theirs)
    assert found is not None
    x = np.linspace(1, len(pairs), 400 * (len(pairs) - 1) + 1)
    apart = np.abs(np.interp(x, epochs, ours) - np.interp(x, epochs, theirs))
    assert found.area == pytest.approx(float(np.trapezoid(apart, x)), abs=1e-2)
    assert abs(found.signed) <= found.mean + 1e-9
    assert found.mean <= abs(found.largest) + 1e-9
    back = curve_distance(epochs, theirs, epochs, ours)
    assert back is not None
    assert (back.area, back.largest) == pytest.approx((found.area, -found.largest))
