import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.statistics.spread import Spread, alike, pooled, spread_of
from resbench.statistics.student import holm, quantile, two_sided

scipy_stats = pytest.importorskip("scipy.stats")


def test_it_is_the_sample_deviation() -> None:
    """2, 4, 4, 4, 5, 5, 7, 9: squares about the mean of 5 add up to 32."""
    spread = spread_of([2, 4, 4, 4, 5, 5, 7, 9])
    assert spread == Spread(deviation=pytest.approx((32 / 7) ** 0.5), freedom=7)  # type: ignore[arg-type]


@pytest.mark.parametrize("values", [[], [0.07], [0.07, 0.07], [0.1 + 0.2, 0.3]])
def test_one_run_or_runs_alike_tell_nothing(values: list[float]) -> None:
    assert spread_of(values) is None


def test_pooling_weighs_by_degrees_of_freedom() -> None:
    both = pooled([Spread(deviation=1.0, freedom=4), Spread(deviation=2.0, freedom=2)])
    assert both == Spread(deviation=pytest.approx(2**0.5), freedom=6, groups=2)  # type: ignore[arg-type]
    assert pooled([]) is None


def test_alike_agrees_with_scipys_bartlett() -> None:
    rng = np.random.default_rng(3)
    answers = set()
    for _ in range(60):
        groups = [rng.normal(scale=scale, size=int(rng.integers(2, 7))) for scale in (1.0, 1.0, 2.0)]
        p = scipy_stats.bartlett(*groups).pvalue
        spreads = [one for one in (spread_of(group.tolist()) for group in groups) if one]
        assert alike(spreads) is bool(p >= 0.5)
        answers.add(alike(spreads))
    assert answers == {True, False}


@given(st.lists(st.floats(0.0001, 1), min_size=1, max_size=12))
def test_holm_rejects_as_its_step_by_step_rule_does(p_values: list[float]) -> None:
    """Holm 1979: go through the p-values in order; stop at the first above 5 % of what is left."""
    left, rejected = len(p_values), set()
    for i in sorted(range(len(p_values)), key=lambda i: p_values[i]):
        if p_values[i] * left > 0.05:
            break
        rejected.add(i)
        left -= 1
    assert {i for i, p in enumerate(holm(p_values)) if p <= 0.05} == rejected


def test_holm_on_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([]) == ()


def test_students_quantile_and_p_are_inverse() -> None:
    assert quantile(4) == pytest.approx(2.7764, abs=1e-4)
    assert two_sided(quantile(7), 7) == pytest.approx(0.05)
    assert two_sided(-quantile(7), 7) == pytest.approx(0.05)


def test_importing_the_statistics_loads_no_scipy() -> None:
    names = "judging pairs prospects pair_prospects summaries curve_distance verdicts intervals"
    code = (
        "import sys\n"
        + "".join(f"import resbench.statistics.{name}\n" for name in names.split())
        + "assert not {'scipy', 'torch', 'pandas'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
