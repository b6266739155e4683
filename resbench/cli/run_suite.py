"""Doing what `resbench run` was asked: find out what can be wrong, answer the experiments, write the report."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from resbench.architectures.naming import split_list
from resbench.cli.run_request import Request, check_asked, check_writable
from resbench.cli.run_ways import run_by_data, shown
from resbench.cli.status import status
from resbench.specs import Kind, Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resbench.execution.scaling import Amount
    from resbench.results import Result
    from resbench.specs import Arm, Suite


TESTED_AT_ONCE: Final = 32
"""Pictures in one call where weights of others are tested; no figure depends on it but by its last bits."""


def answer(request: Request) -> None:
    """Run what is missing of the suite and write the report."""
    from resbench.cli.output import print_line
    from resbench.cli.report_files import results_beside, write_files
    from resbench.execution.counting import count_arms
    from resbench.execution.finding import find_suite
    from resbench.execution.planning import check_scale
    from resbench.execution.scaling import parse_amount

    suite = find_suite(request.suite)
    arms = suite.chosen(tuple(split_list(request.models)))
    amount = parse_amount(request.scale)
    check_asked(suite, request)
    if suite.kind is not Kind.EVALUATED:
        check_scale(suite, amount.scale, sample=request.data is None)
    output = request.output or Path("reports") / f"{suite.name}.md"
    check_writable(output)
    check_writable(results_beside(output))
    counted = suite.kind is Kind.COUNTED
    if counted:
        results = count_arms(suite, arms)
    elif suite.kind is Kind.EVALUATED:
        results = _tested(request, suite, arms, amount)
    else:
        results = _measured(request, suite, arms, amount)
    write_files(
        suite,
        arms,
        results,
        # A count is whole, whatever the scale.
        scale=Scale.FULL if counted else amount.scale,
        asked=(*(("--models", request.models) if request.models else ()),),
        path=output,
        name=request.suite,
    )
    print_line(str(output))


def _measured(
    request: Request, suite: "Suite", arms: "Sequence[Arm]", amount: "Amount"
) -> "tuple[Result, ...]":
    from resbench.datasets.opening import open_data
    from resbench.datasets.progress import progress_bar
    from resbench.execution.planning import Asked, check_pictures, experiments_of
    from resbench.execution.several import recorded
    from resbench.store.store import open_store

    # What a backend can't do here is told at its arm, and the others go on.
    device, machine = _device(request, () if suite.kind is Kind.TIMED else arms)
    names = dict.fromkeys(suite.data_of(arm) for arm in arms if suite.data_of(arm))
    with progress_bar() as report:
        data = {name: open_data(name, request.data, progress=report) for name in names}
    asked = Asked(
        amount=amount,
        seeds=range(request.seed, request.seed + request.seeds),
        device=device,
        data={name: opened.identity for name, opened in data.items()},
        machine=machine,
        settings=request.settings,
        precision=request.precision,
        processes=request.processes,
    )
    experiments = experiments_of(suite, arms, asked)
    check_pictures(experiments)
    labels = ", ".join(opened.identity.label for opened in data.values())
    with open_store(request.store) as store, shown(request, experiments, labels, store) as display:
        return run_by_data(request, experiments, tuple(data.values()), store, recorded(display, store))


def _tested(
    request: Request, suite: "Suite", arms: "Sequence[Arm]", amount: "Amount"
) -> "tuple[Result, ...]":
    from resbench.datasets.progress import progress_bar
    from resbench.store.store import open_store

    device, _ = _device(request, arms)
    from resbench.execution.evaluated import run
    from resbench.execution.evaluation_plan import evaluations_of, open_tested

    with progress_bar() as report:
        data, identity = open_tested(suite, request.data, progress=report)
    asked = evaluations_of(arms, identity, amount=amount, device=device, precision=request.precision)
    with open_store(request.store) as store, shown(request, asked, identity.label, store) as progress:
        return run(
            asked,
            data,
            store,
            batch_size=TESTED_AT_ONCE,
            workers=request.engine.workers,
            progress=progress,
            note=request.note,
        )


def _device(request: Request, arms: "Sequence[Arm]") -> tuple[str, str]:
    """Return the device's full name, which can compute as every arm asks, and the machine's identity.

    Raises:
        UsageError: there is no such device, or it can't do what is asked of it.
    """
    with status() as say:
        say("loading torch")
        from resbench.environment import capture
        from resbench.models.devices import resolve_device
        from resbench.models.precision import check_precision

        device = resolve_device(request.device)
        for precision in dict.fromkeys(request.precision or arm.precision for arm in arms):
            check_precision(precision, device)
        return str(device), capture(str(device)).machine_id
