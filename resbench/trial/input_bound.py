"""Whether the pictures of a data set are prepared fast enough for a network that trains on them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import torch

from resbench.datasets.data import Data
from resbench.datasets.opening import open_data
from resbench.errors import UsageError, unknown
from resbench.metrics.latency.diagnosis import Clocks, Diagnosis, diagnose
from resbench.metrics.latency.input_rate import input_rate
from resbench.results import Measurement
from resbench.specs import Recipe
from resbench.training.feeds import Feed, open_feed
from resbench.training.limits import spread
from resbench.training.recipes import HE2015_CIFAR, VOC_ZJ2020
from resbench.training.run import parted
from resbench.trial.case import Case
from resbench.trial.findings import Finding


class Fed(NamedTuple):
    """A data set that feeds training: its name in `resbench.datasets`, and the recipe whose pictures it is made into."""

    data: str
    recipe: Recipe


FED: Final = {"voc": Fed("voc0712", VOC_ZJ2020), "cifar10": Fed("cifar10", HE2015_CIFAR)}


def check_data(asked: str, cases: Sequence[Case]) -> None:
    """Refuse, before anything is measured, data that does not feed the cases.

    Raises:
        UsageError: no such data set, no such folder, a case that does not train, or one of another picture size.
    """
    name, folder = _parsed(asked)
    crop = FED[name].recipe.pictures.crop
    for case in cases:
        if case.mode != "training":
            raise UsageError("--data is about training, whose pictures it prepares: add --mode training")
        if case.input_CHW != (3, crop, crop):
            size = "x".join(map(str, case.input_CHW))
            raise UsageError(
                f"--data {name} makes pictures of 3x{crop}x{crop}, and {case.model} is asked for {size}: use --input 3x{crop}x{crop}"
            )
    if folder is not None and not folder.is_dir():
        raise UsageError(f"--data {asked}: there is no folder '{folder}'")


def _parsed(asked: str) -> tuple[str, Path | None]:
    name, _, folder = asked.partition(":")
    if name not in FED:
        raise unknown("data of --data", name, tuple(FED))
    return name, Path(folder) if folder else None


def _silent(_doing: str) -> None:
    """Say nothing."""


def measure_input(
    asked: str, case: Case, say: Callable[[str], None] = _silent, *, seconds: float = 2.0
) -> Measurement:
    """Return the images a second at which one process makes the training views of a data set, as training does.

    It has the feed that training would have, so that a store of scaled pictures is built where training would build one;
    the time that this takes is not in the rate, and training finds the store.

    Args:
        asked: `voc:FOLDER` or `cifar10:FOLDER`; without a folder the built-in sample.
        case: whose batch, seed and threads count.
        say: is told how far the feed is.
        seconds: of preparing.

    Raises:
        UsageError: the folder holds no such data, or too little of it.
    """
    name, folder = _parsed(asked)
    data = open_data(FED[name].data, folder)
    before = torch.get_num_threads()
    torch.set_num_threads(case.threads)
    try:
        feed = _feed(data, FED[name].recipe, say)
        size = case.batch_size
        if len(feed) < 2 * size:
            raise UsageError(
                f"--data {asked}: {len(feed)} training samples are fewer than two batches of {size}"
            )
        lists = [range(first, first + size) for first in range(0, len(feed) - size + 1, size)]
        batches = feed.training_batches(lists, seed=case.seed, epoch=1)
        how = f"training views of {data.identity.label}, one process, feed {feed.kind}: {feed.note}"
        say("input")
        return input_rate((images_BCHW for images_BCHW, _ in batches), how, seconds=seconds)
    finally:
        torch.set_num_threads(before)


def _feed(data: Data, recipe: Recipe, say: Callable[[str], None]) -> Feed:
    """Return the feed of the pictures that the recipe trains on."""
    positions, _ = parted(spread(len(data.train), recipe.train_limit), recipe.validation)
    return open_feed(
        data.train,
        positions,
        recipe.pictures,
        device=torch.device("cpu"),
        identity=f"{data.identity.fingerprint}/train",  # as `resbench.training.run` has it: one store for both
        progress=lambda what, done, total: say(f"input: {what}, {done} of {total}"),
    )


def with_input(finding: Finding, rate: Measurement) -> Finding:
    """Return what is known of a case that is fed so: `input-bound` where input takes longer than the step that it feeds."""
    throughput, latency = finding.find("throughput"), finding.find("latency")
    if throughput is None or latency is None or finding.diagnosis is None:
        return finding
    device = finding.find("device_time")
    batch = finding.case.batch_size
    # Input is as timed, and so is what stands beside it: throughput may be brought to the machine's own pace.
    timed = finding.find("latency_as_timed") or latency
    taken = throughput.value * latency.value / timed.value
    clocks = Clocks(
        latency_s=timed.value,
        device_s=None if device is None else device.value,
        period_s=batch / taken,
        input_s=batch / rate.value,
    )
    by_input = diagnose(clocks)
    evidence = f"input is prepared at {rate.value:.3g} images/s ({rate.method}), the network takes {taken:.3g} images/s"
    if by_input.bound == "input-bound":
        diagnosis = Diagnosis(by_input.bound, f"{by_input.evidence}; {evidence}")
    else:
        diagnosis = Diagnosis(finding.diagnosis.bound, f"{finding.diagnosis.evidence}; {evidence}")
    return finding._replace(diagnosis=diagnosis, measurements=(*finding.measurements, rate))
