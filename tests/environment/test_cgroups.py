"""The CPU quota of a container, in both versions of the kernel's interface."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.environment.cgroups import quota_cores

from .conftest import MakeRoot

V2 = "sys/fs/cgroup"
V1 = "sys/fs/cgroup/cpu"


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, None),
        ({f"{V2}/cpu.max": "max 100000"}, None),
        ({f"{V2}/cpu.max": "50000 100000"}, 0.5),
        # The tightest of all the groups above counts.
        (
            {
                "proc/self/cgroup": "0::/outer/inner",
                f"{V2}/outer/cpu.max": "100000 100000",
                f"{V2}/outer/inner/cpu.max": "400000 100000",
            },
            1.0,
        ),
        # A container may be told the path of its host.
        ({"proc/self/cgroup": "0::/host/path", f"{V2}/cpu.max": "250000 100000"}, 2.5),
        ({"proc/self/cgroup": "4:cpu,cpuacct:/", f"{V1}/cpu.cfs_quota_us": "-1", f"{V1}/cpu.cfs_period_us": "100000"}, None),
        (
            {
                "proc/self/cgroup": "9:memory:/x\n4:cpu,cpuacct:/a",
                f"{V1}/a/cpu.cfs_quota_us": "300000",
                f"{V1}/a/cpu.cfs_period_us": "100000",
            },
            3.0,
        ),
        ({f"{V2}/cpu.max": "garbage"}, None),
    ],
)  # fmt: skip
def test_quota(make_root: MakeRoot, files: Mapping[str, str], cores: float | None) -> None:
    assert quota_cores(make_root(files)) == cores


@given(quota=st.integers(1000, 10**7), period=st.integers(1000, 10**6))
def test_a_quota_is_cores(tmp_path_factory: pytest.TempPathFactory, quota: int, period: int) -> None:
    root = tmp_path_factory.mktemp("root")
    (root / V2).mkdir(parents=True)
    (root / V2 / "cpu.max").write_text(f"{quota} {period}\n")
    assert quota_cores(root) == quota / period
