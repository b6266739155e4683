"""Doubts about who else uses the machine, and about how much of it is ours."""

from collections.abc import Iterator
from typing import Final

from resbench.environment.doubts.doubt import Check, Doubt, Findings, warning
from resbench.units import percent

FOREIGN_CORES: Final = 0.1
SWAP_B: Final = 64 * 2**20


def load(found: Findings) -> Iterator[Doubt]:
    """Doubt a machine on which others compute."""
    foreign, cores = found.process.foreign_cores, found.process.cores
    if foreign is not None and foreign > FOREIGN_CORES:
        yield warning(
            "load by others",
            f"other programs keep {foreign:.1f} of {cores} cores busy",
            "stop them ('top' shows them) or measure when they are done",
        )


def quota(found: Findings) -> Iterator[Doubt]:
    """Doubt a container that is stopped for part of every period."""
    cores, allowed = found.process.cores, found.host.quota_cores
    if allowed is not None and allowed < cores:
        yield warning(
            "CPU quota",
            f"this container may use {allowed:g} cores' time of {cores} cores: the kernel stops it for part of every "
            "period, which shows as rare slow calls",
            f"raise the limit (docker run --cpus {cores}), or compute with --threads {max(1, int(allowed))}",
        )


def hypervisor(found: Findings) -> Iterator[Doubt]:
    """Doubt cores that are somebody else's, too."""
    name, stolen = found.host.hypervisor, found.host.stolen
    if name:
        lost = "" if stolen is None else f"; so far {percent(stolen, 1)} of the time was given to others"
        yield warning(
            "hypervisor",
            f"this is a virtual machine{'' if name == 'unnamed' else f' ({name})'}: its cores may be shared, and its "
            f"neighbours are not seen from here{lost}",
            "compare only what was measured side by side in one run; or use dedicated cores",
        )


def swap(found: Findings) -> Iterator[Doubt]:
    """Doubt a machine whose memory does not suffice."""
    used = found.host.swap_used_B
    if used > SWAP_B:
        yield warning(
            "swap",
            f"{used / 2**20:,.0f} MiB of memory lie on disk: who needs them waits",
            "free memory, then: sudo swapoff --all && sudo swapon --all",
        )


def threads(found: Findings) -> Iterator[Doubt]:
    """Doubt threads that take turns on a core."""
    many, cores, physical = found.process.threads, found.process.cores, found.process.physical_cores
    if many > cores:
        yield warning(
            "threads",
            f"torch computes with {many} threads on {cores} cores: they wait for each other",
            f"resbench profile --threads {cores}, or OMP_NUM_THREADS={cores}",
        )
    elif physical is not None and many > physical:
        yield warning(
            "threads",
            f"torch computes with {many} threads on {physical} physical cores: two on one core share its arithmetic",
            f"resbench profile --threads {physical}, or OMP_NUM_THREADS={physical}",
        )


def nodes(found: Findings) -> Iterator[Doubt]:
    """Doubt memory that is nearer to some cores than to others."""
    many = found.host.nodes
    if many > 1 and found.process.threads > 1:
        yield warning(
            "NUMA",
            f"the machine has {many} NUMA nodes: memory on another node than the thread's is slower",
            "numactl --cpunodebind 0 --membind 0 before the command",
        )


CHECKS: Final[tuple[Check, ...]] = (load, quota, hypervisor, swap, threads, nodes)
