"""What belongs to one case alone: its settings, its network's fingerprint, and what compiling took with an empty cache."""

from dataclasses import replace

import pytest

from resbench.architectures.naming import find_architecture
from resbench.results import Environment, differences
from resbench.trial.case import Case
from resbench.trial.findings import measurements
from resbench.trial.provenance import common_to, environment_of
from resbench.trial.records import Arm, Round

COMMON = Environment(machine={"cpu": "Some CPU"}, software={}, settings={"threads": "9", "mode": "none"})
CASE = Case(model="cifar_resnet20", input_CHW=(3, 32, 32), num_classes=10, threads=2)


def test_each_case_has_its_own_settings_and_network() -> None:
    arm = Arm(case=CASE, opened={"settings": {"allocator mode": "system"}})
    found = environment_of(COMMON, arm)
    assert found.settings["threads"] == "2"
    assert found.settings["allocator mode"] == "system"
    assert found.settings["figures at the machine's pace"] == "no"
    costs = find_architecture("cifar_resnet20").costs
    assert costs is not None
    assert found.model["parameters"] == str(costs.parameters)
    assert found.model["core MACs"] == str(costs.core_macs)
    other = environment_of(COMMON, Arm(case=replace(CASE, mode="training"), opened=arm.opened))
    assert [each.name for each in differences(found, other)] == ["mode"]
    assert differences(found, environment_of(COMMON, arm)) == ()


def test_what_runs_a_case_is_among_its_software() -> None:
    arm = Arm(case=replace(CASE, backend="openvino"), opened={"versions": {"openvino": "2025.4"}})
    found = environment_of(COMMON, arm)
    assert found.software["openvino"] == "2025.4"
    (difference,) = differences(environment_of(COMMON, Arm(case=CASE)), found)
    assert (difference.kind, difference.name, difference.second) == ("software", "openvino", "2025.4")


def test_what_all_cases_share_is_what_their_processes_say() -> None:
    """This process may round float32 otherwise than those that measure."""
    here = replace(COMMON, settings={"float32 products": "rounded to tf32", "threads": "9"})
    plain = {"float32 products": "not rounded", "precision": "fp32"}
    arms = [
        Arm(case=CASE, opened={"settings": plain}),
        Arm(case=replace(CASE, precision="bf16"), opened={"settings": {**plain, "precision": "bf16"}}),
    ]
    shared = common_to(here, [environment_of(here, arm) for arm in arms])
    assert shared.settings["float32 products"] == "not rounded"
    assert shared.settings["threads"] == "2"
    assert "precision" not in shared.settings
    assert shared.machine == here.machine


def test_code_that_was_found_in_a_cache_is_no_compile_time() -> None:
    arm = Arm(case=replace(CASE, backend="compile"))
    for process, (prepare_s, compile_s, cached) in enumerate([(21.0, 19.0, False), (4.0, 2.0, True)]):
        arm.cold.append(
            {
                "load_s": 0.1,
                "prepare_s": prepare_s,
                "compile_s": compile_s,
                "first_call_s": 0.01,
                "compile_cached": cached,
            }
        )
        arm.rounds.append(Round(process, 0, 0, (0.01, 0.01), disturbed=False))
    found = {each.metric: each for each in measurements(arm)}
    assert found["cold_compile"].value == pytest.approx(19.0)
    assert found["cold_compile"].n == 1
    assert found["cold_prepare"].value == pytest.approx(21.0)
    assert found["cold_prepare"].n == 1
    assert found["cold_load"].n == 2
