"""How the explanation of a number is shown: what yields it, with its sum written out."""

from collections.abc import Iterator, Sequence

from resbench.architectures.plan import Kind
from resbench.cli.flops_subject import Subject, subject_of
from resbench.cli.flops_views import METRICS, heading, print_remarks, written_out
from resbench.cli.output import Format, print_json, print_line, print_records
from resbench.metrics.flops.conventions import find_convention
from resbench.metrics.flops.explain import Candidate, Explanation, explain
from resbench.metrics.flops.quoted import Agreement, Quoted, parse_quoted
from resbench.metrics.flops.variants import Setting
from resbench.units import thousands


def show_explanations(
    model: str,
    input_size: str,
    num_classes: int | None,
    numbers: Sequence[str],
    output: Format,
    *,
    most: int | None,
) -> None:
    """Print for each number which convention and variant yields it.

    Raises:
        UsageError: there is no such network, or a number is none.
    """
    quoted = [parse_quoted(number) for number in numbers]
    subject = subject_of(model, input_size, num_classes)
    asked = Setting(architecture=subject.architecture, input_CHW=subject.input_CHW, classes=subject.classes)
    found = explain(quoted, asked, subject.layers, most=most)
    if output is Format.JSON:
        print_json(
            {**heading(subject), "explanations": [_as_json(explanation, subject) for explanation in found]}
        )
    elif output is Format.TABLE:
        lines = [line for explanation in found for line in ("", *_lines(explanation, subject))]
        if most is not None:
            lines += ["", "The likeliest are shown; --all-candidates shows whatever else agrees."]
        print_line("\n".join([subject.title, *lines]))
    else:
        print_records([_record(*row) for row in _rows(found)], output)
    print_remarks(subject, output)


def _lines(explanation: Explanation, subject: Subject) -> Iterator[str]:
    number = explanation.quoted.text
    others = _no_operations(explanation.quoted, subject)
    nothing = "" if explanation.candidates else ": nothing agrees" + (" but" if others else "")
    yield number + nothing
    shown = explanation.candidates or (() if others else explanation.nearest)
    for place, candidate in enumerate(shown, start=1):
        yield f"  {place}. {_said(candidate, number)}"
        yield f"     = {_sum(candidate)}"
    for name, count in others.items():
        yield f"  {'also ' if shown else ''}the number of {name}: {thousands(count)}"


def _no_operations(quoted: Quoted, subject: Subject) -> dict[str, int]:
    """Return what else of the network the number agrees with: it is often taken for operations."""
    weighted = (Kind.CONVOLUTION, Kind.LINEAR)
    others = {
        "parameters": subject.parameters,
        "activations (elements out of convolutions and linear layers)": sum(
            row.outputs for row in subject.ledger if row.kind in weighted
        ),
    }
    return {name: count for name, count in others.items() if quoted.agreement(count) is not Agreement.NONE}


def _said(candidate: Candidate, number: str) -> str:
    first, *also = candidate.conventions
    names = first + (f" (also {', '.join(also)})" if also else "")
    departures = "; ".join(candidate.departures) or "as asked for"
    metric = METRICS[find_convention(first).metric]
    return f"{names}, {departures}: {thousands(candidate.value)} {metric}, {_agreement(candidate, number)}"


def _agreement(candidate: Candidate, number: str) -> str:
    if candidate.agreement is Agreement.NONE:
        return f"nearest, off by {100 * candidate.off:+.2f} %"
    if candidate.off == 0:
        return "exactly"
    return f"{'rounded' if candidate.agreement is Agreement.ROUNDED else 'cut off'} to {number}"


def _sum(candidate: Candidate) -> str:
    text = written_out(candidate.terms())
    return text if candidate.batch == 1 else f"{candidate.batch} x ({text})"


def _rows(explanations: Sequence[Explanation]) -> Iterator[tuple[Quoted, int, Candidate]]:
    for explanation in explanations:
        for place, candidate in enumerate(explanation.candidates or explanation.nearest, start=1):
            yield explanation.quoted, place, candidate


def _record(quoted: Quoted, place: int, candidate: Candidate) -> dict[str, object]:
    return {
        "number": quoted.text,
        "place": place,
        "conventions": " ".join(candidate.conventions),
        "departures": "; ".join(candidate.departures),
        "value": candidate.value,
        "agreement": _AGREEMENTS[candidate.agreement],
        "off_percent": f"{100 * candidate.off:+.3f}",
        "sum": _sum(candidate),
    }


_AGREEMENTS = {Agreement.ROUNDED: "rounded", Agreement.CUT_OFF: "cut off", Agreement.NONE: "none"}


def _as_json(explanation: Explanation, subject: Subject) -> dict[str, object]:
    return {
        "number": explanation.quoted.text,
        "agrees": bool(explanation.candidates),
        "candidates": [_candidate(one) for one in explanation.candidates],
        "nearest": [_candidate(one) for one in explanation.nearest],
        "no_operations": _no_operations(explanation.quoted, subject),
    }


def _candidate(candidate: Candidate) -> dict[str, object]:
    return {
        "conventions": list(candidate.conventions),
        "departures": list(candidate.departures),
        "value": candidate.value,
        "agreement": _AGREEMENTS[candidate.agreement],
        "off": candidate.off,
        "batch": candidate.batch,
        "backward": candidate.backward,
        "terms": [
            {"term": label, "factor": factor, "quantity": quantity, "operations": factor * quantity}
            for label, factor, quantity in candidate.terms()
        ],
    }
