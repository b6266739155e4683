"""What a CPU is, read from files of our own making."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.environment.cpu import cpu_facts, instructions, is_virtual, ranges

from .conftest import CPUINFO, MakeRoot

_CACHE = "sys/devices/system/cpu/cpu0/cache"


def test_the_cpu_is_named_as_linux_names_it(make_root: MakeRoot) -> None:
    facts = cpu_facts(make_root({"proc/cpuinfo": CPUINFO}))
    assert facts["cpu"] == "Example CPU @ 2.00GHz"
    assert facts["cpu revision"] == "family 6, model 143, stepping 8"
    assert facts["instructions"] == "AVX2, AVX512, AVX512-BF16, AMX-BF16"


@pytest.mark.parametrize("text", ["processor: 0\n", ""])
def test_a_cpu_that_linux_does_not_name_has_a_name_all_the_same(make_root: MakeRoot, text: str) -> None:
    facts = cpu_facts(make_root({"proc/cpuinfo": text} if text else {}))
    assert facts["cpu"]
    assert not {"cpu revision", "instructions", "caches"} & set(facts)


def test_arm_lists_features() -> None:
    assert instructions("processor : 0\nFeatures\t: fp asimd sve bf16 i8mm\n") == (
        "NEON",
        "SVE",
        "BF16",
        "I8MM",
    )


def test_a_flag_is_a_whole_word() -> None:
    assert instructions("flags : avx2x notavx512f\n") == ()
    assert is_virtual("flags : fpu hypervisor sse\n")
    assert not is_virtual("flags : fpu\nmodel name : hypervisor\n")


def test_caches_hold_data(make_root: MakeRoot) -> None:
    files = {}
    for index, (level, kind, size) in enumerate(
        [(1, "Data", "32K"), (1, "Instruction", "64K"), (2, "Unified", "1024K"), (3, "Unified", "32768K")]
    ):
        for name, text in (("level", str(level)), ("type", kind), ("size", size)):
            files[f"{_CACHE}/index{index}/{name}"] = f"{text}\n"
    assert cpu_facts(make_root(files))["caches"] == "L1 32 KiB, L2 1024 KiB, L3 32768 KiB"


@pytest.mark.parametrize(
    ("cores", "text"), [((0, 1, 2, 3, 8), "0-3, 8"), ((1,), "1"), ((), ""), ((4, 2, 3, 0), "0, 2-4")]
)
def test_ranges(cores: tuple[int, ...], text: str) -> None:
    assert ranges(cores) == text


@given(st.sets(st.integers(0, 300)))
def test_ranges_lose_no_core(cores: set[int]) -> None:
    read: set[int] = set()
    for part in filter(None, ranges(cores).split(", ")):
        first, _, last = part.partition("-")
        read |= set(range(int(first), int(last or first) + 1))
    assert read == cores
