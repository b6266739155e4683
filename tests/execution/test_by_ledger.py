"""Arms predicted from the operations of others: exact where time is a line in them, and with an error where it is not."""

from dataclasses import replace

import pytest

from resbench.architectures.naming import find_architecture
from resbench.execution.by_ledger import LEAST_OFF, families_of, macs_of, to_measure, with_the_others
from resbench.execution.forecast import Parts
from resbench.specs import DataIdentity, Experiment, Precision, Scale
from resbench.training.recipes import HE2015_CIFAR

DATA = DataIdentity(
    kind="cifar10",
    label="CIFAR-10",
    official=True,
    fingerprint="abc",
    classes=10,
    train_samples=50_000,
    test_samples=10_000,
    majority=0.1,
)
DEPTHS = (110, 20, 32, 44, 56)


def asked(model: str) -> Experiment:
    return Experiment(
        model=model,
        device="cpu",
        precision=Precision.FP32,
        seed=0,
        scale=Scale.FULL,
        recipe=HE2015_CIFAR,
        data=DATA,
    )


RESIDUAL = [asked(f"cifar_resnet{depth}") for depth in DEPTHS]


def parts(step_s: float, checkpoint_B: int = 0) -> Parts:
    return Parts(
        visits=((step_s, step_s), (step_s,)),
        start_s=step_s,
        epoch_s=0.5,
        test_start_s=0.0,
        test_batch_s=step_s / 3,
        opening_s=1.0,
        checkpoint_B=checkpoint_B,
    )


def test_the_operations_are_those_of_the_catalogue() -> None:
    costs = find_architecture("cifar_resnet56").costs
    assert costs is not None
    assert macs_of(asked("cifar_resnet56")) == costs.core_macs


def test_families_differ_in_depth_alone_and_three_of_each_are_measured() -> None:
    plain = [asked(f"cifar_plain{depth}") for depth in (20, 56)]
    residual, straight = families_of([*RESIDUAL, *plain])
    assert [one.model for one in residual.members] == [f"cifar_resnet{depth}" for depth in sorted(DEPTHS)]
    measured = [one.model for one in to_measure([residual, straight])]
    # 20 and 110 layers are the ends; 56 is nearer to 65, where the middle of their operations is, than 44.
    assert measured == [
        "cifar_resnet20",
        "cifar_resnet56",
        "cifar_resnet110",
        "cifar_plain20",
        "cifar_plain56",
    ]


def test_on_a_line_the_others_are_exact_but_not_more_certain_than_a_tenth() -> None:
    """2 ms and 1 ms for each 4 million multiply-accumulates."""

    def step_s(experiment: Experiment) -> float:
        return 0.002 + macs_of(experiment) * 0.001 / 4e6

    families = families_of(RESIDUAL)
    found = {one.key: parts(step_s(one), checkpoint_B=1000) for one in to_measure(families)}
    every = with_the_others(families, found)
    assert every.keys() == {one.key for one in RESIDUAL}
    for one in RESIDUAL:
        assert every[one.key].step_s == pytest.approx(step_s(one))
        assert every[one.key].test_batch_s == pytest.approx(step_s(one) / 3)
        assert every[one.key].off == (0.0 if one.key in found else LEAST_OFF)


def test_what_the_middle_arm_lies_off_the_line_widens_the_others() -> None:
    (family,) = families_of(RESIDUAL)
    low, middle, high = to_measure([family])
    found = {low.key: parts(0.1), high.key: parts(0.5)}
    line_s = 0.1 + 0.4 * (macs_of(middle) - macs_of(low)) / (macs_of(high) - macs_of(low))
    found[middle.key] = parts(line_s * 1.2)
    every = with_the_others([family], found)
    assert every[asked("cifar_resnet32").key].off == pytest.approx(2 * 0.1823, rel=1e-3)  # ln 1.2


def test_other_pictures_or_batches_are_another_family() -> None:
    other = replace(RESIDUAL[0], recipe=replace(HE2015_CIFAR, train_batch=64))
    assert len(families_of([*RESIDUAL, other])) == 2


def test_another_width_or_stem_is_another_family() -> None:
    """They change how long an operation takes, too, and no line goes through them."""
    wide = [asked(f"cifar_resnet{depth}(width=32)") for depth in (20, 32)]
    assert len(families_of([*RESIDUAL, *wide])) == 2
    stems = [asked("resnet34"), asked("cifar_wide_stem_resnet34")]
    assert len(families_of(stems)) == 2
