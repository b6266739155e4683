"""From the options of `resbench plan` to a plan: everything that can be wrong found out first, then measured."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from resbench.architectures.naming import split_list
from resbench.cli.output import Format
from resbench.errors import UsageError
from resbench.specs import Engine, Kind, Precision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resbench.cli.plan_answer import Answer
    from resbench.datasets.data import Data
    from resbench.execution.scaling import Amount
    from resbench.execution.suite_plan import Questions, SuitePlan
    from resbench.metrics.energy.counters import Counter
    from resbench.specs import Arm, Suite
    from resbench.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asked for, as it was given."""

    suite: str
    settings: tuple[str, ...]
    scale: str
    data: Path | None
    device: str
    seed: int
    seeds: int
    models: str
    store: str
    budget_s: float | None
    measure_s: float
    by_ledger: bool
    compare: bool
    precision: Precision | None
    engine: Engine


def answer(request: Request, output: Format) -> None:
    """Plan, keep what was predicted, and print."""
    from resbench.cli.output import print_line
    from resbench.cli.plan_views import print_plan
    from resbench.execution.finding import find_suite
    from resbench.execution.planning import check_one_for_all, check_predictable, check_scale
    from resbench.execution.scaling import parse_amount
    from resbench.store.store import open_store

    began = time.perf_counter()
    suite = find_suite(request.suite)
    arms = suite.chosen(tuple(split_list(request.models)))
    amount = parse_amount(request.scale)
    check_scale(suite, amount.scale, sample=request.data is None)
    check_predictable(suite, arms)
    check_one_for_all(suite, precision=request.precision, processes=None)
    if request.settings and suite.kind is not Kind.TRAINED:
        raise UsageError(f"{suite.name} trains nothing: leave out --set")
    if suite.kind is Kind.COUNTED:
        print_line(f"{suite.name} only counts: it takes a second, and there is nothing to plan")
        return
    # A typing mistake in the store's name is told before anything is measured.
    with open_store(request.store, create=not request.compare) as store:
        print_plan(_answer(request, suite, arms, amount, store, began), output)


class _Asked(NamedTuple):
    """What is planned, and on what."""

    questions: "Questions"
    data: "tuple[Data, ...]"
    device: str
    machine: str


def _answer(
    request: Request, suite: "Suite", arms: "Sequence[Arm]", amount: "Amount", store: "Store", began: float
) -> "Answer":
    from resbench.cli.plan_answer import Answer
    from resbench.execution.predictions import compared, uncompared

    asked = _asked(request, suite, arms, amount)
    before = store.forecasts.all()
    pairs = compared(asked.questions, before, store.get)
    left_out = uncompared(asked.questions, before, store.get)
    found, energy = (None, "") if request.compare else _planned(request, asked, store, began)
    return Answer(
        suite=suite,
        arms=tuple(arms),
        questions=asked.questions,
        known={one.key: result for _, one in asked.questions if (result := store.get(one.key))},
        amount=str(amount),
        labels=tuple(opened.identity.label for opened in asked.data),
        device=asked.device,
        budget_s=request.budget_s,
        measure_s=request.measure_s,
        plan=found,
        energy=energy,
        compared=pairs,
        uncompared=left_out,
        store=request.store,
    )


def _asked(request: Request, suite: "Suite", arms: "Sequence[Arm]", amount: "Amount") -> _Asked:
    from resbench.execution.planning import Asked, check_pictures
    from resbench.execution.suite_plan import questions_of

    device, machine = _machine(request.device, request.precision, request.engine)
    data = _open(suite, arms, request.data)
    asked = Asked(
        amount=amount,
        seeds=range(request.seed, request.seed + request.seeds),
        device=device,
        data={name: opened.identity for name, opened in data.items()},
        machine=machine,
        settings=request.settings,
        precision=request.precision,
    )
    questions = questions_of(suite, arms, asked)
    check_pictures([one for _, one in questions])
    return _Asked(questions, tuple(data.values()), device, machine)


def _planned(request: Request, asked: _Asked, store: "Store", began: float) -> "tuple[SuitePlan, str]":
    """Return the plan, whose predictions are kept, and why no energy was measured."""
    from resbench.datasets.progress import progress_bar
    from resbench.execution.predictions import predictions
    from resbench.execution.suite_plan import Place, plan_suite

    counter, energy = _counter(asked.device)
    place = Place(
        data={opened.identity.fingerprint: opened for opened in asked.data},
        engine=request.engine,
        store=store,
        seconds=request.measure_s,
        start_s=time.perf_counter() - began,
        floor=_floor(asked.machine, asked.device, request.engine),
        counter=counter,
        by_ledger=request.by_ledger,
    )
    with progress_bar() as report:
        found = plan_suite(asked.questions, place, report)
    # A run of the suite may have finished meanwhile: what was predicted before it stays.
    made = predictions(found, asked.machine)
    store.forecasts.keep([one for one in made if store.get(one.key) is None])
    return found, energy or found.refused.removeprefix("energy: ")


def _machine(name: str, precision: Precision | None, engine: Engine) -> tuple[str, str]:
    """Return the device's full name and the machine's identity; memory is kept from now on as the engine says.

    Raises:
        UsageError: there is no such device, or it can't do what is asked of it.
    """
    from resbench.cli.status import status

    with status() as say:
        say("loading torch")
        from resbench.environment import capture
        from resbench.models.allocator import set_allocator
        from resbench.models.devices import resolve_device
        from resbench.models.precision import check_precision

        device = resolve_device(name)
        if precision is not None:
            check_precision(precision, device)
        set_allocator(engine.allocator)
        return str(device), capture(str(device)).machine_id


def _open(suite: "Suite", arms: "Sequence[Arm]", root: Path | None) -> "dict[str, Data]":
    from resbench.datasets.opening import open_data
    from resbench.datasets.progress import progress_bar

    names = dict.fromkeys(suite.data_of(arm) for arm in arms if suite.data_of(arm))
    with progress_bar() as report:
        return {name: open_data(name, root, progress=report) for name in names}


def _counter(device: str) -> "tuple[Counter | None, str]":
    """Return the counter of joules, or why there is none."""
    import torch

    from resbench.metrics.energy.counters import EnergyRefused
    from resbench.trial.energy_counter import open_counter

    try:
        return open_counter(torch.device(device)), ""
    except EnergyRefused as refused:
        return None, str(refused).removeprefix("energy: ")


def _floor(machine: str, device: str, engine: Engine) -> float:
    """Return the machine's noise floor with so many threads, as a share; 0 where it was not measured."""
    import torch

    from resbench.trial.noise import find_floor, noise_folder

    floor = find_floor(noise_folder(), machine, device, engine.threads or torch.get_num_threads())
    return 0.0 if floor is None else floor.floor
