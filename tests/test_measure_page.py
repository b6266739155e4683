"""The page that says how to measure: every command of it is run, on a tiny network and for a moment only."""

import json
import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pytest

from resbench.cli import largest_batches, profile_memory
from resbench.cli.main import call
from resbench.metrics import memory
from resbench.metrics.batch_search import BatchSearch
from resbench.metrics.memory.asking import Measured
from resbench.results import Measurement, Statistic, Unit
from resbench.trial.case import Case

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "measure.md"
COMMANDS = [
    line.strip()
    for block in re.findall(r"^ *```sh\n(.*?)^ *```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
TINY = "cifar_resnet20"
BRIEFLY = ["--processes", "1", "--time-budget", "0.1", "--threads", "1"]
SMALLER = {"resnet18": "cifar_plain20", "resnet50": TINY, "32": "2", "8": "2", "1,8": "1,2", "60": "0.1"}
"""What stands for the words of the page."""


def arguments(line: str) -> list[str]:
    """Return the command's arguments at tiny settings."""
    words = [SMALLER.get(word, word) for word in shlex.split(line)[1:]]
    if words[0] == "noise":
        return [*words, "--model", TINY, "--processes", "2", *BRIEFLY[2:]]
    if words[0] != "profile":
        return words
    if "--fits" in words:
        # More than any machine has: answered by the prediction. Real limits are measured in tests of their own.
        return [*(("999999GiB" if word == "11GiB" else word) for word in words)]
    return [*words, *BRIEFLY, "--quick"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty folder with an empty cache, and let the largest batch be three."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RESBENCH_CACHE", str(tmp_path / "cache"))

    def search(_case: Case, *, start: int) -> BatchSearch:
        assert start > 3
        return BatchSearch(largest=3, oom_at=4, trials=())

    monkeypatch.setattr(largest_batches, "find_largest_batch", search)
    return tmp_path


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure memory in no further process: the first command of the page does."""
    peak = Measurement(metric="peak_memory", value=2**20, unit=Unit.BYTE, statistic=Statistic.MAXIMUM)
    monkeypatch.setattr(memory, "peak_on_cpu", lambda *_arguments: peak)
    monkeypatch.setattr(
        profile_memory, "measure", lambda _workload: Measured(parts={}, peak=2**20, method="not at all")
    )


EARLIER = "resbench profile resnet50 --format json"
FIRST = "resbench profile resnet50"
PLAIN = [line for line in COMMANDS if line not in (EARLIER, FIRST) and "--against" not in line]


def test_the_first_measurement_of_the_page_has_all_figures(capfd: pytest.CaptureFixture[str]) -> None:
    assert FIRST in COMMANDS
    assert call(arguments(FIRST)) == 0
    shown = capfd.readouterr().out
    for figure in ("latency", "throughput", "device time", "peak memory", "heap keeps, not given back"):
        assert f"\n{figure} " in shown


@pytest.mark.usefixtures("no_memory")
@pytest.mark.parametrize("line", PLAIN)
def test_a_command_of_the_page_runs(line: str, capfd: pytest.CaptureFixture[str]) -> None:
    if "openvino" in line and find_spec("openvino") is None:
        pytest.skip("openvino is not installed")
    assert call(arguments(line)) == 0
    assert capfd.readouterr().out


@pytest.mark.usefixtures("no_memory")
def test_the_earlier_measurement_is_compared_with(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert EARLIER in COMMANDS
    assert call(arguments(EARLIER)) == 0
    text = capfd.readouterr().out
    assert json.loads(text)["model"] == TINY
    (folder / "earlier.json").write_text(text, encoding="utf-8")
    (line,) = [line for line in COMMANDS if "--against" in line]
    assert call(arguments(line)) == 0
    assert "against earlier.json" in capfd.readouterr().out
