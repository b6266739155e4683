"""Counting operations: our ledger beside what a user would run instead.

    pytest benchmarks/test_flop_count.py -o filterwarnings=default --benchmark-columns=median,iqr,rounds

Every number is checked, and the ratios to ours are printed before the table. Three questions:

* in one process that has everything imported and the module built: from the description to the numbers of *all* conventions
  for ours, from the module to its own number for each tool;
* the same for a network from outside, which we observe on the meta device;
* a whole process, from its start to the number on standard output: the command for ours, the shortest script for each tool.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.metrics.flops.conventions import CONVENTIONS, count, find_convention
from resbench.metrics.flops.explain import explain
from resbench.metrics.flops.ledger import ledger_of
from resbench.metrics.flops.peers import PEERS
from resbench.metrics.flops.quoted import parse_quoted
from resbench.metrics.flops.repeats import ledger_for
from resbench.metrics.flops.variants import Setting
from resbench.models.build import build
from resbench.models.observing import observe
from resbench.models.outside import open_model

ROOT = Path(__file__).parents[1]
OURS = "ours"
COUNTERS = [OURS, *(peer.name for peer in PEERS)]
MEDIANS_S: dict[tuple[str, str], float] = {}


@pytest.fixture(scope="module", autouse=True)
def ratios(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    plugins = request.config.pluginmanager
    with plugins.getplugin("capturemanager").global_and_fixture_disabled():
        reporter = plugins.getplugin("terminalreporter")
        reporter.ensure_newline()
        for (what, counter), median_s in MEDIANS_S.items():
            times = median_s / MEDIANS_S[what, OURS] if (what, OURS) in MEDIANS_S else float("nan")
            reporter.write_line(f"{what}, {counter}: {1e3 * median_s:.3f} ms, {times:,.1f} x ours")


def timed(benchmark: BenchmarkFixture, what: str, counter: str, answer: Callable[[], object]) -> object:
    """Time an answer beside the others to the same question."""
    benchmark.group = what
    found = benchmark(answer)
    if benchmark.stats is not None:  # --benchmark-disable leaves none
        MEDIANS_S[what, counter] = benchmark.stats.stats.median
    return found


def peer_count(name: str, model: torch.nn.Module, input_CHW: tuple[int, ...]) -> Callable[[], int]:
    peer = next(peer for peer in PEERS if peer.name == name)
    if peer.version is None:
        pytest.skip(f"{name} is not installed")
    run = partial(peer.count, model, input_CHW)
    return lambda: run().value


@pytest.mark.parametrize("counter", COUNTERS)
@pytest.mark.parametrize("model", ["resnet50", "resnet152"])
def test_flop_count(benchmark: BenchmarkFixture, model: str, counter: str) -> None:
    architecture = find_architecture(model)
    expected = {convention.name: count(convention, ledger_for(architecture)) for convention in CONVENTIONS}
    if counter == OURS:

        def every_convention() -> dict[str, int]:
            ledger = ledger_for(architecture)
            return {convention.name: count(convention, ledger) for convention in CONVENTIONS}

        assert timed(benchmark, f"count of {model}", OURS, every_convention) == expected
        return
    answer = peer_count(counter, build(architecture), architecture.input_CHW)
    answer()  # imports and first calls stay out of the timing
    assert timed(benchmark, f"count of {model}", counter, answer) == expected[counter]


@pytest.mark.parametrize("counter", COUNTERS)
def test_count_of_a_network_from_outside(benchmark: BenchmarkFixture, counter: str) -> None:
    expected = count(
        find_convention("core-macs" if counter == OURS else counter),
        ledger_for(find_architecture("resnet50")),
    )
    with torch.device("meta" if counter == OURS else "cpu"):
        opened = open_model("torchvision:resnet50")

    def observed() -> int:
        ledger = ledger_of(observe(opened.module, opened.input_CHW).layers)
        return {convention.name: count(convention, ledger) for convention in CONVENTIONS}["core-macs"]

    answer = observed if counter == OURS else peer_count(counter, opened.module, opened.input_CHW)
    answer()
    assert timed(benchmark, "count of torchvision:resnet50", counter, answer) == expected


def test_every_layer_of_resnet152(benchmark: BenchmarkFixture) -> None:
    architecture = find_architecture("resnet152")
    rows = timed(
        benchmark, "ledger of resnet152, layer by layer", OURS, lambda: ledger_of(layers_of(architecture))
    )
    assert rows == ledger_for(architecture)


@pytest.mark.parametrize("most", [5, None], ids=["likeliest", "all"])
def test_explanation(benchmark: BenchmarkFixture, most: int | None) -> None:
    architecture = find_architecture("resnet50")
    asked = Setting(architecture=architecture, input_CHW=architecture.input_CHW, classes=1000)
    numbers = [parse_quoted(number) for number in ("3.8G", "4.1G", "8.2G", "4.13G")]
    benchmark.group = "four numbers explained"
    found = benchmark(lambda: explain(numbers, asked, (), most=most))
    assert [one.candidates[0].value for one in found][:3] == [3857973248, 4089184256, 8178368512]


BEGIN = "import torch, torchvision; model = torchvision.models.resnet50().eval(); x = torch.randn(1, 3, 224, 224); "
SCRIPTS = {
    "fvcore": "from fvcore.nn import FlopCountAnalysis; print(int(FlopCountAnalysis(model, x).total()))",
    "ptflops-pytorch": "from ptflops import get_model_complexity_info as count; "
    "print(count(model, (3, 224, 224), as_strings=False, print_per_layer_stat=False)[0])",
    "thop": "import thop; print(int(thop.profile(model, inputs=(x,), verbose=False)[0]))",
    "flop-counter-mode": "from torch.utils.flop_counter import FlopCounterMode as Mode\n"
    "with Mode(display=False) as mode:\n    model(x)\nprint(mode.get_total_flops())",
}


@pytest.mark.parametrize("counter", [OURS, *SCRIPTS])
def test_whole_process(benchmark: BenchmarkFixture, counter: str) -> None:
    command = ["-m", "resbench", "flops", "resnet50", "--format", "csv"]
    if counter != OURS:
        command = ["-c", BEGIN + "\n" + SCRIPTS[counter]]

    def answer() -> str:
        done = subprocess.run(  # noqa: S603 - our own command and scripts
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    benchmark.group = "resnet50, from the start of a process to the number"
    printed = benchmark.pedantic(answer, rounds=15 if counter == OURS else 5, warmup_rounds=1)  # type: ignore[no-untyped-call]
    if benchmark.stats is not None:
        MEDIANS_S[benchmark.group, counter] = benchmark.stats.stats.median
    expected = count(
        find_convention("core-macs" if counter == OURS else counter),
        ledger_for(find_architecture("resnet50")),
    )
    assert str(expected) in printed
