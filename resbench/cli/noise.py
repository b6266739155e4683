"""`resbench noise`: what differences this machine shows where there are none."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.output import Format, print_json, print_line, print_records
from resbench.cli.quiet_status import quiet_status

if TYPE_CHECKING:
    from resbench.trial.noise import Floor
    from resbench.trial.records import Record

EPILOG = """
Examples:

  resbench noise

  resbench noise --threads 1

  resbench noise --device cuda --format json
"""


def noise(
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    threads: Annotated[
        int | None, typer.Option(min=1, help="Of each measuring process. [default: PyTorch's own number]")
    ] = None,
    model: Annotated[str, typer.Option(help="The network that is measured against itself.")] = "resnet18",
    processes: Annotated[int, typer.Option(min=2, help="Fresh processes of each arm.")] = 7,
    time_budget: Annotated[float, typer.Option(min=0.1, help="Seconds of sampling of each arm.")] = 20.0,
    output: Annotated[Format, typer.Option("--format", help="csv and json have base units.")] = Format.TABLE,
) -> None:
    """Measure what differences this machine shows where there are none.

    One network runs against itself (A/A), each arm in fresh processes, rounds interleaved in random order. The farther end
    of the ratio's 95 % interval is this machine's noise floor. It is kept in the user's cache under the machine's
    identity, and 'resbench profile' calls no smaller ratio a difference. On a CPU the machine's pace is kept, too: how long
    a fixed piece of work takes. Later latencies are brought to it, so that a slow minute of a shared machine does not make
    a network slow. Nothing else should run meanwhile.
    """
    with quiet_status() as say:
        say("loading torch")
        from dataclasses import replace

        import torch

        from resbench.environment import capture
        from resbench.errors import ResbenchError
        from resbench.models.devices import resolve_device
        from resbench.models.layering import layered
        from resbench.trial.case import Case
        from resbench.trial.noise import floor_of, keep_floor, noise_folder
        from resbench.trial.plan import STANDARD
        from resbench.trial.side_by_side import measure_side_by_side

        resolved = str(resolve_device(device))
        case = Case(
            model=model,
            device=resolved,
            threads=torch.get_num_threads() if threads is None else threads,
            input_CHW=layered(model).input_CHW,
        )
        # No precision ends it early: the floor is that of a measurement which uses its time.
        stop = replace(STANDARD.stop, budget_s=time_budget, precision=0.0)
        plan = replace(STANDARD, processes=processes, stop=stop, throughput_rounds=0, device_calls=0)
        record = measure_side_by_side((case, case), plan, say)
        failure = next((arm.failure for arm in record.arms if arm.failure is not None), None)
        if failure is not None:
            raise ResbenchError(f"the noise floor was not measured: {failure.message}")
        if any(arm.alone for arm in record.arms):
            raise ResbenchError(
                f"the noise floor was not measured: memory does not hold two processes of {model} side by side; choose a smaller "
                "--model"
            )
        now = datetime.now(UTC).isoformat(timespec="seconds")
        floor = floor_of(record, now, str(torch.__version__))
        file = keep_floor(noise_folder(), capture(resolved).machine_id, floor)
    _show(floor, record, str(file), output)


def _show(floor: "Floor", record: "Record", file: str, output: Format) -> None:
    from dataclasses import asdict

    from resbench.units import percent

    if output is Format.JSON:
        print_json({**asdict(floor), "file": file, "sampling_seconds": record.sampling_s})
        return
    if output is Format.CSV:
        print_records([asdict(floor)], output)
        return
    threads = f"{floor.threads} thread{'s' * (floor.threads > 1)}"
    title = f"noise of {floor.device}, {threads}: {floor.model}, batch 1, against itself"
    rows = [
        {
            "figure": "noise floor",
            "value": f"+-{percent(floor.floor)}",
            "how": "the farther end of the interval below: no smaller ratio is called a difference",
        },
        {
            "figure": "ratio of A to A",
            "value": f"{floor.ratio:.4f} [{floor.low:.4f}, {floor.high:.4f}]",
            "how": f"95 % interval; {floor.processes} fresh processes of each, rounds interleaved in random order",
        },
        {
            "figure": "between processes",
            "value": percent(floor.between_processes),
            "how": "standard deviation of a process's median latency",
        },
        *_pace_row(floor),
        {
            "figure": "disturbed blocks",
            "value": percent(floor.disturbed, 0),
            "how": f"of {len(record.surroundings)}, other programs or heat; {record.again} were measured again",
        },
    ]
    if output is Format.MARKDOWN:
        print_line(f"**{title}**\n")
    print_records(rows, output, title=title)
    print_line(f"\nKept in {file}.")


def _pace_row(floor: "Floor") -> list[dict[str, str]]:
    if not floor.pace_s:
        return []
    how = "median time of the reference work between the rounds: later latencies are brought to it"
    return [{"figure": "pace", "value": f"{1e3 * floor.pace_s:.3f} ms", "how": how}]
