"""Tests of weights that others trained: each question once, each answer a stored result."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic

from resbench.datasets.labelled import Labelled
from resbench.environment import capture
from resbench.errors import Stopped
from resbench.execution.evaluation_findings import Findings, findings
from resbench.execution.evaluation_plan import protocol_of
from resbench.execution.progress import Progress
from resbench.models.devices import resolve_device
from resbench.results import Measurement, Result, plain
from resbench.specs import Experiment
from resbench.store.store import Store
from resbench.trial.evaluating import Answers, evaluate
from resbench.trial.weighted import Evaluation


def run(
    experiments: Sequence[Experiment],
    data: Labelled,
    store: Store,
    *,
    batch_size: int,
    workers: int,
    progress: Progress,
    note: str = "",
) -> tuple[Result, ...]:
    """Answer every test that the store does not know, and return the results in their order.

    Raises:
        Stopped: the progress asked for it; what was finished is stored.
        UsageError: weights are not to be had, or don't fit the network or the classes.
        ResbenchError: a picture can't be read.
    """
    results = []
    for position, experiment in enumerate(experiments, start=1):
        known = store.get(experiment.key)
        if known is not None:
            progress.reuse(known, position, len(experiments))
        elif progress.stopping():
            raise Stopped(f"stopped before {experiment.model}")
        else:
            progress.begin(experiment, position, len(experiments))
        result = _noted(known or _tested(experiment, data, batch_size, workers, progress), note)
        if result != known:
            store.save(result)
        if known is None:
            progress.finish(result, position, len(experiments))
        results.append(result)
    return tuple(results)


def _noted(result: Result, note: str) -> Result:
    return replace(result, notes=(*result.notes, note)) if note and note not in result.notes else result


def _tested(
    experiment: Experiment, data: Labelled, batch_size: int, workers: int, progress: Progress
) -> Result:
    evaluating = experiment.evaluation
    if evaluating is None:
        raise ValueError("only a test can be tested")
    started, began = datetime.now(UTC).isoformat(timespec="seconds"), monotonic()

    def report(doing: str, done: int, total: int) -> None:
        progress.status(f"{doing} {done:,}/{total:,}")
        if progress.stopping():
            raise Stopped(f"stopped while {doing} {experiment.model}")

    asked = Evaluation(
        model=experiment.model,
        weights=evaluating.weights,
        protocol=protocol_of(evaluating),
        device=experiment.device,
        precision=experiment.precision,
        batch_size=batch_size,
        limit=evaluating.limit,
        workers=workers,
    )
    environment = capture(str(resolve_device(experiment.device)), {"workers": str(workers)})
    answers = evaluate(asked, data, progress=report)
    return Result(
        key=experiment.key,
        experiment=plain(experiment),
        measurements=measurements(findings(answers, data)),
        environment=replace(environment, settings={**environment.settings, **answers.settings}),
        started=started,
        seconds=monotonic() - began,
        notes=_notes(answers),
    )


def _notes(answers: Answers) -> tuple[str, ...]:
    return (f"Weights of {answers.model}: {answers.weights}.", *answers.notes)


def measurements(found: Findings) -> tuple[Measurement, ...]:
    """Return what is stored of a test: accuracies under the names of the published ones, mean over classes, loss."""
    names = {"top1": "top1_accuracy", "top5": "top5_accuracy"}
    return tuple(replace(one, metric=names.get(one.metric, one.metric)) for one in found.overall)
