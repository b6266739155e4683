import csv
import io
import json
from dataclasses import replace

import pytest

from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.cli.layer_views import show_layers
from resbench.cli.output import Format
from resbench.cli.roofline_views import show_estimates, show_roofline
from resbench.metrics.roofline.breakdown import Line, lines_of
from resbench.metrics.roofline.ceiling import Ceilings, Rate
from resbench.metrics.roofline.devices import estimates
from resbench.metrics.roofline.layers import LayerTime, Times

LAYERS = layers_of(find_architecture("resnet50"))
CEILINGS = Ceilings(
    device="cpu",
    precision="fp32",
    threads=2,
    convolution=Rate(450e9, "3x3, 256 channels", 5),
    product=Rate(430e9, "1x1, 512 channels", 6),
    copy=Rate(45e9, "256 MiB", 7),
)
TIMES = Times(
    tuple(LayerTime(at, 1e-3) for at in range(len(LAYERS))), {"flatten": 5e-6}, 0.18, 0.185, 15, "a method"
)


@pytest.fixture
def lines() -> tuple[Line, ...]:
    return lines_of(LAYERS, precision="fp32", batch_size=1, times=TIMES, roof=CEILINGS.roof)


def test_table_has_every_layer_with_bound_and_share(
    lines: tuple[Line, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    show_layers(lines, TIMES, CEILINGS.roof, Format.TABLE, "resnet50")
    text = capsys.readouterr().out
    table = text.partition("kinds of layers")[0]
    rows = table.splitlines()[4:]
    assert len([row for row in rows if row]) == len(LAYERS)
    assert rows[0].startswith("conv1 ")
    assert all(" compute " in row or " memory " in row for row in rows if row)
    # 174 layers of 1 ms, of a whole of 180.
    assert f"add up to {len(LAYERS)}.000 ms, {100 * len(LAYERS) / 180:.1f} % of a whole pass" in text
    assert "convolution (53)" in text
    assert "a method; 15 passes" in text


@pytest.mark.parametrize(("whole_s", "told"), [(0.174, False), (0.161, False), (0.15, True), (0.2, True)])
def test_sum_that_is_far_from_the_whole_is_told(
    lines: tuple[Line, ...], whole_s: float, told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    show_layers(lines, TIMES._replace(whole_s=whole_s), None, Format.TABLE, "resnet50")
    assert ("more than 10 % off" in capsys.readouterr().out) == told


def test_program_gets_base_units(lines: tuple[Line, ...], capsys: pytest.CaptureFixture[str]) -> None:
    show_layers(lines, TIMES, CEILINGS.roof, Format.JSON, "resnet50")
    data = json.loads(capsys.readouterr().out)
    assert data["layers"][0]["flops"] == 236_027_904
    assert data["layers"][0]["bound"] == "compute"
    assert data["times"]["sum_of_whole"] == pytest.approx(len(LAYERS) / 180)
    assert data["roof"] == {"peak": 450e9, "bandwidth": 45e9, "ridge": 10}
    show_layers(lines, TIMES, CEILINGS.roof, Format.CSV, "resnet50")
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["layer"] for row in rows] == [layer.name for layer in LAYERS]
    assert rows[0]["read_bytes"] == str(4 * 3 * 224 * 224)


def test_layers_without_times_or_roof(capsys: pytest.CaptureFixture[str]) -> None:
    show_layers(
        lines_of(LAYERS, precision="fp32", batch_size=1),
        None,
        None,
        Format.MARKDOWN,
        "resnet50, not measured",
    )
    text = capsys.readouterr().out
    assert text.startswith("**resnet50, not measured")
    assert "whole pass" not in text


def test_roof_names_the_convention_of_its_share(capsys: pytest.CaptureFixture[str]) -> None:
    show_roofline(CEILINGS, Format.TABLE, core_macs=4_089_184_256, latency_s=0.04, known=True)
    text = capsys.readouterr().out
    assert "roof of cpu, fp32, 2 threads" in text
    assert "450.0 GFLOP/s" in text
    assert "10 FLOP/B" in text
    # 2 x 4.089e9 over 0.04 s and 450 GFLOP/s.
    assert "45.4 %" in text
    assert "core MACs x 2 over peak" in text
    assert "measured earlier" in text


def test_disturbed_roof_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show_roofline(replace(CEILINGS, copy=CEILINGS.copy._replace(occupied=0.4)), Format.TABLE)
    text = capsys.readouterr().out
    assert "the threads had a core for 40 % of their time" in text
    assert "not kept" in text


@pytest.mark.parametrize("output", [Format.JSON, Format.CSV, Format.MARKDOWN])
def test_roof_in_every_format(output: Format, capsys: pytest.CaptureFixture[str]) -> None:
    show_roofline(CEILINGS, output)
    text = capsys.readouterr().out
    assert "256 channels" in text
    if output is Format.JSON:
        data = json.loads(text)
        assert (data["peak"], data["bandwidth"], data["mfu"]) == (450e9, 45e9, None)


@pytest.mark.parametrize("output", list(Format))
def test_estimates_never_look_like_measurements(output: Format, capsys: pytest.CaptureFixture[str]) -> None:
    show_estimates(estimates(LAYERS, "fp32"), output, "resnet50, batch 1")
    text = capsys.readouterr().out
    assert "at least" in text.replace("_", " ")
    assert "GTX 1080 Ti" in text
    if output in (Format.TABLE, Format.MARKDOWN):
        assert "not measurements" in text
        assert "0.721 ms" in text
    if output is Format.JSON:
        assert json.loads(text)["measured"] is False
