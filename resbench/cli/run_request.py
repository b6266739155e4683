"""What `resbench run` was asked for, and what of it can't be."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from resbench.errors import UsageError
from resbench.specs import Engine, Kind, Precision

if TYPE_CHECKING:
    from resbench.specs import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asked for, as it was given.

    Attributes:
        precision: None: each arm's own.
        engine: how trainings are run.
        together: how many of them at once.
        processes: over which each batch of every arm is split; None: each arm's own number.
    """

    suite: str
    scale: str
    data: Path | None
    device: str
    seed: int
    seeds: int
    models: str
    store: str
    output: Path | None
    note: str
    settings: tuple[str, ...]
    precision: Precision | None
    engine: Engine
    together: int
    processes: int | None


def check_asked(suite: "Suite", request: Request) -> None:
    """Refuse options of training for a suite that does not train.

    Raises:
        UsageError: they were given.
    """
    from resbench.execution.planning import check_one_for_all

    given: dict[str, object] = {
        "--set": request.settings,
        "--precision": request.precision and suite.kind is not Kind.EVALUATED,
        "--processes": request.processes,
        "--together": request.together > 1,
        "--seeds": request.seeds > 1,
        **_engine_given(request.engine),
    }
    if suite.kind is Kind.EVALUATED:
        del given["--workers"]  # they prepare the pictures that are tested, too
    if suite.kind is not Kind.TRAINED:
        for option in (option for option, value in given.items() if value):
            raise UsageError(f"{suite.name} trains nothing: leave out {option}")
    if request.together > 1 and (request.processes or 1) > 1:
        raise UsageError("--together and --processes both share out the cores: give one of them")
    check_one_for_all(suite, precision=request.precision, processes=request.processes)


def _engine_given(engine: Engine) -> dict[str, bool]:
    """Return, of each option that says how trainings are run, whether it asks for anything but the default."""
    usual = Engine()
    return {
        "--memory-format": engine.memory_format != usual.memory_format,
        "--compile": engine.compile,
        "--no-fused": not engine.fused,
        "--cuda-graph": engine.cuda_graph,
        "--feed": engine.feed != usual.feed,
        "--threads": engine.threads is not None,
        "--allocator": engine.allocator != usual.allocator,
        "--workers": engine.workers > 0,
    }


def check_writable(path: Path) -> None:
    """Find out before hours of training, not after, that a report could not be written.

    Raises:
        UsageError: it could not.
    """
    if path.is_dir():
        raise UsageError(
            f"cannot write the report to {path}: it is a folder; give a file name such as {path}/report.md"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot write the report to {path}: {error.strerror}; choose another --output"
        ) from error
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"cannot write the report to {path}: permission denied; choose another --output")
