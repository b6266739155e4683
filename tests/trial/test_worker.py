"""Real measuring processes with a tiny network on the CPU: their answers, their errors, and their end."""

import os
import platform
import signal
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from resbench.errors import ResbenchError, UsageError
from resbench.metrics.latency.disturbance import read
from resbench.metrics.latency.steady import SteadyRule
from resbench.metrics.latency.stopping import StopRule
from resbench.trial.case import Case
from resbench.trial.findings import findings
from resbench.trial.live import live, needs_check, random_images
from resbench.trial.measuring import measure
from resbench.trial.plan import Bench, Plan
from resbench.trial.processes import Worker, Workers, death
from resbench.trial.worker import failure

TINY = Case(model="cifar_plain20", input_CHW=(3, 8, 8), num_classes=4, batch_size=2)


@pytest.fixture
def worker() -> Iterator[Worker]:
    with Workers() as start:
        (started,) = start([1])
        yield started


def opened(worker: Worker, case: Case, *, check: bool = False) -> dict[str, Any]:
    return worker.ask({"do": "open", "case": asdict(case), "check": check})


def runs(process: psutil.Process) -> bool:
    """Say whether it still does: what was killed and has lost its parent stays a zombie until init takes note of it."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_a_worker_says_its_threads_and_cores_and_answers_every_command(worker: Worker) -> None:
    assert worker.ready["threads"] == 1
    assert worker.ready["cores"] == sorted(os.sched_getaffinity(0))[:1]
    answer = opened(worker, TINY)
    assert set(answer["cold"]) == {"load_s", "prepare_s", "compile_s", "first_call_s", "compile_cached"}
    assert answer["cold"]["load_s"] > 0
    assert answer["settings"]["precision"] == "fp32"
    assert answer["settings"]["float32 convolutions"] == "not rounded"
    rule = asdict(SteadyRule(calls=6, seconds=0.0, limit_s=1.0))
    assert worker.ask({"do": "warm", "rule": rule})["calls"] >= 1
    samples = worker.ask({"do": "sample", "seconds": 0.0, "calls": 3})
    assert len(samples["samples_s"]) == 3
    assert all(seconds > 0 for seconds in samples["samples_s"])
    assert samples["cpu_s"] > answer["cpu_s"]
    assert worker.ask({"do": "throughput", "seconds": 0.01, "call_s": 0.004})["calls"] == 3
    assert len(worker.ask({"do": "device", "calls": 2})["samples_s"]) == 2
    assert worker.ask({"do": "parts", "calls": 2})["parts"] == []


def test_bad_input_comes_back_as_such_and_the_worker_lives(worker: Worker) -> None:
    assert worker.ask({"do": "sample", "seconds": 0.0, "calls": 1})["message"] == "no case was opened"
    answer = opened(worker, replace(TINY, model="resnet51"))
    assert answer["error"] == "usage"
    assert answer["message"].startswith("unknown model 'resnet51'")
    assert "cold" in opened(worker, TINY)


def test_a_worker_that_is_killed_is_out_of_memory_and_no_crash(worker: Worker) -> None:
    (process,) = [
        child for child in psutil.Process().children() if "resbench.trial.worker" in child.cmdline()
    ]
    process.send_signal(signal.SIGKILL)
    answer = opened(worker, TINY)
    assert answer == {"error": "oom", "message": "the system killed the process: its memory ran out"}
    assert opened(worker, TINY)["error"] == "oom"


def test_no_process_is_left_whatever_ends_the_block() -> None:
    # What earlier tests of this process left behind, such as multiprocessing's resource tracker, is not ours.
    before = set(psutil.Process().children(recursive=True))
    started: list[psutil.Process] = []

    def start_and_stop() -> None:
        with Workers() as start:
            start([1, 1])
            started.extend(set(psutil.Process().children(recursive=True)) - before)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start_and_stop()
    assert len(started) >= 2
    assert not [process for process in started if runs(process)]


def test_what_a_network_prints_is_no_answer(worker: Worker, tmp_path: Path) -> None:
    loud = tmp_path / "loud.py"
    loud.write_text(
        "import torch\n"
        "class Loud(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        print('made')\n"
        "        self.linear = torch.nn.Linear(192, 4)\n"
        "    def forward(self, x):\n"
        "        print('called')\n"
        "        return self.linear(x.flatten(1))\n"
    )
    case = replace(TINY, model=f"{loud}:Loud", num_classes=None)
    assert "cold" in opened(worker, case)
    assert len(worker.ask({"do": "sample", "seconds": 0.0, "calls": 2})["samples_s"]) == 2


def test_a_training_step_is_measured_for_real_beside_inference() -> None:
    plan = Plan(
        stop=StopRule(precision=0.5, budget_s=0.1, samples_at_least=2),
        steady=SteadyRule(calls=3, seconds=0.0, limit_s=0.1),
        processes=1,
        round_s=0.0,
        block_s=0.0,
        throughput_rounds=1,
        throughput_s=0.0,
        device_calls=1,
        part_calls=1,
        again=0,
    )
    cases = (TINY, replace(TINY, mode="training"))
    with Workers() as start:
        record = measure(cases, plan, Bench(start=start, look=partial(read, [0])), needs_check)
    inference, training = findings(record)
    assert record.ready["threads"] == 1
    assert inference.failure is None
    assert inference.find("latency") is not None
    assert inference.find("device_time") is not None
    assert training.speed is not None
    for part in ("forward", "backward", "optimizer"):
        found = training.find(f"step_{part}")
        assert found is not None
        assert found.value > 0


def test_a_live_case_is_inference_on_normal_noise_of_its_seed() -> None:
    images_BCHW = random_images(TINY)
    assert images_BCHW.shape == (2, 3, 8, 8)
    assert (images_BCHW == 0).sum() == 0
    assert not torch.equal(images_BCHW, random_images(replace(TINY, seed=1)))
    with live(TINY) as first, live(TINY) as again:
        logits_BK = first.call()
        assert isinstance(logits_BK, torch.Tensor)
        assert logits_BK.is_inference()
        other_BK = again.call()
        assert isinstance(other_BK, torch.Tensor)
        assert torch.equal(logits_BK, other_BK)
        assert first.agreement == {}


def test_random_weights_are_given_statistics_in_every_process_and_those_of_a_file_are_not(
    tmp_path: Path,
) -> None:
    """As it is initialised, batch-norm has mean 0 and variance 1 of every signal: only calibrating changes that."""

    def variances(case: Case, *, calibrated: bool = True) -> list[bool]:
        with live(case, calibrated=calibrated) as found:
            assert found.module is not None
            norms = [part for part in found.module.modules() if isinstance(part, torch.nn.BatchNorm2d)]
            return [bool((norm.running_var == 1).all()) for norm in norms if norm.running_var is not None]

    assert not any(variances(TINY))
    assert all(variances(TINY, calibrated=False))
    file = tmp_path / "initial.pth"
    with live(TINY, calibrated=False) as found:
        assert found.module is not None
        torch.save(found.module.state_dict(), file)
    assert all(variances(replace(TINY, weights=str(file))))


def test_the_gradients_of_the_last_step_are_freed_before_the_forward_pass() -> None:
    with live(replace(TINY, mode="training")) as found:
        assert found.step is not None
        assert found.module is not None
        found.call()
        assert all(parameter.grad is not None for parameter in found.module.parameters())
        found.step.forward()
        assert all(parameter.grad is None for parameter in found.module.parameters())


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs the GNU C library")
def test_a_worker_keeps_memory_where_it_was_asked_to(worker: Worker) -> None:
    settings = opened(worker, replace(TINY, allocator="keep"))["settings"]
    assert settings["allocator mode"].startswith("keep: mmap off")


def test_every_training_step_does_the_same_work_on_the_same_weights() -> None:
    with live(replace(TINY, mode="training")) as found:
        assert found.step is not None
        losses = []
        for _ in range(2):
            losses.append(found.step.forward().item())
            found.call()
        assert losses[0] == losses[1]


def test_another_precision_is_checked_against_eager_float32() -> None:
    case = replace(TINY, precision="bf16")
    assert needs_check(case)
    assert not needs_check(TINY)
    assert not needs_check(replace(case, mode="training"))
    with live(case, check=True) as found:
        assert found.agreement["max_rel"] <= found.agreement["tolerance"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried"), "oom"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "oom"),
        (MemoryError(), "oom"),
        (UsageError("no such backend"), "usage"),
        (ResbenchError("backend 'x' computes something else"), "failed"),
        (ValueError("odd"), "failed"),
    ],
)
def test_errors_are_told_apart(error: BaseException, expected: str) -> None:
    assert failure(error)["error"] == expected


def test_memory_that_another_error_wraps_is_found() -> None:
    error = RuntimeError("session failed")
    error.__cause__ = MemoryError()
    assert failure(error)["error"] == "oom"


def test_the_end_of_a_process_in_words() -> None:
    assert death(-9, "")["error"] == "oom"
    assert death(-11, "")["message"] == "the process ended by SIGSEGV"
    assert death(3, "Error: x") == {
        "error": "failed",
        "message": "the process ended with exit code 3: Error: x",
    }
