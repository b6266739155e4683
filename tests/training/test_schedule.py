import csv
import math
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.specs import Optimizer, Schedule
from resbench.training.recipes import HE2015_CIFAR, HE2015_CIFAR_WARM, VOC_ZJ2020
from resbench.training.schedule import learning_rate


def voc_rate(epoch: int) -> float:
    return learning_rate(VOC_ZJ2020.optimizer, VOC_ZJ2020.schedule, epoch=epoch, iteration=0)


def test_voc_warms_up_and_ends_where_the_protocol_says() -> None:
    assert [voc_rate(epoch) for epoch in range(1, 6)] == pytest.approx([2e-4, 4e-4, 6e-4, 8e-4, 1e-3])
    assert voc_rate(100) == pytest.approx(1e-4)


def test_voc_agrees_with_every_learning_rate_of_the_published_log() -> None:
    """The log's column was read with get_lr() of torch 1.4, which applies the cosine's recursion once more.

    Logged is eta + (lr - eta) f(t)^2 / f(t - 1) where eta + (lr - eta) f(t) was trained with; see docs/adr.
    """
    text = resources.files("resbench.suites").joinpath("voc_compare_curves.csv").read_text()
    # The other networks of the file were trained at a rate of 3e-4.
    models = ("resnet18_biased", "resnet34_biased", "resnet50")
    every = [row for row in csv.DictReader(text.splitlines()) if row["phase"] == "train"]
    rows = [row for row in every if row["model"] in models]
    assert len(rows) == 300
    share = {epoch: (voc_rate(epoch) - 1e-4) / 9e-4 for epoch in range(5, 101)}
    for row in rows:
        epoch, logged = int(row["epoch"]), float(row["lr"])
        if epoch <= 5:
            assert logged == pytest.approx(voc_rate(epoch))
        elif epoch > 6:  # at 6 the log still has the last rate of the warm-up
            assert logged == pytest.approx(1e-4 + 9e-4 * share[epoch] ** 2 / share[epoch - 1], rel=1e-9)


def test_cifar_divides_by_ten_at_32k_and_48k() -> None:
    def rate(iteration: int) -> float:
        return learning_rate(HE2015_CIFAR.optimizer, HE2015_CIFAR.schedule, epoch=1, iteration=iteration)

    expected = {0: 0.1, 31_999: 0.1, 32_000: 0.01, 47_999: 0.01, 48_000: 0.001, 63_999: 0.001}
    assert {at: rate(at) for at in expected} == pytest.approx(expected)


def test_cifar_110_is_warmed_up_at_a_tenth_for_400_iterations() -> None:
    def rate(iteration: int) -> float:
        return learning_rate(
            HE2015_CIFAR_WARM.optimizer, HE2015_CIFAR_WARM.schedule, epoch=1, iteration=iteration
        )

    assert [rate(at) for at in (0, 399, 400, 32_000)] == pytest.approx([0.01, 0.01, 0.1, 0.01])


@given(length=st.integers(2, 300), warmup=st.integers(0, 299), lr=st.floats(1e-4, 1))
def test_a_cosine_never_leaves_its_bounds_and_ends_at_its_last_rate(
    length: int, warmup: int, lr: float
) -> None:
    warmup = min(warmup, length - 1)
    schedule = Schedule(name="cosine", unit="epoch", length=length, warmup=warmup, final_lr=lr / 10)
    optimizer = Optimizer(name="sgd", lr=lr, weight_decay=0.0)
    rates = [learning_rate(optimizer, schedule, epoch=epoch, iteration=0) for epoch in range(1, length + 1)]
    assert all(0 < rate <= lr * (1 + 1e-12) for rate in rates)
    assert math.isclose(rates[-1], lr / 10)
    assert rates[warmup:] == sorted(rates[warmup:], reverse=True)


def test_an_unknown_schedule_is_refused() -> None:
    with pytest.raises(ValueError, match="linear"):
        learning_rate(
            HE2015_CIFAR.optimizer, Schedule(name="linear", unit="epoch", length=3), epoch=1, iteration=0
        )
