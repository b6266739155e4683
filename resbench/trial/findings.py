"""From the raw record to figures: medians with intervals over processes, ratios of arms, what sets the pace."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from resbench.metrics.latency.diagnosis import Clocks, Diagnosis, Roof, diagnose
from resbench.metrics.latency.intervals import (
    Estimate,
    Percentile,
    median_over_processes,
    percentiles,
    ratio_over_processes,
)
from resbench.results import Measurement, Statistic, Unit
from resbench.trial.case import Case
from resbench.trial.records import Arm, Failure, Record

_PACE_VARIES = 0.05
"""A pace that varies by more, from its first to its last decile, is worth a sentence."""
_TICK_S = 1e-9
"""A duration of nothing is shorter than the clock tells."""
Processes = Sequence[Sequence[float]]


class Finding(NamedTuple):
    """What is known of one case.

    Attributes:
        measurements: latency, throughput, device time, cold start, parts of a step; none after a failure.
        percentiles: of latency as timed, those that the samples support.
        speed: how many times as fast as the first case, per image; None for the first and where rounds are missing.
        criterion: of the quality gate: what was not met; empty where all was.
        disturbed: share of the rounds beside which something else ran.
        notes: what a reader must know, a sentence each.
    """

    case: Case
    measurements: tuple[Measurement, ...]
    percentiles: tuple[Percentile, ...]
    speed: Estimate | None
    diagnosis: Diagnosis | None
    failure: Failure | None
    criterion: str
    disturbed: float
    notes: tuple[str, ...]

    def find(self, metric: str) -> Measurement | None:
        """Return the measurement of `metric`, or None."""
        return next((found for found in self.measurements if found.metric == metric), None)


def findings(record: Record, roofs: Sequence[Roof | None] = ()) -> tuple[Finding, ...]:
    """Return what a record says of each of its arms, in their order.

    Args:
        record: raw.
        roofs: for each arm, how fast the device could be, where that was measured.
    """
    found = []
    for place, arm in enumerate(record.arms):
        roof = roofs[place] if place < len(roofs) else None
        found.append(
            Finding(
                case=arm.case,
                measurements=tuple(measurements(arm)),
                percentiles=tuple(percentiles(arm.as_timed())) if arm.rounds else (),
                speed=speed(record.arms[0], arm) if place else None,
                diagnosis=_diagnosis(arm, roof),
                failure=arm.failure,
                criterion=record.criterion.get(place, ""),
                disturbed=float(np.mean([each.disturbed for each in arm.rounds])) if arm.rounds else 0.0,
                notes=tuple(_notes(arm)),
            )
        )
    return tuple(found)


def measurements(arm: Arm) -> list[Measurement]:
    """Return the figures of one arm; empty where it has none."""
    if not arm.rounds:
        return []
    at_pace = f", at this machine's pace ({1e3 * arm.pace_s:.3g} ms of reference work)" if arm.paced else ""
    found = [_measurement("latency", arm.latencies(), Unit.SECOND, f"one synchronised call{at_pace}")]
    if arm.paced:
        timed = "one synchronised call, as timed"
        found.append(_measurement("latency_as_timed", arm.as_timed(), Unit.SECOND, timed))
    if rates := arm.rates():
        back_to_back = f"rounds of calls back to back{at_pace}"
        found.append(_measurement("throughput", rates, Unit.PER_SECOND, back_to_back))
    if arm.device:
        found.append(_measurement("device_time", arm.device, Unit.SECOND, arm.device_method))
    for part in ("forward", "backward", "optimizer"):
        if arm.parts:
            samples = [[step[part] for step in each] for each in arm.parts]
            found.append(_measurement(f"step_{part}", samples, Unit.SECOND, "synchronised after each part"))
    for part in ("load", "prepare", "compile", "first_call"):
        # Code that an earlier process left in the cache says nothing of what compiling takes.
        built = [
            cold for cold in arm.cold if not (cold.get("compile_cached") and part in ("prepare", "compile"))
        ]
        samples = [[cold[f"{part}_s"]] for cold in built]
        if any(seconds for (seconds,) in samples):  # eager compiles nothing
            found.append(_measurement(f"cold_{part}", samples, Unit.SECOND, "once in each fresh process"))
    return found


def speed(first: Arm, other: Arm) -> Estimate | None:
    """Return how many times as fast as the first arm another is, per image, from rounds that lay side by side.

    None where none did: one of the two failed, or did not fit beside the others and was measured without them.
    """
    if first.alone or other.alone:
        return None
    pairs = []
    for process in sorted({found.process for found in other.rounds}):
        theirs = _medians(other, process)
        ours = _medians(first, process)
        common = sorted(ours.keys() & theirs.keys())
        if common:
            pairs.append(([ours[number] for number in common], [theirs[number] for number in common]))
    if not pairs:
        return None
    images = other.case.batch_size / first.case.batch_size
    return Estimate(*(images * end for end in ratio_over_processes(pairs)))


def _medians(arm: Arm, process: int) -> dict[int, float]:
    return {
        found.number: float(np.median(found.samples_s)) for found in arm.rounds if found.process == process
    }


def _measurement(metric: str, processes: Processes, unit: Unit, what: str) -> Measurement:
    processes = [[max(_TICK_S, sample) for sample in samples] for samples in processes]
    estimate = median_over_processes(processes)
    number = len(processes)
    one = all(len(samples) == 1 for samples in processes)
    known = not (one and number == 1)
    return Measurement(
        metric=metric,
        value=estimate.value,
        unit=unit,
        statistic=Statistic.MEDIAN if known else Statistic.SINGLE,
        n=sum(map(len, processes)),
        low=max(0.0, estimate.low) if known else None,
        high=estimate.high if known else None,
        method=f"{what}; {number} fresh process{'es' if number > 1 else ''}",
        samples=tuple(float(sample) for samples in processes for sample in samples),
    )


def _diagnosis(arm: Arm, roof: Roof | None) -> Diagnosis | None:
    figures = {found.metric: found.value for found in measurements(arm)}
    if "latency" not in figures or "throughput" not in figures:
        return None
    clocks = Clocks(
        # The device's time is as timed, so that what stands beside it has to be.
        latency_s=figures.get("latency_as_timed", figures["latency"]),
        device_s=figures.get("device_time"),
        period_s=median_over_processes(arm.periods_as_timed()).value,
    )
    return diagnose(clocks, roof)


def _notes(arm: Arm) -> list[str]:
    notes = [*arm.opened.get("notes", ()), *_pace_notes(arm)]
    agreement = arm.opened.get("agreement")
    if agreement:
        notes.append(agreement["sentence"])
    unsteady = sum(not warmth["steady"] for warmth in arm.warm)
    if unsteady:
        limit = max(warmth["seconds"] for warmth in arm.warm)
        notes.append(
            f"{unsteady} of {len(arm.warm)} processes were not steady when the warm-up of {limit:.1f} s ended."
        )
    if arm.alone:
        notes.append("It did not fit beside the other cases and was measured without them: it has no ratio.")
    if arm.failure is not None and arm.rounds:
        notes.append(f"It failed on the way; the figures are from before: {arm.failure.message}.")
    return notes


def _pace_notes(arm: Arm) -> list[str]:
    """Say how the machine's pace stood to its own, or, where that is not known, how much it varied."""
    paces = [found.pace_s for found in arm.rounds if found.pace_s]
    if not paces:
        return []
    if arm.paced:
        slower = float(np.median(paces)) / arm.pace_s - 1
        how = f"{abs(100 * slower):.0f} % {'slower' if slower > 0 else 'faster'} than"
        words = "at" if round(abs(100 * slower)) == 0 else how
        brought = "Latency and throughput are brought to this machine's own pace"
        return [f"{brought}; meanwhile it ran {words} that. Percentiles are as timed."]
    low, high = np.quantile(paces, (0.1, 0.9))
    if high / low - 1 < _PACE_VARIES:
        return []
    varied = f"The machine's pace varied by {100 * (high / low - 1):.0f} % meanwhile"
    return [f"{varied}: `resbench noise` measures its own pace once, and later figures are brought to it."]
