"""How trainings are run, as the options of `resbench train` and `resbench run` say it; from these to an engine, checked."""

from typing import Annotated, Any, get_args, get_type_hints

import typer

from resbench.errors import unknown
from resbench.specs import Engine

MemoryFormat = Annotated[
    str, typer.Option(help="contiguous or channels_last; auto: channels_last on a CPU, where it is faster.")
]
Compiled = Annotated[bool, typer.Option("--compile", help="Train through torch.compile.")]
Fused = Annotated[bool, typer.Option("--fused/--no-fused", help="One kernel updates all parameters.")]
CudaGraph = Annotated[
    bool, typer.Option("--cuda-graph", help="Record a whole step on the GPU once, and replay it.")
]
FeedKind = Annotated[str, typer.Option(help="How pictures come: auto, resident, store or loader.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Of PyTorch. [default: its own number]")]
Allocator = Annotated[
    str, typer.Option(help="What freed memory of the CPU does: system (goes back) or keep (stays).")
]
Workers = Annotated[
    int, typer.Option(min=0, help="Processes that prepare pictures; the results do not depend on them.")
]


def engine_of(**settings: Any) -> Engine:
    """Return an engine with these settings.

    Raises:
        UsageError: a setting is none of those there are; the message names the nearest.
    """
    hints = get_type_hints(Engine)
    for name in ("memory_format", "feed", "allocator"):
        if settings[name] not in get_args(hints[name]):
            raise unknown(name.replace("_", " "), settings[name], get_args(hints[name]))
    return Engine(**settings)
