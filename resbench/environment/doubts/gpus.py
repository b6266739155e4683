"""Doubts about the GPU: who shares it, what holds its clock back, what it can't tell."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Final

from resbench.environment.doubts.doubt import Check, Doubt, Findings, note, warning
from resbench.environment.nvml import MISSING, GpuState

HOT_C: Final = 83.0
LOAD: Final = 0.05


def _of_gpu(check: Callable[[GpuState, Findings], Iterator[Doubt]]) -> Check:
    """Apply a check where the GPU's state is known."""

    @wraps(check)
    def applied(found: Findings) -> Iterator[Doubt]:
        if isinstance(found.gpu, GpuState):
            yield from check(found.gpu, found)

    return applied


def unknown_state(found: Findings) -> Iterator[Doubt]:
    """Doubt a GPU that nobody can look at."""
    if isinstance(found.gpu, str):
        yield warning(
            "GPU state",
            f"{found.gpu}: who shares the GPU, and what holds its clock back, is not known; nor is its energy",
            'pip install "resbench[nvidia]"'
            if found.gpu == MISSING
            else "check that 'nvidia-smi' works here",
        )


@_of_gpu
def shared(gpu: GpuState, _found: Findings) -> Iterator[Doubt]:
    """Doubt a GPU on which others compute."""
    if gpu.other_processes:
        processes = f"{gpu.other_processes} other processes" if gpu.other_processes > 1 else "another process"
        yield warning(
            "shared GPU",
            f"the GPU shares its time, its memory and its power with {processes}",
            "stop them ('nvidia-smi' shows them), or choose another with --device cuda:N",
        )
    elif gpu.load is not None and gpu.load > LOAD:
        # Processes of other containers are not listed.
        yield warning(
            "shared GPU",
            f"something ran on the GPU for {gpu.load:.0%} of the last second",
            "find out what ('nvidia-smi' outside of this container), or wait",
        )


@_of_gpu
def instances(gpu: GpuState, _found: Findings) -> Iterator[Doubt]:
    """Doubt a part of a GPU."""
    if gpu.mig:
        yield warning(
            "GPU instances",
            "the GPU is cut into instances (MIG): power, clock and part of its memory's bandwidth are shared, and its "
            "energy can't be told apart",
            "use a whole GPU, or say in the report that it was an instance",
        )


@_of_gpu
def held_back(gpu: GpuState, _found: Findings) -> Iterator[Doubt]:
    """Doubt a clock that is held back, or about to be."""
    if gpu.held_back:
        yield warning(
            "GPU clock",
            f"the GPU's clock is held back by {', '.join(gpu.held_back)}",
            "let it cool, lift the limit, or fix the clock: sudo nvidia-smi --lock-gpu-clocks MHZ",
        )
    elif gpu.temperature_C is not None and gpu.temperature_C >= HOT_C:
        yield warning(
            "GPU temperature",
            f"the GPU is at {gpu.temperature_C:.0f} degrees C, close to where it slows itself down",
            "let it cool, or cool it better",
        )


@_of_gpu
def capped(gpu: GpuState, _found: Findings) -> Iterator[Doubt]:
    """Doubt a GPU that may not use the power it was made for."""
    limit, delivered = gpu.power_limit_W, gpu.default_power_limit_W
    if limit is not None and delivered is not None and limit < delivered:
        yield warning(
            "GPU power",
            f"the GPU may draw {limit:.0f} W of the {delivered:.0f} W it was delivered with: it clocks lower under load",
            f"sudo nvidia-smi --power-limit {delivered:.0f}, or state the limit beside the figure",
        )


@_of_gpu
def old_driver(gpu: GpuState, found: Findings) -> Iterator[Doubt]:
    """Doubt a driver that is older than what torch was built for."""
    driver, built = gpu.driver_cuda, found.process.torch_cuda
    if driver is not None and built is not None and driver < built:
        knows, wants = (".".join(map(str, version)) for version in (driver, built))
        yield warning(
            "GPU driver",
            f"the driver knows CUDA {knows}, torch is built with {wants}: some kernels may be missing or be compiled "
            "when first used",
            "update the driver, or install a torch built with an older CUDA",
        )


@_of_gpu
def persistence(gpu: GpuState, _found: Findings) -> Iterator[Doubt]:
    """Say that the driver leaves when nobody needs it."""
    if gpu.persistence is False:
        yield note(
            "GPU persistence",
            "the driver unloads when nothing uses the GPU: the next start takes seconds, and settings are lost",
            "sudo nvidia-smi --persistence-mode 1",
        )


@_of_gpu
def joules(gpu: GpuState, _found: Findings) -> Iterator[Doubt]:
    """Say that energy can't be measured."""
    if not gpu.has_energy_counter:
        yield note(
            "GPU energy",
            "the GPU has no counter of its energy: it can't be measured, and resbench does not guess",
            "use a GPU of the Volta generation or later, whole",
        )


@_of_gpu
def algorithms(_gpu: GpuState, found: Findings) -> Iterator[Doubt]:
    """Say that cuDNN was not told to try what is fastest."""
    if found.environment.settings.get("cudnn.benchmark") == "no":
        yield note(
            "cudnn.benchmark",
            "cuDNN chooses its algorithms by rules of thumb: others who let it try them out may be faster",
            "torch.backends.cudnn.benchmark = True, and state it beside the figure",
        )


CHECKS: Final[tuple[Check, ...]] = (
    unknown_state,
    shared,
    instances,
    held_back,
    capped,
    old_driver,
    persistence,
    joules,
    algorithms,
)
