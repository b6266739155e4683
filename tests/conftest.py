"""What every test shares: one thread, and the real data where `RESBENCH_DATA` says it lies."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# No test asserts a duration, and an example may be slow on a busy machine.
settings.register_profile("resbench", deadline=None)
settings.load_profile("resbench")

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"
os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of the real data: `cifar-10-batches-py/` and `VOCdevkit/`."""
    folder = os.environ.get("RESBENCH_DATA")
    if not folder:
        pytest.skip("RESBENCH_DATA is not set: it names the folder of the real data")
    path = Path(folder)
    if not path.is_dir():
        pytest.fail(f"RESBENCH_DATA names no folder: {folder}")
    return path
