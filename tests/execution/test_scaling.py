from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.errors import UsageError
from resbench.execution.scaling import Amount, parse_amount, reduced
from resbench.specs import DataIdentity, Scale
from resbench.training.recipes import HE2015_CIFAR, VOC_ZJ2020
from resbench.training.scales import at_scale

DATA = DataIdentity(
    kind="cifar10", label="CIFAR-10", official=True, fingerprint="f", classes=10, train_samples=50_000,
    test_samples=10_000, majority=0.1,
)  # fmt: skip


@pytest.mark.parametrize("scale", ["smoke", "short", "full"])
def test_named_scales(scale: str) -> None:
    amount = parse_amount(scale)
    assert (amount, str(amount)) == (Amount(scale=Scale(scale)), scale)
    assert reduced(HE2015_CIFAR, amount, DATA) == at_scale(HE2015_CIFAR, Scale(scale))


@given(st.floats(min_value=1e-6, max_value=0.999))
def test_a_share_is_read_back_as_it_is_said(share: float) -> None:
    amount = parse_amount(f"{share:g}")
    assert parse_amount(str(amount)) == amount


def test_the_whole_is_full() -> None:
    assert parse_amount("1.0") == Amount(scale=Scale.FULL)


@pytest.mark.parametrize("text", ["smok", "0", "-0.1", "1.5", "nan", "part", "inf"])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(UsageError):
        parse_amount(text)


def test_a_hundredth() -> None:
    part = reduced(HE2015_CIFAR, parse_amount("0.01"), DATA)
    assert (part.schedule.length, part.schedule.milestones) == (640, (320, 480))
    assert (part.train_limit, part.test_limit) == (500, 128)
    assert part.name == "he2015_cifar-0.01"


def test_a_hundredth_holds_out_a_hundredth() -> None:
    part = reduced(replace(HE2015_CIFAR, validation=5000), parse_amount("0.01"), DATA)
    assert (part.train_limit, part.validation) == (500, 50)
    assert reduced(HE2015_CIFAR, parse_amount("0.01"), DATA).validation == 0


@given(st.floats(min_value=1e-6, max_value=0.999))
def test_every_picture_is_seen_as_often_as_in_full(share: float) -> None:
    part = reduced(HE2015_CIFAR, Amount(scale=Scale.PART, share=share), DATA)
    assert part.train_limit is not None
    full = HE2015_CIFAR.schedule.length * HE2015_CIFAR.train_batch / DATA.train_samples
    seen = part.schedule.length * part.train_batch / part.train_limit
    if share * DATA.train_samples > 10 * part.train_batch:
        assert seen == pytest.approx(full, rel=0.01)
    assert part.schedule.length >= 1
    assert part.train_limit >= part.train_batch
    assert all(1 <= at <= part.schedule.length for at in part.schedule.milestones)


def test_a_recipe_that_counts_epochs_keeps_them() -> None:
    part = reduced(VOC_ZJ2020, parse_amount("0.1"), replace(DATA, train_samples=40_058))
    assert part.schedule == VOC_ZJ2020.schedule
    assert part.train_limit == 4006
