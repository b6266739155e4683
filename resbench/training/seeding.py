"""One seed decides everything random, and each use of it has a stream of its own.

A stream is named by what it is for and where in the run it stands, never by how many numbers were drawn before: the
augmentation of sample 17 in epoch 3 is the same whatever the number of loader workers and wherever a run was resumed.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derived(seed: int, *names: str | int) -> int:
    """Return the seed, below 2**63, of the stream called `names` under `seed`."""
    text = "/".join(map(str, (seed, *names)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


@contextmanager
def stream(seed: int, *names: str | int) -> Iterator[None]:
    """Draw from the named stream inside the block and leave torch's global CPU generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derived(seed, *names))
        yield


def order(count: int, seed: int, epoch: int) -> list[int]:
    """Return the order in which an epoch visits its samples."""
    generator = torch.Generator().manual_seed(derived(seed, "order", epoch))
    permutation: list[int] = torch.randperm(count, generator=generator).tolist()
    return permutation


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """Give the same result from the same numbers inside the block, run after run on one machine.

    On a CPU the operators of these networks already do; a GPU is asked to take only kernels that do.
    """
    if device.type != "cuda":
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it at its first call
    before = (torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark)
    torch.use_deterministic_algorithms(mode=True)
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(mode=before[0])
        torch.backends.cudnn.benchmark = before[1]
