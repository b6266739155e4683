"""What the live bar and TensorBoard's events take from training: the same work with and without them, in turns.

    pytest benchmarks/test_watching.py -s

prints the share. Work is a product of matrices, about 20 ms; the bar is told of each, which is ten times as often as
a run does, and draws itself four times a second meanwhile.
"""

import io
import statistics
import time
from pathlib import Path

import pytest
import torch
from rich.console import Console

from resbench.cli.progress import Display, Stop
from resbench.execution.progress import Progress, Silent
from resbench.execution.several import watched_by
from resbench.training.trackers.opening import Tracked, open_tracker
from resbench.training.watching import Step

UNITS, TURNS = 100, 5


def seconds(progress: Progress) -> float:
    """Return how long some work takes that is watched."""
    left, right = torch.ones(1024, 1024), torch.ones(1024, 1024)
    began = time.perf_counter()
    for done in range(1, UNITS + 1):
        torch.mm(left, right)
        now = time.perf_counter() - began
        progress.step(
            Step(
                phase="train",
                epoch=1,
                epochs=10,
                done=done,
                total=UNITS,
                samples=done * 128,
                seconds=now,
                loss=1.0,
                top1=0.5,
            )
        )
    return time.perf_counter() - began


def test_the_share_of_the_bar_and_the_events(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")
    tracker = open_tracker(f"tensorboard:{tmp_path}", Tracked(name="run", key="0", settings={}))
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    ratios = []
    for _ in range(TURNS):
        plain = seconds(Silent())
        with Display(Stop(), console) as display:
            ratios.append(seconds(watched_by(display, tracker.watch)) / plain)
    tracker.close(True)
    found = statistics.median(ratios)
    print(  # noqa: T201 - what a benchmark says
        f"\nwatched / unwatched: {found:.4f} (median of {TURNS}, {min(ratios):.4f} to {max(ratios):.4f})"
    )
