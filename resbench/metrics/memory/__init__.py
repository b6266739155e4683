"""The memory that a network takes: predicted from its layers, and measured in a fresh process or by CUDA's allocator."""

from resbench.metrics.memory.peaks import peak_on_cpu, peak_on_cuda

__all__ = ["peak_on_cpu", "peak_on_cuda"]
