"""What `resbench evaluate` does between its options and its output."""

from dataclasses import dataclass

from resbench.cli.confusion_files import confusion_files, write_confusion
from resbench.cli.evaluate_protocol import Changes, chosen_protocol
from resbench.cli.evaluate_views import Evaluated, title_of
from resbench.datasets.labelled import named_kind, open_labelled
from resbench.datasets.progress import progress_bar
from resbench.environment import capture
from resbench.errors import unknown
from resbench.execution.evaluation_findings import findings
from resbench.models.backends.description import MEMORY_FORMATS
from resbench.models.devices import resolve_device
from resbench.models.precision import check_precision
from resbench.specs import Precision
from resbench.trial.evaluating import evaluate
from resbench.trial.weighted import Evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asked for, as it was given; see `resbench.trial.weighted.Evaluation`."""

    model: str
    weights: str
    data: str
    recipe: str
    changes: Changes
    ema: bool | None
    num_classes: int | None
    device: str
    precision: Precision
    whole_model: bool
    memory_format: str
    batch_size: int
    limit: int | None
    precise_bn: int
    workers: int
    confusion: str


def run(request: Request) -> Evaluated:
    """Evaluate, and write the confusion matrix where one is asked for.

    Raises:
        ResbenchError: something given can't be used, or fails; what is cheap to find out is found out first.
    """
    device = resolve_device(request.device)
    check_precision(request.precision, device)
    if request.memory_format not in MEMORY_FORMATS:
        raise unknown("memory format", request.memory_format, MEMORY_FORMATS)
    files = confusion_files(request.confusion) if request.confusion else None
    kind, _ = named_kind(request.data)
    chosen = chosen_protocol(request.model, request.weights, kind, request.recipe, request.changes)
    with progress_bar() as progress:
        data = open_labelled(request.data, progress=progress)
        asked = Evaluation(
            model=request.model,
            weights=request.weights,
            protocol=chosen.protocol,
            average=request.ema,
            num_classes=request.num_classes,
            device=request.device,
            precision=request.precision,
            whole_model=request.whole_model,
            memory_format=request.memory_format,
            batch_size=request.batch_size,
            limit=request.limit,
            precise_bn=request.precise_bn,
            workers=request.workers,
        )
        environment = capture(str(device), {"workers": str(request.workers)})
        answers = evaluate(asked, data, progress=progress)
    found = Evaluated(answers, data, chosen, findings(answers, data), environment)
    if files:
        write_confusion(files, found.findings.confusion_KK, data.classes, title_of(found))
    return found
