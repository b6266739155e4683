"""How much CPU time a container may use: the kernel stops its processes when they used up their share of a period."""

from collections.abc import Iterator
from pathlib import Path

from resbench.environment.cpu import ROOT
from resbench.environment.files import content


def quota_cores(root: Path = ROOT) -> float | None:
    """Return the tightest CPU quota of this process and of all the groups above it, in cores; None without one."""
    return min((*_unified(root), *_classic(root)), default=None)


def _unified(root: Path) -> Iterator[float]:
    """Yield the quotas of cgroup v2: `cpu.max` holds "150000 100000", or "max 100000"."""
    for folder in _folders(root, "", root / "sys/fs/cgroup"):
        quota, _, period = content(folder / "cpu.max").partition(" ")
        if quota.isdecimal() and period.isdecimal():
            yield int(quota) / int(period)


def _classic(root: Path) -> Iterator[float]:
    """Yield the quotas of cgroup v1: -1 is none."""
    for folder in _folders(root, "cpu", root / "sys/fs/cgroup/cpu"):
        quota, period = content(folder / "cpu.cfs_quota_us"), content(folder / "cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal() and int(period):
            yield int(quota) / int(period)


def _folders(root: Path, controller: str, mounted: Path) -> Iterator[Path]:
    """Yield the folder of this process's group, and those above it. In a container the path may start outside of it."""
    for line in content(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            group = mounted / path.strip("/")
            yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(mounted))
            return
    yield mounted
