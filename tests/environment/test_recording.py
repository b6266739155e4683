"""The record of this very machine: the same at every call, and true by other witnesses."""

import json
from pathlib import Path

import psutil
import pytest
import torch

import resbench
from resbench.environment import capture
from resbench.environment.host import HostState
from resbench.environment.nvml import GpuState
from resbench.environment.recording import record
from resbench.environment.state import gpu_state, host_state
from resbench.results import IDENTITY, READINGS, differences
from resbench.store.exchange import import_results

COMMITTED = Path(__file__).parents[2] / "reports" / "voc_compare.short.jsonl"


def test_the_machine_is_the_same_at_every_call() -> None:
    first, second = capture("cpu"), capture("cpu")
    assert first.machine == second.machine
    assert first.machine_id == second.machine_id
    assert set(first.machine) >= {"cpu", "cores", "memory", "system"}
    assert differences(first, second) == () or {found.kind for found in differences(first, second)} == {
        "state"
    }


def test_the_facts_agree_with_other_witnesses() -> None:
    found = capture("cpu", {"workers": "3"}, model={"parameters": "7"})
    assert int(found.machine["cores"]) == len(psutil.Process().cpu_affinity() or [])
    assert found.software["torch"] == torch.__version__
    assert found.software["resbench"] == resbench.__version__
    assert found.settings["threads"] == str(torch.get_num_threads())
    assert found.settings["workers"] == "3"
    assert found.model == {"parameters": "7"}


def test_what_the_caller_set_stands_above_what_was_found() -> None:
    assert capture("cpu", {"allocator": "keep"}).settings["allocator"] == "keep"


def test_the_facts_of_the_first_version_decide_on_the_identity() -> None:
    # What an environment record held when stores were first written.
    older = {name: capture("cpu").machine[name] for name in ("cpu", "cores", "memory", "system")}
    assert list(older) == list(IDENTITY[:4])
    from resbench.results import digest

    assert capture("cpu").machine_id == digest(older)[:12]


def test_the_committed_results_still_answer_for_their_machine() -> None:
    profiles = [result for result in import_results(COMMITTED) if result.experiment["profiling"]]
    assert profiles
    for result in profiles:
        assert result.environment.machine_id == result.experiment["machine"]
        assert result.environment.state == {}


def test_every_reading_is_a_name_of_the_state() -> None:
    host = HostState(
        load=1.0, waiting=0.1, stolen=0.1, governor="performance", turbo=True, clock_Hz=2e9, temperature_C=50.0,
        quota_cores=1.5, huge_pages="always",
    )  # fmt: skip
    gpu = GpuState(load=0.5, temperature_C=40.0, clock_Hz=1e9, memory_free_B=2**30, power_limit_W=300.0)
    names = host_state(host) | gpu_state(gpu)
    assert set(READINGS) <= set(names)
    assert {"governor", "turbo", "CPU quota", "gpu power limit", "gpu clock held back by"} <= set(
        names
    ) - set(READINGS)


def test_the_state_is_apart_from_the_machine() -> None:
    device = torch.device("cpu")
    idle, busy = (
        record(device, HostState(load=load, governor=governor), None, settings={}, model={})
        for load, governor in ((0.0, "performance"), (9.0, "powersave"))
    )
    assert idle.machine_id == busy.machine_id
    assert [tuple(found) for found in differences(idle, busy)] == [
        ("state", "governor", "performance", "powersave")
    ]


def test_an_unknown_gpu_state_is_no_state() -> None:
    found = record(torch.device("cpu"), HostState(), "nvidia-ml-py is not installed", settings={}, model={})
    assert not [name for name in found.state if name.startswith("gpu")]


def test_no_fact_names_a_person_or_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD", "")
    text = json.dumps(
        [dict(capture("cpu").machine), dict(capture("cpu").settings), dict(capture("cpu").state)]
    )
    assert str(Path.home()) not in text
    assert str(Path.cwd()) not in text
