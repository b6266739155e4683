"""What holds a model back here, read from the ratios of its clocks and, where it was measured, the roofline."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

LAUNCH_SHARE = 0.75
"""A device that is busy for less than this share of a call waits for whoever gives it work."""
INPUT_SHARE = 1.0
"""Input that takes longer to prepare than a call takes to compute sets the pace."""


class Bound(StrEnum):
    """What sets the pace."""

    LAUNCH = "launch-bound"
    COMPUTE = "compute-bound"
    MEMORY = "memory-bound"
    INPUT = "input-bound"
    DEVICE = "device-bound"
    """The device does, but without a roofline it is unknown whether by its arithmetic or by its memory."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Roof:
    """How fast the device could be, and what one call asks of it.

    Attributes:
        flops: of one call.
        bytes_moved: to and from memory in one call.
        peak_flops: FLOP/s that were reached here.
        peak_bytes: B/s that were reached here.
    """

    flops: float
    bytes_moved: float
    peak_flops: float
    peak_bytes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The durations of one call (of the whole batch).

    Attributes:
        latency_s: synchronised, end to end.
        device_s: the device's busy time; None where it is not known.
        period_s: time per call, back to back (batch / throughput).
        input_s: time to prepare the input of one call; None where none was prepared.
    """

    latency_s: float
    device_s: float | None
    period_s: float
    input_s: float | None = None


class Diagnosis(NamedTuple):
    """What sets the pace, and the evidence, a sentence of figures."""

    bound: Bound
    evidence: str


def diagnose(clocks: Clocks, roof: Roof | None = None) -> Diagnosis:
    """Say what sets the pace of a model.

    In this order: input that takes longer than the calls it feeds; a device that is idle for much of the time even
    when calls follow back to back; else the device itself, by the roof that is nearer.
    """
    if clocks.input_s is not None and clocks.input_s >= INPUT_SHARE * clocks.period_s:
        return Diagnosis(
            Bound.INPUT,
            f"preparing the input takes {_ms(clocks.input_s)}, computing it {_ms(clocks.period_s)}",
        )
    if clocks.device_s is None:
        return Diagnosis(Bound.UNKNOWN, "the device's busy time is not known for this backend")
    busy, busy_back_to_back = (clocks.device_s / whole for whole in (clocks.latency_s, clocks.period_s))
    shares = (
        f"the device is busy for {_ms(clocks.device_s)}: {_share(busy)} of a synchronised call ({_ms(clocks.latency_s)}), "
        f"{_share(busy_back_to_back)} back to back ({_ms(clocks.period_s)})"
    )
    if max(busy, busy_back_to_back) < LAUNCH_SHARE:
        return Diagnosis(Bound.LAUNCH, shares)
    if busy < LAUNCH_SHARE:
        shares += "; a single call waits for its launch, which calls back to back hide"
    if roof is None:
        return Diagnosis(Bound.DEVICE, f"{shares}; compute or memory: unknown without a roofline")
    return _by_roof(clocks.device_s, roof, shares)


def _by_roof(device_s: float, roof: Roof, shares: str) -> Diagnosis:
    compute_s, memory_s = roof.flops / roof.peak_flops, roof.bytes_moved / roof.peak_bytes
    bound = Bound.COMPUTE if compute_s >= memory_s else Bound.MEMORY
    return Diagnosis(
        bound,
        f"{shares}; at the measured peaks its arithmetic alone takes {_ms(compute_s)} ({_share(compute_s / device_s)} "
        f"of the busy time), its memory traffic {_ms(memory_s)} ({_share(memory_s / device_s)})",
    )


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms"


def _share(share: float) -> str:
    return f"{100 * share:.0f} %"
