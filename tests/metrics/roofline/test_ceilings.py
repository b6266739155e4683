import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from resbench.errors import UsageError
from resbench.metrics.roofline import ceilings as measuring
from resbench.metrics.roofline.ceiling import (
    FORMAT,
    Ceilings,
    Rate,
    default_folder,
    find_ceilings,
    keep_ceilings,
)
from resbench.metrics.roofline.ceilings import ceilings_here, clock_of, measure_ceilings
from resbench.metrics.roofline.roof import Roof
from resbench.metrics.roofline.workloads import ON_CPU, ON_GPU, Effort, Shape

CPU = torch.device("cpu")
TINY = Effort((Shape(2, 3, 4, 1),), (Shape(2, 1, 4, 1),), copy_B=1024, calls=3, seconds=0)


class FakeClock:
    """Runs each call and gives it the next of the times."""

    def __init__(self, *times: float) -> None:
        self.times = list(times)
        self.calls = 0

    def __call__(self, call: Callable[[], object]) -> float:
        call()
        self.calls += 1
        return self.times[(self.calls - 1) % len(self.times)]


def test_shape_counts_each_multiply_accumulate_twice() -> None:
    assert Shape(channels=256, kernel=3, side=28, batch=8).flops == 2 * 8 * 256 * 256 * 9 * 28 * 28


def test_least_time_after_two_calls_that_do_not_count() -> None:
    # Two calls of 1 and 2 ms to begin with; then 8, 4 and 16 ms: 4 ms is the least.
    clock = FakeClock(0.001, 0.002, 0.008, 0.004, 0.016)
    found = measure_ceilings(CPU, "fp32", 1, timed=clock, effort=TINY)
    assert found.convolution.value == pytest.approx(2 * (2 * 4 * 3) ** 2 / 0.004)
    assert found.product.value == pytest.approx(2 * (2 * 4 * 1) ** 2 / 0.004)
    assert found.copy.value == pytest.approx(2 * 1024 / 0.004)
    assert found.convolution.calls == 3
    # Two memory formats of one shape each, and the copy: five calls each.
    assert clock.calls == 5 * 5


def test_a_rate_is_tried_for_its_time_too() -> None:
    clock = FakeClock(0.25)
    found = measure_ceilings(CPU, "fp32", 1, timed=clock, effort=TINY._replace(calls=1, seconds=1.0))
    assert found.copy.calls == 4


def test_best_shape_is_named() -> None:
    shapes = (Shape(2, 3, 4, 1), Shape(4, 3, 8, 2))
    found = measure_ceilings(
        CPU, "fp32", 1, timed=FakeClock(0.001), effort=TINY._replace(convolutions=shapes)
    )
    assert found.convolution.how.startswith("3x3, 4 channels, 8x8, batch 2")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_real_calls(precision: str) -> None:
    said: list[str] = []
    found = measure_ceilings(CPU, precision, 1, effort=TINY, say=said.append)
    assert min(found.convolution.value, found.product.value, found.copy.value) > 0
    assert (found.device, found.precision, found.threads) == ("cpu", precision, 1)
    assert len(said) == 3


def test_threads_are_set_for_the_measurement_alone() -> None:
    before = torch.get_num_threads()
    seen: set[int] = set()

    def timed(call: Callable[[], object]) -> float:
        seen.add(torch.get_num_threads())
        return 1.0

    measure_ceilings(CPU, "fp32", before + 1, timed=timed, effort=TINY)
    assert seen == {before + 1}
    assert torch.get_num_threads() == before


def test_tf32_is_for_gpus() -> None:
    with pytest.raises(UsageError, match="'tf32' is for GPUs"):
        measure_ceilings(CPU, "tf32", 1, effort=TINY)


def test_unknown_precision() -> None:
    with pytest.raises(UsageError, match="unknown precision"):
        measure_ceilings(CPU, "fp8", 1, effort=TINY)


def test_precision_that_a_device_lacks_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("not implemented for 'Half'")

    monkeypatch.setattr(torch.nn.functional, "conv2d", refuse)
    with pytest.raises(UsageError, match=r"cpu does not convolve in torch\.float16"):
        measure_ceilings(CPU, "fp16", 1, effort=TINY)


def test_clock_of_a_gpu_waits_before_and_after(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda _device: order.append("wait"))
    clock_of(torch.device("cuda", 0))(lambda: order.append("call"))
    assert order == ["wait", "call", "wait"]


@pytest.mark.parametrize("effort", [ON_CPU, ON_GPU])
def test_what_is_tried_is_compute_bound(effort: Effort) -> None:
    """Each shape's intensity lies beyond any ridge: 989 TFLOP/s over 3.35 TB/s is 295 FLOP/B, in two bytes."""
    ridge = 295 if effort is ON_GPU else 50
    for shape in (*effort.convolutions, *effort.products):
        assert (shape.kernel == 1) == (shape in effort.products)
        plane = shape.batch * shape.channels * shape.side**2
        moved = 2 * (2 * plane + (shape.channels * shape.kernel) ** 2)
        assert shape.flops / moved > ridge


@pytest.mark.parametrize(("cpu_s", "occupied"), [(0.02, 1.0), (0.01, 0.5), (0.03, 1.0)])
def test_share_of_the_cores_is_noted(cpu_s: float, occupied: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads, calls of 10 ms: alone they use 20 ms of processor time each."""
    spent = 0.0

    def timed(call: Callable[[], object]) -> float:
        nonlocal spent
        call()
        spent += cpu_s
        return 0.01

    monkeypatch.setattr(time, "process_time", lambda: spent)
    found = measure_ceilings(CPU, "fp32", 2, timed=timed, effort=TINY)
    assert found.occupied == pytest.approx(occupied)
    assert found.disturbed == (occupied < 0.8)


def made_up(
    *, precision: str = "fp32", threads: int = 2, value: float = 4e11, occupied: float = 0.99
) -> Ceilings:
    return Ceilings(
        device="cpu",
        precision=precision,
        threads=threads,
        convolution=Rate(value, "3x3", 5, occupied),
        product=Rate(3e11, "1x1", 6),
        copy=Rate(4e10, "256 MiB", 7),
    )


def test_roof_is_the_higher_peak() -> None:
    assert made_up().roof == Roof(4e11, 4e10)
    assert made_up(value=1e11).roof == Roof(3e11, 4e10)


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    for ceilings in (made_up(), made_up(threads=1), made_up(precision="bf16")):
        keep_ceilings(tmp_path / "roofs", "abc", ceilings)
        assert (
            find_ceilings(tmp_path / "roofs", "abc", "cpu", ceilings.precision, ceilings.threads) == ceilings
        )
    assert find_ceilings(tmp_path / "roofs", "abc", "cpu", "fp32", 2) == made_up()
    assert find_ceilings(tmp_path / "roofs", "abc", "cpu", "fp32", 4) is None
    assert find_ceilings(tmp_path / "roofs", "another machine", "cpu", "fp32", 2) is None


def test_new_measurement_takes_the_place_of_the_old(tmp_path: Path) -> None:
    keep_ceilings(tmp_path, "abc", made_up())
    file = keep_ceilings(tmp_path, "abc", made_up(value=5e11))
    assert len(json.loads(file.read_text())["ceilings"]) == 1
    assert find_ceilings(tmp_path, "abc", "cpu", "fp32", 2) == made_up(value=5e11)


@pytest.mark.parametrize(
    "content", ["", "no JSON", "[]", "{}", f'{{"format": {FORMAT + 1}, "ceilings": []}}', "older"]
)
def test_file_of_another_version_or_a_damaged_one_is_measured_again(tmp_path: Path, content: str) -> None:
    file = keep_ceilings(tmp_path, "abc", made_up())
    text = file.read_text().replace(f'"format": {FORMAT}', f'"format": {FORMAT - 1}')
    file.write_text(text if content == "older" else content)
    assert find_ceilings(tmp_path, "abc", "cpu", "fp32", 2) is None
    keep_ceilings(tmp_path, "abc", made_up())
    assert find_ceilings(tmp_path, "abc", "cpu", "fp32", 2) == made_up()


def test_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match="set RESBENCH_CACHE"):
        keep_ceilings(tmp_path / "file" / "roofs", "abc", made_up())


def test_folder_is_in_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESBENCH_CACHE", "/somewhere")
    assert default_folder() == Path("/somewhere/roofs")


def test_machine_is_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def measure(_device: torch.device, precision: str, threads: int, **_named: object) -> Ceilings:
        asked.append((precision, threads))
        return made_up(precision=precision, threads=threads)

    monkeypatch.setattr(measuring, "measure_ceilings", measure)
    assert ceilings_here(tmp_path, "abc", CPU, "fp32", 2) == (made_up(), False)
    assert ceilings_here(tmp_path, "abc", CPU, "fp32", 2) == (made_up(), True)
    assert ceilings_here(tmp_path, "abc", CPU, "fp32", 2, again=True) == (made_up(), False)
    assert ceilings_here(tmp_path, "abc", CPU, "bf16", 2)[1] is False
    assert asked == [("fp32", 2), ("fp32", 2), ("bf16", 2)]


def test_disturbed_roof_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disturbed = made_up(occupied=0.4)
    monkeypatch.setattr(measuring, "measure_ceilings", lambda *_arguments, **_named: disturbed)
    for _ in range(2):
        assert ceilings_here(tmp_path, "abc", CPU, "fp32", 2) == (disturbed, False)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_gpu_multiplies_faster_in_tf32() -> None:
    device = torch.device("cuda")
    if torch.cuda.get_device_capability(device) < (8, 0):
        pytest.skip("needs a GPU with TF32")
    found = {precision: measure_ceilings(device, precision, 1) for precision in ("fp32", "tf32", "bf16")}
    assert found["fp32"].roof.peak < found["tf32"].roof.peak < found["bf16"].roof.peak
