"""Doubts about how the software was built and set: builds, allocators, rounding, variables."""

from collections.abc import Iterator
from typing import Final

from resbench.environment.doubts.doubt import Check, Doubt, Findings, note, warning

RETURNED: Final = 0.5
SLOWING: Final = {
    "ATEN_CPU_CAPABILITY": "keeps torch's own kernels from using all that the CPU can",
    "CUDA_LAUNCH_BLOCKING": "waits for the GPU after every kernel",
    "DNNL_MAX_CPU_ISA": "keeps oneDNN from using all that the CPU can",
    "MKL_CBWR": "makes MKL's products reproducible and slower",
    "MKL_ENABLE_INSTRUCTIONS": "keeps MKL from using all that the CPU can",
    "ONEDNN_MAX_CPU_ISA": "keeps oneDNN from using all that the CPU can",
    "PYTORCH_NO_CUDA_MEMORY_CACHING": "allocates the GPU's memory anew for every tensor",
}
ROUNDING: Final = {
    "DNNL_DEFAULT_FPMATH_MODE": "lets oneDNN compute float32 products with fewer bits",
    "NVIDIA_TF32_OVERRIDE": "decides on TF32 over the head of every setting in torch",
    "ONEDNN_DEFAULT_FPMATH_MODE": "lets oneDNN compute float32 products with fewer bits",
}
"""Variables that nobody sets for a benchmark on purpose, and what each does."""

_HARMLESS: Final = ("", "0", "ALL", "DEFAULT", "STRICT")
"""What stands for: as if it were not set."""


def debug_build(found: Findings) -> Iterator[Doubt]:
    """Doubt a torch that checks itself."""
    if found.process.debug_build:
        yield warning(
            "debug build",
            f"torch {found.environment.software.get('torch', '')} is a debug build, several times slower",
            "install a release from https://pytorch.org",
        )


def allocator(found: Findings) -> Iterator[Doubt]:
    """Doubt an allocator that asks the kernel for the same memory at each forward pass."""
    returned = found.process.returned
    if returned is not None and returned > RETURNED:
        yield warning(
            "allocator",
            "the C library gives large blocks back to the kernel when they are freed: each forward pass on the CPU "
            "takes its memory anew, page by page, which can more than double its time in large batches",
            "'resbench profile --allocator keep', or for other programs GLIBC_TUNABLES=glibc.malloc.mmap_max=0:"
            "glibc.malloc.trim_threshold=17179869184:glibc.malloc.top_pad=268435456; state it beside the figure",
        )


def huge_pages(found: Findings) -> Iterator[Doubt]:
    """Say how large the pages are."""
    choice = found.host.huge_pages
    if choice == "always":
        yield note(
            "huge pages",
            "the kernel joins pages to huge ones by itself, in the background: speed may change after a while",
            "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled, and THP_MEM_ALLOC_ENABLE=1 for torch",
        )
    elif choice == "madvise" and found.environment.settings.get("THP_MEM_ALLOC_ENABLE", "0") == "0":
        yield note(
            "huge pages",
            "tensors lie in small pages: programs get huge ones only if they ask, and torch does not",
            "THP_MEM_ALLOC_ENABLE=1 lets torch ask; state it beside the figure",
        )
    elif choice == "never":
        yield note(
            "huge pages",
            "the kernel gives small pages only",
            "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled",
        )


def slowing_variables(found: Findings) -> Iterator[Doubt]:
    """Doubt a process that was told to be slow, or to round."""
    settings = found.environment.settings
    for name, effect in {**SLOWING, **ROUNDING}.items():
        if settings.get(name, "").upper() not in _HARMLESS:
            yield warning(name, f"{name}={settings[name]} {effect}", f"unset {name}")


def rounded_float32(found: Findings) -> Iterator[Doubt]:
    """Say that float32 is not float32 outside of resbench."""
    settings = found.environment.settings
    for name in ("float32 products", "float32 convolutions"):
        if not settings.get(name, "").startswith("rounded to"):
            continue
        to_tf32 = "tf32" in settings[name]
        yield note(
            "TF32" if to_tf32 else "rounding",
            f"in this process {name} are {settings[name]} by default; resbench switches that off for fp32, others may not",
            "torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False"
            if to_tf32
            else "torch.set_float32_matmul_precision('highest')",
        )


def denormals(found: Findings) -> Iterator[Doubt]:
    """Say that very small numbers may be slow."""
    if not found.process.flushed:
        yield note(
            "denormal numbers",
            "float32 numbers below 1.2e-38 are computed exactly, many times slower on some CPUs: weights that decayed "
            "to almost nothing can slow a trained network",
            "torch.set_flush_denormal(True) in the program that is measured",
        )


def local_changes(found: Findings) -> Iterator[Doubt]:
    """Say that a commit does not tell what ran."""
    if found.environment.changed:
        yield note(
            "local changes",
            f"resbench runs with uncommitted changes ({found.environment.changes}) on {found.environment.commit[:12]}",
            "commit them, so that others can run the same code",
        )


CHECKS: Final[tuple[Check, ...]] = (
    debug_build,
    allocator,
    huge_pages,
    slowing_variables,
    rounded_float32,
    denormals,
    local_changes,
)
