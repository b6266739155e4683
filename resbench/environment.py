"""The machine, the software and the settings a result comes from, as stable facts: no load, no clocks."""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import torch

import resbench
from resbench.results import Environment

ALLOCATOR_VARIABLES = (
    "GLIBC_TUNABLES",
    "LD_PRELOAD",
    "MALLOC_ARENA_MAX",
    "MALLOC_CONF",
    "MALLOC_MMAP_MAX_",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_TOP_PAD_",
    "MALLOC_TRIM_THRESHOLD_",
    "PYTORCH_ALLOC_CONF",
    "PYTORCH_CUDA_ALLOC_CONF",
)
THREAD_VARIABLES = (
    "GOMP_CPU_AFFINITY",
    "KMP_AFFINITY",
    "KMP_BLOCKTIME",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
)


def capture(device: str, settings: Mapping[str, str] | None = None) -> Environment:
    """Return where and how a result is about to be made.

    Args:
        device: `cpu`, `cuda` or `cuda:1`; a CUDA device adds its GPU and driver to the machine.
        settings: what else was set for this run, beside what torch and the environment's variables say.
    """
    place = torch.device(device)
    commit, changed = _commit(Path(resbench.__file__).parent)
    return Environment(
        machine=_machine(place),
        software=_software(place),
        settings=_settings(place) | dict(settings or {}),
        commit=commit,
        changed=changed,
    )


def _machine(device: torch.device) -> dict[str, str]:
    facts = {
        "cpu": _cpu_model(Path("/proc/cpuinfo")),
        "cores": str(_usable_cores()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.1f} GiB",
        "system": f"{_system()}, {platform.machine()}",
    }
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        facts["gpu"] = properties.name
        facts["gpu memory"] = f"{properties.total_memory / 2**30:.1f} GiB"
        if driver := _driver():
            facts["gpu driver"] = driver
    return facts


def _cpu_model(cpuinfo: Path) -> str:
    """Linux names the CPU in /proc/cpuinfo (not on every ARM board); elsewhere the platform module does."""
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return " ".join(value.split())
    return platform.processor() or platform.machine() or "unknown CPU"


def _usable_cores() -> int:
    """Cores this process may use: a container or taskset can grant fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {platform.release()}"


def _driver() -> str:
    return _output("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader").partition("\n")[0]


def _software(device: torch.device) -> dict[str, str]:
    # torchvision is asked for by its metadata: importing it takes longer than importing torch.
    versions = {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "torchvision": _installed("torchvision"),
        "numpy": _installed("numpy"),
        "pillow": _installed("pillow"),
        "resbench": resbench.__version__,
        "kernel": platform.release(),
    }
    if device.type == "cuda":
        cudnn: Any = torch.backends.cudnn
        versions["CUDA"] = torch.version.cuda or "not built in"
        versions["cuDNN"] = str(cudnn.version() or "not built in")
    return versions


def _installed(distribution: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


def _settings(device: torch.device) -> dict[str, str]:
    libraries: Any = torch.backends
    on_gpu = device.type == "cuda"
    products, convolutions = (
        (libraries.cuda.matmul, libraries.cudnn.conv)
        if on_gpu
        else (libraries.mkldnn.matmul, libraries.mkldnn.conv)
    )
    found = {
        "threads": str(torch.get_num_threads()),
        "interop threads": str(torch.get_num_interop_threads()),
        "deterministic algorithms": _yes(torch.are_deterministic_algorithms_enabled()),
        "float32 products": _rounding(products.fp32_precision),
        "float32 convolutions": _rounding(convolutions.fp32_precision),
    }
    if on_gpu:
        found |= {
            "cudnn.benchmark": _yes(libraries.cudnn.benchmark),
            "cudnn.deterministic": _yes(libraries.cudnn.deterministic),
        }
    for name in (*ALLOCATOR_VARIABLES, *THREAD_VARIABLES):
        if value := os.environ.get(name):
            # Only the library's name: the folder it lies in says nothing of the run and may name a person.
            found[name] = " ".join(map(os.path.basename, value.split())) if name == "LD_PRELOAD" else value
    return found


def _rounding(precision: str) -> str:
    """Torch's "none" and "ieee" both leave float32 as it is."""
    return "not rounded" if precision in ("none", "ieee") else f"rounded to {precision}"


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def _commit(package: Path) -> tuple[str, bool]:
    """Return the commit of the checkout whose package this is and whether the package was changed since.

    An installed package has none, even where its virtual environment lies inside some other checkout. Only changes
    in the package itself count: a report or a store written beside it changes nothing that a run does.
    """
    top = _output("git", "-C", str(package), "rev-parse", "--show-toplevel").strip()
    if not top or Path(top).resolve() != package.resolve().parent:
        return "", False
    commit = _output("git", "-C", top, "rev-parse", "HEAD").strip()
    return commit, bool(commit) and bool(
        _output("git", "-C", top, "status", "--porcelain", "--", package.name)
    )


def _output(program: str, *arguments: str) -> str:
    """Return what a program prints; nothing where it is missing, fails or hangs: its fact is then unknown."""
    found = shutil.which(program)
    if found is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - fixed programs with arguments of our own
            (found, *arguments), capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
