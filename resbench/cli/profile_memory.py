"""What `resbench profile` says of memory: predicted beside measured, and the batch that fits."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import psutil
import torch

from resbench.architectures.layers import Layer
from resbench.cli.asked_cases import parse_size
from resbench.cli.memory_views import memory_as_json, show_fit, show_memory
from resbench.cli.output import Format, print_line
from resbench.cli.sections import Say, Section
from resbench.errors import ResbenchError, UsageError
from resbench.metrics.batch_search import largest_batch
from resbench.metrics.memory.asking import DoesNotFit, Measured, measure
from resbench.metrics.memory.fitting import Fit, predict_fit, verify_fit
from resbench.metrics.memory.prediction import Prediction, predict_inference, predict_training
from resbench.metrics.memory.workload import Workload
from resbench.models.layering import layered
from resbench.results import Measurement
from resbench.trial.case import Case

_HEAP_NOTE = (
    "Measured with a heap that gives freed memory back; the C library's default heap keeps some of it, and needs more: the "
    "memory table of 'resbench profile' says how much."
)


def memory_section(case: Case, usual: Measurement | None, say: Say) -> Section:
    """Return the table of what memory is for; a figure that can't be measured becomes a note.

    Args:
        case: eager inference or training.
        usual: the peak of contiguous inference with the C library's default heap, where it was measured before.
        say: is told what is done.
    """
    say("memory by purpose")
    predicted = predict(case, _layers(case))
    measured, heap, note = None, None, ""
    try:
        measured = measure(_workload(case))
        heap = _default_heap(case, usual)
    except ResbenchError as error:
        note = f"Not measured: {error}."

    def show(output: Format) -> None:
        print_line("")
        show_memory(predicted, measured, heap, output, f"memory of {case.label}")
        if note:
            print_line(f"\n{note}")

    return Section(show, {"memory": memory_as_json(predicted, measured, heap)})


def _default_heap(case: Case, usual: Measurement | None) -> Measured | None:
    """Return the peak in a process whose heap keeps and cuts up freed blocks as it does by default; None on a GPU."""
    if torch.device(case.device).type != "cpu":
        return None
    plain = case.mode == "inference" and case.memory_format == "contiguous" and not case.whole_model
    if usual is not None and plain:
        return Measured(parts={}, peak=int(usual.value), method=usual.method)
    return measure(replace(_workload(case), returns_memory=False))


def fits(cases: Sequence[Case], size: str, say: Say) -> Callable[[Format], None]:
    """Find the largest batch within a memory, in inference and in training, and return what prints the answer.

    Raises:
        UsageError: the size is none, or more than one network, or another backend than eager, is asked about.
        ResbenchError: a batch fails for another reason than memory.
    """
    limit_B = parse_size(size)
    asked = {replace(case, batch_size=1, mode="inference") for case in cases}
    if len(asked) > 1:
        raise UsageError(f"--fits is about one case, and {len(asked)} are asked for: name one")
    case = asked.pop()
    if case.backend != "eager":
        raise UsageError(
            "--fits is about eager PyTorch: for other backends '--batch-size auto' finds the largest batch"
        )
    layers = _layers(case)
    inference, training = (
        _fit(replace(case, mode=mode), layers, limit_B, say) for mode in ("inference", "training")
    )
    notes = [_HEAP_NOTE] if torch.device(case.device).type == "cpu" else []
    return lambda output: show_fit(inference, training, output, case.model, notes)


def predict(case: Case, layers: Sequence[Layer]) -> Prediction:
    """Return the predicted memory of a case in eager PyTorch."""
    predicting = predict_training if case.mode == "training" else predict_inference
    return predicting(
        layers,
        case.batch_size,
        precision=case.precision,
        whole_model=case.whole_model,
        blocked=case.device == "cpu" and case.memory_format == "contiguous",
    )


def _fit(case: Case, layers: Sequence[Layer], limit_B: int, say: Say) -> Fit:
    def measured(batch_size: int) -> int | None:
        say(f"{case.mode}: batch {batch_size}")
        try:
            return measure(_workload(replace(case, batch_size=batch_size))).peak
        except DoesNotFit:
            return None

    def predicted(batch_size: int) -> int:
        return predict(replace(case, batch_size=batch_size), layers).peak

    available_B = _free(case)
    if limit_B > available_B:
        why = f"no: this machine has {available_B / 2**30:.1f} GiB free"
        return predict_fit(limit_B, predicted, largest_batch, why=why)
    return verify_fit(limit_B, predicted, measured, largest_batch, available_B=available_B)


def _free(case: Case) -> int:
    if torch.device(case.device).type == "cuda":
        return int(torch.cuda.mem_get_info(case.device)[0])
    return int(psutil.virtual_memory().available)


def _workload(case: Case) -> Workload:
    return Workload(
        model=case.model,
        classes=case.num_classes,
        batch_size=case.batch_size,
        input_CHW=case.input_CHW,
        device=case.device,
        precision=case.precision,
        whole_model=case.whole_model,
        memory_format=case.memory_format,
        training=case.mode == "training",
        threads=case.threads,
    )


def _layers(case: Case) -> tuple[Layer, ...]:
    return layered(case.model, case.input_CHW, case.num_classes).layers
