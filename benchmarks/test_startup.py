"""How long a user waits for an answer that needs no torch, beside the bare interpreter and its argparse.

Each round is a fresh process, its start included.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

ROOT = Path(__file__).parents[1]

PROGRAMS = {
    "python -c pass": ["-c", "pass"],
    "python -c 'import argparse'": ["-c", "import argparse"],
    "resbench --help": ["-m", "resbench", "--help"],
    "resbench list models": ["-m", "resbench", "list", "models"],
    "resbench profile --help": ["-m", "resbench", "profile", "--help"],
}


@pytest.mark.benchmark(group="start to answer, one process", min_rounds=10)
@pytest.mark.parametrize("program", PROGRAMS)
def test_startup(benchmark: BenchmarkFixture, program: str) -> None:
    def answer() -> int:
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, *PROGRAMS[program]],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return done.returncode

    assert benchmark(answer) == 0
