"""What `resbench profile --energy` says: joules an image, or why they can't be told here."""

import time

import torch

from resbench.cli.memory_views import energy_as_json, show_energy
from resbench.cli.output import Format, print_line
from resbench.cli.sections import Say, Section
from resbench.environment.recording import state_of_gpu
from resbench.metrics.energy.counters import Counter, EnergyRefused, check_gpu
from resbench.metrics.energy.per_image import Energy, energy_per_image
from resbench.metrics.energy.windows import Time
from resbench.metrics.latency.steady import SteadyRule, warm_up
from resbench.trial.case import Case
from resbench.trial.energy_counter import open_counter
from resbench.trial.live import Live, live

_WARM_UP_S = 5.0


def energy_section(case: Case, say: Say) -> Section:
    """Return the joules an image, or why they can't be told here."""
    say("energy")
    try:
        found = _measured(case)
    except EnergyRefused as error:
        reason = str(error)
        return Section(
            lambda _output: print_line(f"\nNo {reason}."), {"energy": None, "energy_refused": reason}
        )

    def show(output: Format) -> None:
        print_line("")
        show_energy(found, output, f"energy of {case.label}")

    return Section(show, {"energy": energy_as_json(found), "energy_refused": None}, found.measurements)


def _measured(case: Case) -> Energy:
    """Measure in this process, with the threads of the case.

    Raises:
        EnergyRefused: no counter can be believed, before or, where somebody came, afterwards.
    """
    device = torch.device(case.device)
    counter = open_counter(device)
    threads = torch.get_num_threads()
    torch.set_num_threads(case.threads)
    try:
        with live(case) as opened:
            found = _of(opened, counter)
    finally:
        torch.set_num_threads(threads)
    if device.type == "cuda":
        check_gpu(state_of_gpu(device) or "it is no GPU")
    return found


def _of(opened: Live, counter: Counter) -> Energy:
    warm_up(opened.call, opened.stopwatch, SteadyRule(limit_s=_WARM_UP_S))

    def work() -> None:
        opened.call()
        opened.stopwatch.synchronise()

    clocks = Time(clock=time.perf_counter, sleep=time.sleep)
    return energy_per_image(counter, work, opened.case.batch_size, clocks)
