"""`resbench doctor`: what this machine is, and what makes measurements on it doubtful."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.output import Format
from resbench.cli.status import status

if TYPE_CHECKING:
    import torch

    from resbench.environment.doubts.doubt import Findings

EPILOG = """
Examples:

  resbench doctor

  resbench doctor --device cuda --strict

  resbench doctor --format json
"""

LOOK_S = 0.5
"""How long others are watched."""


def doctor(
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    output: Annotated[
        Format, typer.Option("--format", help="json has all; csv has the doubts only.")
    ] = Format.TABLE,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if there is a warning.")] = False,
) -> None:
    """Say what makes measurements on this machine doubtful, each with a remedy.

    First comes the record that is stored with every result: the machine, its software, its settings, and the state that
    it is in. A warning means that figures measured now may be wrong or not last; a note, that something can't be
    measured here, or is worth knowing when one compares with others. The exit code is 0, whatever is found, but for --strict.
    """
    with status() as say:
        say("loading torch")
        from resbench.cli.doctor_views import print_doubts
        from resbench.environment.doubts.all_checks import doubts
        from resbench.environment.doubts.doubt import Weight
        from resbench.models.devices import resolve_device

        say("looking")
        found = look(resolve_device(device))
    reasons = doubts(found)
    print_doubts(found, reasons, output)
    if strict and any(reason.weight is Weight.WARNING for reason in reasons):
        raise typer.Exit(1)


def look(device: "torch.device") -> "Findings":
    """Read everything that the checks need; nothing but the watching of others takes long."""
    from resbench.environment.doubts.doubt import Findings
    from resbench.environment.host import read_host
    from resbench.environment.process import read_process
    from resbench.environment.recording import record, state_of_gpu
    from resbench.trial.noise import find_floor, noise_folder

    foreign_cores = _foreign_cores()
    host, gpu = read_host(), state_of_gpu(device)
    environment, process = record(device, host, gpu, settings={}, model={}), read_process(foreign_cores)
    floor = find_floor(noise_folder(), environment.machine_id, str(device), process.threads)
    return Findings(
        environment=environment, host=host, process=process, gpu=gpu, noise_known=floor is not None
    )


def _foreign_cores() -> float | None:
    """Watch for a moment how many cores other programs keep busy."""
    from resbench.environment.cpu import usable_cores
    from resbench.metrics.latency.disturbance import read, surroundings

    cores = usable_cores()
    before, spent = read(cores), time.process_time()
    time.sleep(LOOK_S)
    return surroundings(before, read(cores), time.process_time() - spent).foreign_cores
