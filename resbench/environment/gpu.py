"""The stable facts of a CUDA device: its name, memory, driver, and a hash that tells it from others of its kind."""

import hashlib
import re
from pathlib import Path
from typing import Any

import torch

from resbench.environment.cpu import ROOT
from resbench.environment.files import content, output


def gpu_facts(device: torch.device, root: Path = ROOT) -> dict[str, str]:
    """Return what a GPU is. Its serial number and UUID are never written down: only a hash, which tells two apart."""
    properties: Any = torch.cuda.get_device_properties(device)
    facts = {
        "gpu": str(properties.name),
        "gpu memory": f"{properties.total_memory / 2**30:.1f} GiB",
        "gpu driver": _driver(root),
        "gpu id": hashed(gpu_uuid(device)),
        "gpu architecture": _architecture(properties),
    }
    return {name: value for name, value in facts.items() if value}


def gpu_uuid(device: torch.device) -> str:
    """Return the UUID as torch knows it, without NVML's "GPU-"; empty where it does not."""
    return str(getattr(torch.cuda.get_device_properties(device), "uuid", ""))


def hashed(uuid: str) -> str:
    """Return twelve hex digits that stand for a UUID and do not give it away; empty for none."""
    plain = uuid.removeprefix("GPU-").lower()
    return hashlib.sha256(f"resbench gpu {plain}".encode()).hexdigest()[:12] if plain else ""


def _architecture(properties: Any) -> str:
    version = (getattr(properties, "major", None), getattr(properties, "minor", None))
    processors = getattr(properties, "multi_processor_count", None)
    facts = (f"compute capability {version[0]}.{version[1]}" if None not in version else "",
             f"{processors} multiprocessors" if processors else "")  # fmt: skip
    return ", ".join(fact for fact in facts if fact)


def _driver(root: Path) -> str:
    """Ask nvidia-smi, or else the kernel, and never NVML: installing an extra must not make another machine of this one."""
    said = output("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader").partition("\n")[0]
    if said:
        return said
    found = re.search(r"^NVRM version:.*?\s(\d+(?:\.\d+)+)\s", content(root / "proc/driver/nvidia/version"))
    return found[1] if found else ""
