"""How memory, fits and energy are shown."""

import json

import pytest

from resbench.cli.memory_views import show_energy, show_fit, show_memory
from resbench.cli.output import Format
from resbench.metrics.energy.per_image import Energy
from resbench.metrics.memory.asking import Measured
from resbench.metrics.memory.fitting import Fit
from resbench.metrics.memory.heap import Purpose
from resbench.metrics.memory.prediction import Prediction

MIB = 2**20
PREDICTION = Prediction(
    parts={Purpose.WEIGHTS: 40 * MIB, Purpose.BUFFERS: MIB, Purpose.ACTIVATIONS: 100 * MIB},
    at_peak={Purpose.WEIGHTS: 41 * MIB, Purpose.ACTIVATIONS: 90 * MIB, Purpose.WORKSPACE: 19 * MIB},
    peak=150 * MIB,
    peak_during="layer4.1.conv2, forward",
)
MEASURED = Measured(
    parts={Purpose.WEIGHTS: 42 * MIB, Purpose.ACTIVATIONS: 103 * MIB},
    peak=156 * MIB,
    method="growth of a fresh process",
)
USUAL = Measured(parts={}, peak=200 * MIB, method="growth of a fresh process")
FIT = Fit(
    limit_B=2**30, batch_size=10, predicted=11, predicted_B=900 * MIB, measured_B=2**29, next_B=2**30 + 1
)


def test_memory_stands_side_by_side_with_its_residual(capsys: pytest.CaptureFixture[str]) -> None:
    show_memory(PREDICTION, MEASURED, USUAL, Format.TABLE, "resnet18")
    shown = capsys.readouterr().out
    peak = next(line for line in shown.splitlines() if line.startswith("peak"))
    assert peak.split() == ["peak", "157.3", "150.0", "156.0", "6.0", "+4.0", "%", "150.0"]
    assert "weights and buffers" in shown
    workspace = next(line for line in shown.splitlines() if line.startswith("workspace"))
    # 19 MiB predicted; of 156 measured, 42 x 41 / 40 are weights and 103 x 90 / 100 activations that are alive then.
    assert workspace.split() == ["workspace", "19.9", "19.0", "20.2", "1.2", "+6.6", "%", "19.0"]
    assert "layer4.1.conv2, forward" in shown
    keeps = next(line for line in shown.splitlines() if line.startswith("heap keeps, not given back"))
    assert keeps.split()[-1] == "44.0"
    assert "its peak was 200.0 MiB (209.7 MB)" in shown


def test_memory_as_json_is_in_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    show_memory(PREDICTION, MEASURED, None, Format.JSON, "resnet18")
    found = json.loads(capsys.readouterr().out)
    assert found["predicted_peak"] == 150 * MIB
    assert found["residual"] == pytest.approx(0.04)
    assert found["usual_heap_peak"] is None


def test_a_prediction_stands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    show_memory(PREDICTION, None, None, Format.CSV, "resnet18")
    assert f"peak,{150 * MIB},,,{150 * MIB}" in capsys.readouterr().out


def test_a_fit_says_whether_it_was_verified(capsys: pytest.CaptureFixture[str]) -> None:
    training = Fit(limit_B=2**30, batch_size=None, predicted=3, predicted_B=1, unverified="no: no room here")
    show_fit(FIT, training, Format.TABLE, "resnet18", ["measured so"])
    shown = capsys.readouterr().out
    assert "1.00 GiB (1.07 GB)" in shown
    assert "no: no room here" in shown
    assert shown.endswith("\nmeasured so\n")
    # No answer where nothing was measured: the first number of the row is the prediction's.
    assert next(line for line in shown.splitlines() if line.startswith("training")).split()[1] == "3"
    show_fit(FIT, training, Format.CSV, "resnet18")
    assert f"inference,{2**30},10,11" in capsys.readouterr().out


def test_energy_has_its_interval_and_its_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    energy = Energy(
        net_J=0.5,
        low_J=0.48,
        high_J=0.52,
        gross_J=0.7,
        idle_W=20.0,
        idle_half_W=0.5,
        active_W=80.0,
        images=1000,
        seconds=10.0,
        period_s=0.02,
        window_s=1.0,
        counter="H100, whole board, NVML total energy",
        windows=10,
    )
    show_energy(energy, Format.MARKDOWN, "resnet18")
    shown = capsys.readouterr().out
    assert "0.5 [0.48, 0.52] J" in shown
    assert "20.0 ± 0.5 W" in shown
    show_energy(energy, Format.JSON, "resnet18")
    assert json.loads(capsys.readouterr().out)["net_joules_per_image"] == 0.5
