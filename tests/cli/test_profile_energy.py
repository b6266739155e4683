"""`resbench profile --energy`: how it is asked for, with a counter that exists only in numbers."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from resbench.cli import profile_energy
from resbench.cli.output import Format
from resbench.metrics.energy.counters import Counter, EnergyRefused
from resbench.metrics.energy.per_image import Energy
from resbench.metrics.energy.windows import Time
from resbench.trial.case import Case

CASE = Case(model="cifar_resnet20", input_CHW=(3, 16, 16), num_classes=10, batch_size=2, threads=1)
ENERGY = Energy(
    net_J=0.5, low_J=0.48, high_J=0.52, gross_J=0.7, idle_W=20.0, idle_half_W=0.5, active_W=80.0, images=1000,
    seconds=10.0, period_s=0.02, window_s=1.0, counter="a counter of numbers", windows=10,
)  # fmt: skip


def silent(_doing: str) -> None:
    pass


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many threads there were while the work ran."""
    seen: list[int] = []

    def measured(_counter: Counter, work: Callable[[], object], batch_size: int, _time: Time) -> Energy:
        work()
        assert batch_size == CASE.batch_size
        seen.append(torch.get_num_threads())
        return ENERGY

    monkeypatch.setattr(profile_energy, "open_counter", lambda _device: None)
    monkeypatch.setattr(profile_energy, "energy_per_image", measured)
    return seen


@pytest.mark.parametrize("mode", ["inference", "training"])
def test_the_work_has_the_threads_of_the_case_in_any_mode(
    mode: str, threads: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        section = profile_energy.energy_section(replace(CASE, mode=mode), silent)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert threads == [1]
    assert section.as_json["energy_refused"] is None
    assert [found.metric for found in section.measurements][:1] == ["energy"]
    section.show(Format.TABLE)
    assert "0.5 [0.48, 0.52] J" in capsys.readouterr().out


def test_without_a_counter_it_says_why_and_gives_no_figure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_device: torch.device) -> Counter:
        raise EnergyRefused("energy: no RAPL counter here")

    monkeypatch.setattr(profile_energy, "open_counter", refuse)
    section = profile_energy.energy_section(CASE, silent)
    assert section.as_json == {"energy": None, "energy_refused": "energy: no RAPL counter here"}
    assert section.measurements == ()
    section.show(Format.TABLE)
    assert capsys.readouterr().out == "\nNo energy: no RAPL counter here.\n"
