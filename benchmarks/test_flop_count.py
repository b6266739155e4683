"""Counting the operations of resnet50 and resnet152: our closed form beside what a user would run instead.

    pytest benchmarks/test_flop_count.py -o filterwarnings=default --benchmark-columns=median,iqr,rounds

The clock runs over one whole count in a process that has everything imported and the module built: from the
description to the number for ours, from the module to the number for fvcore and ptflops. Every number is checked. The
ratios to the closed form are printed before the table.
"""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from resbench.architectures.layers import layers_of
from resbench.metrics.flops import PEER_RULES, core_macs
from resbench.metrics.peers import PEERS
from resbench.models.build import build, find_architecture

OURS = "closed form"
RULES = {rule.name: rule for rule in PEER_RULES}
MEDIANS_S: dict[tuple[str, str], float] = {}


@pytest.fixture(scope="module", autouse=True)
def ratios(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    plugins = request.config.pluginmanager
    with plugins.getplugin("capturemanager").global_and_fixture_disabled():
        reporter = plugins.getplugin("terminalreporter")
        reporter.ensure_newline()
        for (model, counter), median_s in MEDIANS_S.items():
            times = median_s / MEDIANS_S[model, OURS]
            reporter.write_line(
                f"{model}, {counter}: {1e3 * median_s:.3f} ms, {times:,.0f} x the closed form"
            )


@pytest.mark.parametrize("counter", [OURS, *RULES])
@pytest.mark.parametrize("model", ["resnet50", "resnet152"])
def test_flop_count(benchmark: BenchmarkFixture, model: str, counter: str) -> None:
    benchmark.group = f"FLOP count of {model}"
    count, expected = counts(model, counter)
    count()  # imports and first calls stay out of the timing
    assert benchmark(count) == expected
    if benchmark.stats is not None:  # --benchmark-disable leaves none
        MEDIANS_S[model, counter] = benchmark.stats.stats.median


def counts(model: str, counter: str) -> tuple[Callable[[], int], int]:
    """Return one whole count and the number it must give."""
    architecture = find_architecture(model)
    if counter == OURS:
        return lambda: core_macs(layers_of(architecture)), architecture.costs.core_macs
    peer = next(peer for peer in PEERS if peer.name == counter)
    count = partial(peer.count, build(architecture), architecture.input_CHW)
    return lambda: count().macs, RULES[counter].count(layers_of(architecture))
