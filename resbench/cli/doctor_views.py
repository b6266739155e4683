"""How a machine's record and the doubts about it are shown."""

from collections.abc import Iterator, Sequence

from resbench.cli.output import Format, Record, print_json, print_line, print_records
from resbench.environment.doubts.doubt import Doubt, Findings, Weight
from resbench.results import plain

NOTHING = "Nothing here makes measurements doubtful."


def print_doubts(found: Findings, doubts: Sequence[Doubt], output: Format) -> None:
    """Print record and doubts on standard output."""
    if output is Format.JSON:
        print_json(as_json(found, doubts))
        return
    if output is Format.CSV:
        if doubts:
            print_records([doubt._asdict() for doubt in doubts], output)
        else:
            print_line(",".join(Doubt._fields))
        return
    print_records(list(_record(found)), output)
    print_line(f"\n{_summary(doubts)}")
    if output is Format.MARKDOWN and doubts:
        print_line("")
        print_records([doubt._asdict() for doubt in doubts], output)
    elif doubts:
        print_line("\n" + "\n".join(_paragraph(doubt) for doubt in doubts))


def as_json(found: Findings, doubts: Sequence[Doubt]) -> dict[str, object]:
    """Return all that was found as plain data, under keys that stay."""
    return {
        "machine_id": found.environment.machine_id,
        "environment": plain(found.environment),
        "gpu_state": found.gpu if isinstance(found.gpu, str) else None,
        "doubts": [{**doubt._asdict(), "weight": doubt.weight.value} for doubt in doubts],
    }


def _record(found: Findings) -> Iterator[Record]:
    environment = found.environment
    commit = environment.commit + (f", changed ({environment.changes})" if environment.changed else "")
    identity = {"machine id": environment.machine_id}
    for kind, facts in (
        ("machine", {**environment.machine, **identity}),
        ("software", {**environment.software, **({"resbench commit": commit} if commit else {})}),
        ("setting", environment.settings),
        ("state", environment.state),
    ):
        yield from ({"kind": kind, "what": name, "value": value} for name, value in facts.items())


def _summary(doubts: Sequence[Doubt]) -> str:
    if not doubts:
        return NOTHING
    warnings = sum(doubt.weight is Weight.WARNING for doubt in doubts)
    counts = (_counted(warnings, "warning"), _counted(len(doubts) - warnings, "note"))
    return ", ".join(count for count in counts if count) + "."


def _counted(many: int, what: str) -> str:
    return f"{many} {what}{'s' if many > 1 else ''}" if many else ""


def _paragraph(doubt: Doubt) -> str:
    return f"{doubt.weight}: {doubt.subject}: {doubt.found}\n  remedy: {doubt.remedy}"
