"""The counter of joules that tells of a device's work, where one can be believed."""

import torch

from resbench.environment.gpu import gpu_uuid
from resbench.environment.recording import state_of_gpu
from resbench.metrics.energy.counters import Counter, check_gpu, open_nvml, open_rapl


def open_counter(device: torch.device) -> Counter:
    """Return NVML's counter of a GPU, or RAPL's of the machine.

    Raises:
        EnergyRefused: there is none, or it would not tell of our work alone; the message says why.
    """
    if device.type == "cpu":
        return open_rapl()
    check_gpu(state_of_gpu(device) or "it is no GPU")
    return open_nvml(gpu_uuid(device), torch.cuda.get_device_name(device))
