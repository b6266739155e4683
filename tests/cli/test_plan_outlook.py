"""What a number of seeds can show of a suite's arms, as the report will compare them afterwards."""

from dataclasses import replace

import pytest

from resbench.catalog import find
from resbench.cli.plan_outlook import Shown, what_shows
from resbench.execution.planning import Asked
from resbench.execution.scaling import Amount
from resbench.execution.suite_plan import questions_of
from resbench.specs import Arm, DataIdentity, Precision, Scale, Suite
from resbench.statistics.outlook import between_arms

SUITE: Suite = find("suite", "suites", "SUITE", "cifar_depth")
ARMS = {arm.label: arm for arm in (*SUITE.arms, *SUITE.extra)}
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


def shown(*arms: Arm, scale: Scale = Scale.FULL) -> Shown:
    data = dict.fromkeys(("cifar10", "cifar100"), DATA)
    asked = Asked(amount=Amount(scale=scale), seeds=range(5), device="cpu", data=data, machine="one")
    return what_shows(SUITE, questions_of(SUITE, arms, asked), {}, 5)


@pytest.mark.parametrize(
    ("depths", "whom", "comparisons"),
    [
        ((20, 110), "an arm and the first", 1),
        ((20, 56, 110), "two arms", 3),  # up to four arms, a report compares each with each
        ((20, 32, 44, 56, 110), "an arm and the first", 4),
    ],
)
def test_as_many_comparisons_share_five_percent_as_the_report_will_make(
    depths: tuple[int, ...], whom: str, comparisons: int
) -> None:
    """2015's Table 6 prints a deviation of 0.16 points for 110 layers."""
    found = shown(*(ARMS[f"ResNet-{depth}"] for depth in depths))
    expected = between_arms(0.0016, 5, comparisons)
    assert expected is not None
    assert f"Between {whom}: 5 seeds find a true difference of {100 * expected:.2g} points" in found.between
    assert f"5 % shared by {comparisons} comparison" in found.between


def test_arms_on_other_data_are_not_compared() -> None:
    ten, other = ARMS["ResNet-20"], ARMS["ResNet-32"]
    assert shown(ten, replace(other, data="cifar100")).between == ""


def test_an_arm_that_is_not_comparable_takes_no_outlook_from_the_others() -> None:
    found = shown(replace(ARMS["ResNet-20"], precision=Precision.BF16), ARMS["ResNet-110"])
    half, whole = found.against[0], found.against[-1]
    assert half.reason.startswith("not comparable: precision bf16")
    assert whole.reproduced is not None
    assert found.not_comparable == ""


def test_of_a_reduced_run_nothing_is_compared() -> None:
    found = shown(ARMS["ResNet-20"], ARMS["ResNet-110"], scale=Scale.SHORT)
    assert found.against == ()
    assert found.not_comparable.startswith("scale short")
