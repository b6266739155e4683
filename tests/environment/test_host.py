"""The state of the CPU's side, read from files of our own making."""

import pytest

from resbench.environment.cpu import usable_cores
from resbench.environment.host import HostState, clock_and_heat, read_host
from resbench.environment.state import host_state

from .conftest import CPUINFO, MakeRoot

_CORE = usable_cores()[0]
_FREQUENCY = f"sys/devices/system/cpu/cpu{_CORE}/cpufreq"


def test_everything_that_linux_tells(make_root: MakeRoot) -> None:
    root = make_root(
        {
            "proc/cpuinfo": CPUINFO,
            "proc/loadavg": "1.25 0.50 0.10 2/300 4242\n",
            "proc/pressure/cpu": "some avg10=12.50 avg60=3.00 avg300=1.00 total=1\nfull avg10=0.00 avg60=0.00\n",
            # user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice
            "proc/stat": "cpu  40 0 10 900 25 0 0 25 7 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n",
            "proc/meminfo": "MemTotal: 8000 kB\nSwapTotal: 4096 kB\nSwapFree: 1024 kB\n",
            f"{_FREQUENCY}/scaling_governor": "powersave\n",
            f"{_FREQUENCY}/scaling_cur_freq": "1800000\n",
            f"{_FREQUENCY}/cpuinfo_max_freq": "4200000\n",
            "sys/devices/system/cpu/intel_pstate/no_turbo": "0\n",
            "sys/class/hwmon/hwmon0/name": "nvme\n",
            "sys/class/hwmon/hwmon0/temp1_input": "99000\n",
            "sys/class/hwmon/hwmon1/name": "coretemp\n",
            "sys/class/hwmon/hwmon1/temp1_input": "61000\n",
            "sys/class/hwmon/hwmon1/temp2_input": "64500\n",
            "sys/class/power_supply/AC/type": "Mains\n",
            "sys/class/power_supply/AC/online": "0\n",
            "sys/class/power_supply/BAT0/type": "Battery\n",
            "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
            "sys/devices/system/node/node0/cpulist": "0\n",
            "sys/devices/system/node/node1/cpulist": "1\n",
            "sys/class/dmi/id/sys_vendor": "QEMU\n",
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/cpu.max": "150000 100000\n",
        }
    )
    found = read_host(root)
    assert clock_and_heat(root) == (1.8e9, 64.5)
    assert found.memory_available_B > 0
    assert found == HostState(
        load=1.25,
        waiting=0.125,
        stolen=0.025,
        governor="powersave",
        turbo=True,
        clock_Hz=1.8e9,
        highest_clocks_Hz=(4.2e9,),
        temperature_C=64.5,
        on_battery=True,
        memory_available_B=found.memory_available_B,
        swap_used_B=3 * 2**20,
        quota_cores=1.5,
        hypervisor="QEMU",
        huge_pages="madvise",
        nodes=2,
    )


def test_a_system_that_tells_nothing(make_root: MakeRoot) -> None:
    found = read_host(make_root({}))
    assert found == HostState(memory_available_B=found.memory_available_B)
    assert set(host_state(found)) == {"memory available", "swap used", "hypervisor", "NUMA nodes"}


@pytest.mark.parametrize(("text", "on"), [("1", True), ("0", False), ("", None)])
def test_turbo_by_the_other_drivers(make_root: MakeRoot, text: str, on: bool | None) -> None:
    assert read_host(make_root({"sys/devices/system/cpu/cpufreq/boost": text})).turbo is on


def test_a_hypervisor_without_a_name(make_root: MakeRoot) -> None:
    assert read_host(make_root({"proc/cpuinfo": CPUINFO})).hypervisor == "unnamed"


def test_plugged_in(make_root: MakeRoot) -> None:
    files = {"sys/class/power_supply/AC/type": "Mains", "sys/class/power_supply/AC/online": "1"}
    assert not read_host(make_root(files)).on_battery


def test_the_state_in_words() -> None:
    state = HostState(
        load=0.5, waiting=0.034, turbo=False, clock_Hz=2.4e9, quota_cores=1.5, swap_used_B=2**30
    )
    assert host_state(state) == {
        "load": "0.50",
        "waiting for a core": "3.4 %",
        "turbo": "off",
        "clock": "2.40 GHz",
        "memory available": "0.0 GiB",
        "swap used": "1.0 GiB",
        "CPU quota": "1.5 cores",
        "hypervisor": "none",
        "NUMA nodes": "1",
    }
