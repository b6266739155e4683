"""How a profile looks, from a result with fixed figures; golden files hold the text."""

import json

import pytest
from syrupy.assertion import SnapshotAssertion

from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.cli.output import Format
from resbench.cli.profile_views import CROSS_CHECKS, as_json, show
from resbench.metrics import parameters
from resbench.metrics.flops.conventions import count
from resbench.metrics.flops.ledger import ledger_of
from resbench.metrics.flops.measure import measure
from resbench.results import Environment, Measurement, Result, Statistic, Unit, plain
from resbench.specs import Experiment, Precision, Profiling, Scale

PROFILING = Profiling(batch_size=4, num_classes=1000, input_CHW=(3, 224, 224))
LAYERS = layers_of(find_architecture("resnet50"))
LEDGER = ledger_of(LAYERS)


def timed(metric: str, unit: Unit, *samples: float) -> Measurement:
    return Measurement(
        metric=metric,
        value=samples[len(samples) // 2],
        unit=unit,
        statistic=Statistic.MEDIAN,
        n=len(samples),
        low=samples[1],
        high=samples[-2],
        method="by a fixed clock",
        samples=samples,
    )


def a_result(*, beyond: int = 0, measured: bool = True) -> Result:
    """A profile; `beyond`: how much fvcore counts that its rule does not explain."""
    question = Experiment(
        model="resnet50",
        device="cpu",
        precision=Precision.FP32,
        seed=0,
        scale=Scale.FULL,
        profiling=PROFILING,
    )
    found = [*parameters.measure(LAYERS), *measure(LAYERS)]
    if measured:
        found += [
            Measurement(
                metric="peak_memory",
                value=123.4 * 2**20,
                unit=Unit.BYTE,
                statistic=Statistic.MAXIMUM,
                method="by hand",
            ),
            timed("latency", Unit.SECOND, 0.0101, 0.0102, 0.0104, 0.0107, 0.0120),
            timed("throughput", Unit.PER_SECOND, 95.0, 96.0, 97.0, 98.0, 99.0),
            *(
                Measurement(
                    metric="macs",
                    value=count(rule, LEDGER) + (beyond if rule.name == "fvcore" else 0),
                    unit=Unit.ONE,
                    statistic=Statistic.COMPUTED,
                    method=rule.name,
                )
                for rule in CROSS_CHECKS
            ),
        ]
    return Result(
        key=question.key,
        experiment=plain(question),
        measurements=tuple(found),
        environment=Environment(
            machine={"cpu": "Some CPU", "cores": "2"},
            software={"python": "3.12.0", "torch": "2.15.0"},
            settings={"threads": "2"},
            commit="0123abc",
            changed=True,
        ),
        started="2026-11-23T12:00:00+00:00",
        seconds=12.5,
        notes=("Warm-up: 10 calls in 1.0 s.",),
    )


@pytest.mark.parametrize("output", list(Format))
def test_every_format_looks_as_it_should(
    output: Format, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    show(a_result(), PROFILING, output)
    assert capsys.readouterr().out == snapshot


def test_what_a_peers_rule_does_not_explain_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    result = a_result(beyond=-1234)
    show(result, PROFILING, Format.TABLE)
    assert "elements into adaptive average pools; -1,234 unexplained" in capsys.readouterr().out
    printed = json.loads(json.dumps(as_json(result, PROFILING, LEDGER)))
    assert printed["cross_check"]["fvcore"]["unexplained"] == -1234


@pytest.mark.parametrize("output", list(Format))
def test_what_was_not_measured_is_not_shown(output: Format, capsys: pytest.CaptureFixture[str]) -> None:
    show(a_result(measured=False), PROFILING, output)
    printed = capsys.readouterr().out
    assert "by fvcore" not in printed
    if output is Format.JSON:
        found = json.loads(printed)
        assert found["latency"] is found["throughput"] is found["peak_memory_bytes"] is None
        assert found["cross_check"] == {}
        assert found["parameters"] == 25557032
