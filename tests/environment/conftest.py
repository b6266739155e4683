"""A made-up machine: a tree of the small files by which Linux tells what it is."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

MakeRoot = Callable[[Mapping[str, str]], Path]

CPUINFO = """processor\t: 0
vendor_id\t: Example
cpu family\t: 6
model\t\t: 143
model name\t: Example   CPU @ 2.00GHz
stepping\t: 8
flags\t\t: fpu model avx2 avx512f avx512_bf16 amx_bf16 hypervisor
processor\t: 1
model name\t: Another
"""


@pytest.fixture
def make_root(tmp_path: Path) -> MakeRoot:
    """Return a function that writes files, by their paths, and returns the root they lie in."""

    def make(files: Mapping[str, str]) -> Path:
        root = tmp_path / "root"
        root.mkdir(exist_ok=True)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return root

    return make
