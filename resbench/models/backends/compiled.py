"""`torch.compile`: the network as one graph, fused and compiled by Inductor; frozen weights are folded in and repacked."""

import contextlib
import importlib
import time
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor, nn

from resbench.errors import ResbenchError
from resbench.models.backends.description import Backend, BackendOptions, Prepared
from resbench.models.backends.eager import forward_of, place_images, place_module, settings_of
from resbench.models.quiet import quiet


def _prepare(module: nn.Module, images_BCHW: Tensor, options: BackendOptions, *, freezing: bool) -> Prepared:
    placed = place_module(module, options)
    images_BCHW = place_images(images_BCHW, options)
    # Without it, a class that was compiled in this process before is compiled as it was then: freezing is ignored.
    torch._dynamo.reset()  # noqa: SLF001 - the documented way; torch.compiler.reset() is the same, and newer
    counters = importlib.import_module("torch._dynamo.utils").counters
    counters.clear()
    call = forward_of(torch.compile(placed, dynamic=False), options)
    begin = time.perf_counter()
    inductor = importlib.import_module("torch._inductor.config")
    with _clear_errors(options), quiet(), inductor.patch(freezing=freezing):
        _run(call, images_BCHW, placed, options)
        seconds = time.perf_counter() - begin
    _dismiss_compilers()
    breaks = sum(counters["graph_break"].values())
    cached = counters["inductor"]["fxgraph_cache_hit"] > 0
    return Prepared(
        call=call,
        place=partial(place_images, options=options),
        compile_s=seconds,
        settings={
            **settings_of(options),
            "compile": f"Inductor, static shapes, freezing {'on' if freezing else 'off'}",
            "compile cache": "warm" if cached else "cold",
        },
        notes=_notes(breaks, cached=cached),
        module=placed,
    )


def _run(call: object, images_BCHW: Tensor, placed: nn.Module, options: BackendOptions) -> None:
    """Compile what will be called: the forward pass, and for training the backward pass."""
    assert callable(call)
    output = call(images_BCHW)
    if options.training:
        output.float().sum().backward()
        placed.zero_grad(set_to_none=True)
    if options.device.type == "cuda":
        torch.cuda.synchronize(options.device)


def _notes(breaks: int, *, cached: bool) -> tuple[str, ...]:
    notes = []
    if breaks:
        notes.append(f"torch.compile broke the network into pieces at {breaks} place{'s' * (breaks > 1)}.")
    if cached:
        notes.append(
            "Compiled code came from Inductor's cache on disk: compiling anew takes longer than is said."
        )
    return tuple(notes)


@contextlib.contextmanager
def _clear_errors(options: BackendOptions) -> Iterator[None]:
    """Turn a compiler that is missing, or that fails, into one line."""
    dynamo = importlib.import_module("torch._dynamo.exc")
    try:
        yield
    # Inductor's own errors are RuntimeErrors, and so is what its kernels raise in the first call.
    except (dynamo.TorchDynamoException, RuntimeError) as error:
        if _is_missing_compiler(error):
            what = "a C++ compiler" if options.device.type == "cpu" else "a C compiler and Triton"
            raise ResbenchError(
                f"backend 'compile' needs {what}: install g++, or name yours in the environment variable CXX"
            ) from error
        raise ResbenchError(f"backend 'compile' fails on this network: {_first_line(error)}") from error


def _is_missing_compiler(error: BaseException) -> bool:
    """Look for it among the causes: PyTorch wraps it, and says the name of its class in the text."""
    seen: BaseException | None = error
    while seen is not None:
        if type(seen).__name__ in {"InvalidCxxCompiler", "TritonMissing"} or "InvalidCxxCompiler" in str(
            seen
        ):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _dismiss_compilers() -> None:
    """End the processes that compiled: nothing of them shall run beside what is measured."""
    importlib.import_module("torch._inductor.async_compile").shutdown_compile_workers()


BACKEND = (
    Backend(
        name="compile",
        summary="torch.compile by Inductor, as it is",
        prepare=partial(_prepare, freezing=False),
        trains=True,
    ),
    Backend(
        name="compile-frozen",
        summary="torch.compile by Inductor with weights as constants: batch-norm folded, layouts repacked",
        prepare=partial(_prepare, freezing=True),
    ),
)
