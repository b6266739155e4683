"""How an evaluation is shown: figures with intervals and n, and under them all that decides them."""

from collections.abc import Sequence
from typing import NamedTuple

from resbench.cli.evaluate_protocol import Chosen
from resbench.cli.output import Format, Record, print_json, print_line, print_records
from resbench.datasets.labelled import Labelled
from resbench.execution.evaluation_findings import Findings
from resbench.results import Environment, Measurement, plain
from resbench.training.protocols import in_words
from resbench.trial.evaluating import Answers
from resbench.units import thousands, with_interval

NAMES = {
    "top1": "top-1 accuracy, %",
    "top5": "top-5 accuracy, %",
    "mean_class_accuracy": "mean per-class accuracy, %",
    "loss": "cross entropy",
}


class Evaluated(NamedTuple):
    """Everything that is shown."""

    answers: Answers
    data: Labelled
    chosen: Chosen
    findings: Findings
    environment: Environment

    @property
    def is_reduced(self) -> bool:
        """Whether only a part of the samples was tested."""
        return len(self.answers.positions) < len(self.data)


def show(found: Evaluated, output: Format, *, per_class: bool) -> None:
    """Print an evaluation on standard output."""
    if output is Format.JSON:
        print_json(as_json(found))
        return
    if output is Format.CSV:
        print_records(list(_base_records(found)), output)
        return
    title = title_of(found)
    if output is Format.MARKDOWN:
        print_line(f"**{title}**\n")
    print_records([_record(one) for one in found.findings.overall], output, title=title)
    if per_class:
        print_line("")
        print_records(
            [_class_record(name, one) for name, one in found.findings.by_class.items()],
            output,
            title="Each class",
        )
    bullet = "* " if output is Format.MARKDOWN else ""
    print_line("\n" + "\n".join(f"{bullet}{line}" for line in _lines(found)))


def as_json(found: Evaluated) -> dict[str, object]:
    """Return all that was found, in base units, under keys that stay."""
    answers, data = found.answers, found.data
    return {
        "model": answers.model,
        "weights": answers.weights,
        "data": {
            "kind": data.kind,
            "label": data.label,
            "fingerprint": data.fingerprint,
            "samples": len(data),
            "classes": list(data.classes),
        },
        "reduced": found.is_reduced,
        "samples": len(answers.positions),
        "pictures": found.findings.pictures,
        "protocol": {
            **plain(found.chosen.protocol),
            "source": found.chosen.source,
            "words": in_words(found.chosen.protocol),
        },
        "settings": answers.settings,
        "measurements": [_without_samples(one) for one in found.findings.overall],
        "classes": {name: _without_samples(one) for name, one in found.findings.by_class.items()},
        "confusion": found.findings.confusion_KK,
        "notes": list(answers.notes),
        "environment": plain(found.environment),
    }


def _without_samples(measurement: Measurement) -> dict[str, object]:
    return {name: value for name, value in plain(measurement).items() if name != "samples"}


def title_of(found: Evaluated) -> str:
    """Return what was tested on how many samples; a part of them is called reduced."""
    tested, total = len(found.answers.positions), len(found.data)
    samples = f"reduced to {tested:,} of {total:,} samples" if found.is_reduced else f"{total:,} samples"
    return f"{found.answers.model} on {found.data.label}: {samples}"


def _record(one: Measurement) -> Record:
    scale = 1 if one.metric == "loss" else 100
    return {
        "figure": NAMES[one.metric],
        "value": _with_interval(one, scale),
        "n": one.n,
        "interval": one.method,
    }


def _class_record(name: str, one: Measurement) -> Record:
    return {"class": name, "accuracy, %": _with_interval(one, 100), "n": one.n, "interval": one.method}


def _with_interval(one: Measurement, scale: float) -> str:
    low, high = (None if end is None else scale * end for end in (one.low, one.high))
    return with_interval(scale * one.value, low, high)


def _base_records(found: Evaluated) -> Sequence[Record]:
    rows = [("", one) for one in found.findings.overall] + list(found.findings.by_class.items())
    return [
        {
            "model": found.answers.model,
            "data": found.data.label,
            "metric": one.metric,
            "class": name,
            "value": one.value,
            "low": one.low,
            "high": one.high,
            "n": one.n,
            "interval": one.method,
            "reduced": found.is_reduced,
        }
        for name, one in rows
    ]


def _lines(found: Evaluated) -> Sequence[str]:
    settings = ", ".join(f"{name} {value}" for name, value in found.answers.settings.items())
    classes = len(found.data.classes) - len(found.findings.by_class)
    lines = [
        f"weights: {found.answers.weights}",
        f"test: {in_words(found.chosen.protocol)} ({found.chosen.source})",
        f"run: {settings}",
        *found.answers.notes,
    ]
    if found.findings.pictures < len(found.answers.positions):
        lines.append(
            f"The samples are from {thousands(found.findings.pictures)} pictures; those of one picture count as one draw."
        )
    if classes:
        lines.append(
            f"{classes} of {len(found.data.classes)} classes have no sample here and are in no mean."
        )
    return lines
