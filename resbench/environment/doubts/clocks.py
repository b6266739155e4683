"""Doubts about how fast the CPU runs from one moment to the next."""

from collections.abc import Iterator
from typing import Final

from resbench.environment.doubts.doubt import Check, Doubt, Findings, warning

HOT_C: Final = 90.0


def governor(found: Findings) -> Iterator[Doubt]:
    """Doubt a clock that follows the load."""
    name = found.host.governor
    if name and name != "performance":
        yield warning(
            "governor",
            f"the CPU's governor is {name}: the clock follows the load, and short calls run at a low one",
            "sudo cpupower frequency-set --governor performance",
        )


def turbo(found: Findings) -> Iterator[Doubt]:
    """Doubt a clock that depends on heat and on neighbours."""
    if found.host.turbo:
        yield warning(
            "turbo",
            "the CPU may clock above its nominal value, for as long as heat, power and its other cores allow",
            "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo, or with another driver "
            "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost",
        )


def heat(found: Findings) -> Iterator[Doubt]:
    """Doubt a CPU that may be slowed to cool."""
    degrees = found.host.temperature_C
    if degrees is not None and degrees >= HOT_C:
        yield warning(
            "CPU temperature",
            f"the CPU is at {degrees:.0f} degrees C, where it slows itself down",
            "let it cool, or cool it better",
        )


def battery(found: Findings) -> Iterator[Doubt]:
    """Doubt a machine that saves power."""
    if found.host.on_battery:
        yield warning("battery", "the machine runs on its battery and saves power", "plug it in")


def mixed_cores(found: Findings) -> Iterator[Doubt]:
    """Doubt threads that wait for the slowest core."""
    clocks = found.host.highest_clocks_Hz
    # Cores of one kind may differ a little in how high they boost.
    if clocks and max(clocks) > 1.15 * min(clocks):
        yield warning(
            "mixed cores",
            f"this process may use fast and slow cores (up to {max(clocks) / 1e9:.1f} and {min(clocks) / 1e9:.1f} GHz): "
            "figures depend on where its threads happen to run",
            "taskset --cpu-list with the cores of one kind; 'lscpu --extended' shows them",
        )


CHECKS: Final[tuple[Check, ...]] = (governor, turbo, heat, battery, mixed_cores)
