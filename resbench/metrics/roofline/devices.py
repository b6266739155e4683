"""Peaks of well-known devices from their makers' data sheets, and what a network needs on them at least. No torch.

Peaks are *dense*: figures that a data sheet gives "with sparsity" are halved. Nothing here was measured, and no network
reaches such a peak.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from resbench.architectures.layers import Layer
from resbench.errors import UsageError, unknown
from resbench.metrics.roofline.fusion import fused_costs_of
from resbench.metrics.roofline.roof import Roof, total_s
from resbench.specs import Source

T = 1e12
G = 1e9

ASSUMPTIONS = (
    (
        "an estimate from the data sheet, not a measurement: peak clocks, products computed directly (not by "
        "Winograd's method)"
    ),
    "compute alone: the core MACs x 2 at the peak",
    (
        "through memory: layer by layer, fused, each one's inputs, weights and outputs through memory once; a cache "
        "that holds them from layer to layer could do better"
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What a data sheet says.

    Attributes:
        name: as on the command line.
        title: as its maker calls it.
        peaks: dense FLOP/s by precision; one that is missing is not in the data sheet.
        bandwidth: of its memory, B/s.
        source: of all figures.
    """

    name: str
    title: str
    peaks: Mapping[str, float]
    bandwidth: float
    source: Source

    def roof(self, precision: str) -> Roof:
        """Return its roof.

        Raises:
            UsageError: its data sheet has no peak in that precision.
        """
        if precision not in self.peaks:
            raise UsageError(
                f"the data sheet of {self.title} has no peak in '{precision}': choose from {', '.join(self.peaks)}"
            )
        return Roof(self.peaks[precision], self.bandwidth)


class Estimate(NamedTuple):
    """What a batch needs at least on a device, by its data sheet: see `ASSUMPTIONS`.

    Attributes:
        device: the device.
        compute_s: of its operations alone.
        memory_s: of its layers, fused, each through memory.
    """

    device: Device
    compute_s: float
    memory_s: float


def needs_at_least(device: Device, layers: Sequence[Layer], precision: str, batch_size: int = 1) -> Estimate:
    """Return an estimate of the least time of a forward pass on a device.

    Raises:
        UsageError: its data sheet has no peak in that precision.
    """
    roof = device.roof(precision)
    flops = 2 * batch_size * sum(layer.macs for layer in layers)
    return Estimate(device, flops / roof.peak, total_s(fused_costs_of(layers, precision, batch_size), roof))


def estimates(layers: Sequence[Layer], precision: str, batch_size: int = 1) -> tuple[Estimate, ...]:
    """Return the estimates for all devices whose data sheet has a peak in that precision."""
    return tuple(
        needs_at_least(device, layers, precision, batch_size)
        for device in DEVICES
        if precision in device.peaks
    )


def find_device(name: str) -> Device:
    """Return a device by its name.

    Raises:
        UsageError: it is not listed; with near names.
    """
    for device in DEVICES:
        if device.name == name.lower():
            return device
    raise unknown("device in the table of data sheets", name, (device.name for device in DEVICES))


_AMPERE = Source(
    title="NVIDIA A100 Tensor Core GPU data sheet",
    where="table of specifications, figures without sparsity",
    url="https://www.nvidia.com/content/dam/en-zz/Solutions/Data-Center/a100/pdf/nvidia-a100-datasheet-us-nvidia-1758950-r4-web.pdf",
)
_HOPPER = Source(
    title="NVIDIA H100 Tensor Core GPU data sheet",
    where="table of specifications; tensor-core figures are given with sparsity, and halved here",
    url="https://resources.nvidia.com/en-us-tensor-core/nvidia-tensor-core-gpu-datasheet",
)
_VOLTA = Source(
    title="NVIDIA V100 Tensor Core GPU data sheet",
    where="table of specifications",
    url="https://images.nvidia.com/content/technologies/volta/pdf/volta-v100-datasheet-update-us-1165301-r5.pdf",
)

DEVICES = (
    Device(
        name="gtx-1080-ti",
        title="GeForce GTX 1080 Ti",
        peaks={"fp32": 2 * 3584 * 1.582 * G},
        bandwidth=484 * G,
        source=Source(
            title="NVIDIA GeForce GTX 1080 Ti, product page",
            where="specifications: 3,584 CUDA cores, boost clock 1,582 MHz, 2 operations a cycle each; 484 GB/s",
            url="https://www.nvidia.com/en-us/geforce/products/10series/geforce-gtx-1080-ti/",
        ),
    ),
    Device(
        name="t4",
        title="T4",
        peaks={"fp32": 8.1 * T, "fp16": 65 * T},
        bandwidth=320 * G,
        source=Source(
            title="NVIDIA T4 Tensor Core GPU data sheet",
            where="table of specifications",
            url="https://www.nvidia.com/content/dam/en-zz/Solutions/Data-Center/tesla-t4/t4-tensor-core-datasheet-951643.pdf",
        ),
    ),
    Device(
        name="v100-sxm2",
        title="V100 SXM2",
        peaks={"fp32": 15.7 * T, "fp16": 125 * T},
        bandwidth=900 * G,
        source=_VOLTA,
    ),
    Device(
        name="v100-pcie",
        title="V100 PCIe",
        peaks={"fp32": 14 * T, "fp16": 112 * T},
        bandwidth=900 * G,
        source=_VOLTA,
    ),
    Device(
        name="a100-sxm",
        title="A100 80GB SXM",
        peaks={"fp32": 19.5 * T, "tf32": 156 * T, "bf16": 312 * T, "fp16": 312 * T},
        bandwidth=2039 * G,
        source=_AMPERE,
    ),
    Device(
        name="a100-pcie",
        title="A100 80GB PCIe",
        peaks={"fp32": 19.5 * T, "tf32": 156 * T, "bf16": 312 * T, "fp16": 312 * T},
        bandwidth=1935 * G,
        source=_AMPERE,
    ),
    Device(
        name="h100-sxm",
        title="H100 SXM",
        peaks={"fp32": 67 * T, "tf32": 989 / 2 * T, "bf16": 1979 / 2 * T, "fp16": 1979 / 2 * T},
        bandwidth=3350 * G,
        source=_HOPPER,
    ),
    Device(
        name="h100-pcie",
        title="H100 PCIe",
        peaks={"fp32": 51 * T, "tf32": 756 / 2 * T, "bf16": 1513 / 2 * T, "fp16": 1513 / 2 * T},
        bandwidth=2000 * G,
        source=_HOPPER,
    ),
    Device(
        name="rtx-3090",
        title="GeForce RTX 3090",
        peaks={"fp32": 35.6 * T, "tf32": 35.6 * T, "bf16": 71 * T, "fp16": 71 * T},
        bandwidth=936 * G,
        source=Source(
            title="NVIDIA Ampere GA102 GPU architecture, whitepaper 2",
            where="appendix A, table of specifications: without sparsity, tensor cores adding up in FP32",
            url="https://www.nvidia.com/content/PDF/nvidia-ampere-ga-102-gpu-architecture-whitepaper-v2.pdf",
        ),
    ),
    Device(
        name="rtx-4090",
        title="GeForce RTX 4090",
        peaks={"fp32": 82.6 * T, "tf32": 82.6 * T, "bf16": 165.2 * T, "fp16": 165.2 * T},
        bandwidth=1008 * G,
        source=Source(
            title="NVIDIA Ada GPU architecture, whitepaper 2",
            where="appendix A, table of specifications: without sparsity, tensor cores adding up in FP32",
            url="https://images.nvidia.com/aem-dam/Solutions/Data-Center/l4/nvidia-ada-gpu-architecture-whitepaper-v2.1.pdf",
        ),
    ),
    Device(
        name="l4",
        title="L4",
        peaks={"fp32": 30.3 * T, "tf32": 120 / 2 * T, "bf16": 242 / 2 * T, "fp16": 242 / 2 * T},
        bandwidth=300 * G,
        source=Source(
            title="NVIDIA L4 Tensor Core GPU, product page",
            where="specifications; tensor-core figures are given with sparsity, and halved here",
            url="https://www.nvidia.com/en-us/data-center/l4/",
        ),
    ),
    Device(
        name="a10",
        title="A10",
        peaks={"fp32": 31.2 * T, "tf32": 62.5 * T, "bf16": 125 * T, "fp16": 125 * T},
        bandwidth=600 * G,
        source=Source(
            title="NVIDIA A10 Tensor Core GPU data sheet",
            where="table of specifications, figures without sparsity",
            url="https://www.nvidia.com/content/dam/en-zz/Solutions/Data-Center/a10/pdf/a10-datasheet.pdf",
        ),
    ),
)
"""In the order of their age within each line. CPUs are measured instead: their data sheets give no such peak."""
