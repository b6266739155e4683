"""How the counts of one network are shown: every convention, or the sum of one."""

from collections.abc import Iterator, Sequence

from resbench.cli.flops_subject import Subject, subject_of
from resbench.cli.output import Format, Record, print_json, print_line, print_records
from resbench.errors import UsageError
from resbench.metrics.flops.backward import backward_categories, backward_terms
from resbench.metrics.flops.conventions import (
    CONVENTIONS,
    Convention,
    Term,
    Terms,
    count,
    find_convention,
    terms,
)
from resbench.metrics.flops.ledger import categories
from resbench.units import giga, thousands

METRICS = {"macs": "MACs", "flops": "FLOPs"}


def show_counts(
    model: str, input_size: str, num_classes: int | None, convention: str, output: Format, *, backward: bool
) -> None:
    """Print what each convention counts, or with its sum what one does.

    Raises:
        UsageError: there is no such network or convention, or it is not defined for this network.
    """
    asked = conventions_of(convention)
    subject = subject_of(model, input_size, num_classes)
    if output is Format.JSON:
        print_json(as_json(subject, asked, backward=backward))
    elif len(asked) == 1:
        _show_sum(subject, asked[0], output, backward=backward)
    else:
        if output is Format.MARKDOWN:
            print_line(f"**{subject.title}**\n")
        records = [_record(subject, one, output, backward=backward) for one in asked]
        print_records(records, output, title=subject.title)
        print_remarks(subject, output)


def conventions_of(name: str) -> tuple[Convention, ...]:
    """Return all conventions for `all`, or the one of that name.

    Raises:
        UsageError: there is none.
    """
    return CONVENTIONS if name == "all" else (find_convention(name),)


def _show_sum(subject: Subject, convention: Convention, output: Format, *, backward: bool) -> None:
    counted = counted_by(subject, convention)
    found, after = terms(convention, counted.ledger), None
    records: list[Record] = [_term(term) for term in found]
    if backward:
        after = backward_terms(convention, counted.ledger)
        records = [{"pass": "forward", **record} for record in records]
        records += [{"pass": "backward", **_term(term)} for term in after or ()]
    if output is Format.CSV:
        print_records(records, output)
        return
    title = f"{counted.title}, by {convention.name}"
    print_line(f"**{title}**\n" if output is Format.MARKDOWN else f"{title}\n")
    print_records(records, output)
    total = sum(term.value for term in (*found, *(after or ())))
    lines = [
        f"Total: {_least(subject)}{thousands(total)} {METRICS[convention.metric]} ({giga(total)} G).",
        f"Rule: {convention.rule}.",
    ]
    if convention.tool:
        lines.append(f"Checked with {convention.tool}.")
    if backward and after is None:
        lines.append(f"{convention.name} counts the forward pass only.")
    print_lines(lines, output)
    print_remarks(subject, output)


def counted_by(subject: Subject, convention: Convention) -> Subject:
    """Return the form of the network that the convention counts.

    Raises:
        UsageError: it is not defined for this network.
    """
    counted = subject.as_counted_by(convention)
    if counted is None:
        raise UsageError(f"{convention.name} does not apply to {subject.name}: {_NOT_DEFINED}")
    return counted


def as_json(subject: Subject, conventions: Sequence[Convention], *, backward: bool) -> dict[str, object]:
    """Return all counts of a network, under keys that stay."""
    found: dict[str, object] = {**heading(subject), "categories": categories(subject.ledger)}
    if backward:
        found["backward_categories"] = backward_categories(subject.ledger)
    found["conventions"] = {
        convention.name: _convention(subject, convention, backward=backward) for convention in conventions
    }
    return found


def heading(subject: Subject) -> dict[str, object]:
    """Return what every JSON answer begins with."""
    return {
        "model": subject.name,
        "input": "x".join(map(str, subject.input_CHW)),
        "num_classes": subject.classes,
        "batch": 1,
        "parameters": subject.parameters,
        "at_least": bool(subject.unknown),
        "unknown": [{"operator": operator, "layers": names} for operator, names in subject.unknown.items()],
        "notes": list(subject.notes),
    }


def written_out(summands: Terms) -> str:
    """Return a sum as text: 4,089,184,256 MACs + 2 x 11,113,984 batch-norm elements."""
    return " + ".join(
        f"{'' if factor == 1 else f'{factor} x '}{thousands(quantity)} {label}"
        for label, factor, quantity in summands
    )


def print_remarks(subject: Subject, output: Format) -> None:
    """Print what is not priced and what else a reader must know, for a person."""
    if output in (Format.TABLE, Format.MARKDOWN):
        print_lines([*_unpriced(subject), *(f"Note: {note}." for note in subject.notes)], output)


def print_lines(lines: Sequence[str], output: Format) -> None:
    """Print an empty line and some lines of text, if there are any."""
    if lines:
        bullet = "* " if output is Format.MARKDOWN else ""
        print_line("\n" + "\n".join(f"{bullet}{line}" for line in lines))


_NOT_DEFINED = "it counts the form of a network that He et al. 2015 describe, and this one is not described"


def _unpriced(subject: Subject) -> Iterator[str]:
    if subject.unknown:
        named = ", ".join(f"{operator} ({len(names)})" for operator, names in subject.unknown.items())
        yield f"At least: what these operators cost can't be told from shapes, and is not in any count: {named}."


def _least(subject: Subject) -> str:
    return "at least " if subject.unknown else ""


def _record(subject: Subject, convention: Convention, output: Format, *, backward: bool) -> Record:
    """Return a convention as a line of the table; a program gets whole numbers, and None where there is none."""
    counted = subject.as_counted_by(convention)
    program = output is Format.CSV
    core = count(find_convention("core-macs"), subject.ledger)
    value = None if counted is None else count(convention, counted.ledger)
    back = None if counted is None else backward_terms(convention, counted.ledger)
    after = None if back is None else sum(term.value for term in back)
    record: dict[str, object] = {
        "convention": convention.name,
        "metric": convention.metric if program else METRICS[convention.metric],
        "value": value,
    }
    if not program:
        record["G"] = "" if value is None else _least(subject) + giga(value)
    record["beyond_core"] = None if value is None else value - core
    if backward:
        record["backward"] = after
        if not program:
            record["both_over_forward"] = _ratio(value, after)
    if program:
        record["at_least"] = bool(subject.unknown)
        record["tool"] = convention.tool
    record["rule"] = _rule(subject, convention, counted)
    return record


def _ratio(value: int | None, after: int | None) -> str:
    if after is None:
        return "" if value is None else "forward only"
    return f"{((value or 0) + after) / value:.3f}" if value else ""


def _rule(subject: Subject, convention: Convention, counted: Subject | None) -> str:
    if counted is None:
        return f"does not apply: {_NOT_DEFINED}"
    return convention.rule if counted is subject else f"{convention.rule}; here of {counted.name}"


def _convention(subject: Subject, convention: Convention, *, backward: bool) -> dict[str, object]:
    facts: dict[str, object] = {
        "metric": convention.metric,
        "rule": convention.rule,
        "tool": convention.tool or None,
    }
    counted = subject.as_counted_by(convention)
    if counted is None:
        return {**facts, "value": None, "reason": _NOT_DEFINED}
    found = terms(convention, counted.ledger)
    value = sum(term.value for term in found)
    facts |= {
        "value": value,
        "beyond_core": value - count(find_convention("core-macs"), subject.ledger),
        "form": counted.name,
        "terms": [_term(term) for term in found],
    }
    if backward:
        back = backward_terms(convention, counted.ledger)
        facts["backward"] = None if back is None else sum(term.value for term in back)
        facts["backward_terms"] = None if back is None else [_term(term) for term in back]
    return facts


def _term(term: Term) -> dict[str, object]:
    """Return a summand as a record."""
    return {"term": term.label, "factor": term.factor, "quantity": term.quantity, "operations": term.value}
