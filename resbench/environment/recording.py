"""The environment record: what machine, what software, what settings, in what state."""

from collections.abc import Mapping
from pathlib import Path

import torch

import resbench
from resbench.environment.cpu import cpu_facts
from resbench.environment.gpu import gpu_facts, gpu_uuid
from resbench.environment.host import HostState, read_host
from resbench.environment.nvml import GpuState, read_gpu
from resbench.environment.settings import settings_of
from resbench.environment.software import checkout, software_facts
from resbench.environment.state import gpu_state, host_state
from resbench.results import Environment


def capture(
    device: str, settings: Mapping[str, str] | None = None, *, model: Mapping[str, str] | None = None
) -> Environment:
    """Return where and how a result is about to be made.

    Call it before the process is pinned to some of its cores: the cores it may use are part of the machine.

    Args:
        device: `cpu`, `cuda` or `cuda:1`; a CUDA device adds its GPU and driver to the machine.
        settings: what else was set for this run, beside what torch and the environment's variables say.
        model: what network it is about: see `resbench.environment.fingerprint`.
    """
    place = torch.device(device)
    return record(place, read_host(), state_of_gpu(place), settings=settings or {}, model=model or {})


def state_of_gpu(device: torch.device) -> GpuState | str | None:
    """Return the state of the device's GPU, or in words why it can't be had; None for a CPU."""
    return read_gpu(gpu_uuid(device)) if device.type == "cuda" else None


def record(
    device: torch.device,
    host: HostState,
    gpu: GpuState | str | None,
    *,
    settings: Mapping[str, str],
    model: Mapping[str, str],
) -> Environment:
    """Return the record of a state that was read before; for the arguments see `capture`."""
    ours = checkout(Path(resbench.__file__).parent)
    return Environment(
        machine=cpu_facts() | (gpu_facts(device) if device.type == "cuda" else {}),
        software=software_facts(device),
        settings=settings_of(device) | dict(settings),
        state=host_state(host) | (gpu_state(gpu) if isinstance(gpu, GpuState) else {}),
        model=dict(model),
        commit=ours.commit,
        changed=ours.changed,
        changes=ours.changes,
    )
