"""How an audit is shown: the verdict, what the name claims, traits or differences, and what could not be seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resbench.cli.output import Format, Record, print_json, print_line, print_records
from resbench.units import thousands

if TYPE_CHECKING:
    from resbench.architectures.auditing.auditing import Candidate, Finding


@dataclass(frozen=True, kw_only=True)
class Audited:
    """A network or checkpoint, and what was found.

    Attributes:
        seen: what was looked at, in words.
        claim: a sentence where its name says something else; empty where not.
        notes: what a reader must know.
    """

    name: str
    seen: str
    finding: "Finding"
    claim: str
    notes: tuple[str, ...] = ()


def show(audited: Audited, output: Format) -> None:
    """Print an audit on standard output."""
    if output is Format.JSON:
        print_json(as_json(audited))
    elif output is Format.CSV:
        print_records(list(_rows(audited.finding, audited.finding.matches)), output)
    else:
        _print(audited, output)


def _print(audited: Audited, output: Format) -> None:
    finding = audited.finding
    heading = f"{audited.name}: {_facts(audited)}"
    print_line(f"**{heading}**\n" if output is Format.MARKDOWN else f"{heading}\n")
    print_line(f"{verdict(finding)}\n")
    if audited.claim:
        print_line(f"{_sentence(audited.claim)}\n")
    if finding.exact:
        told = {
            trait: words for trait, words in finding.traits.items() if (trait, words) not in _UNREMARKABLE
        }
        print_records([{"trait": trait, "found": words} for trait, words in told.items()], output)
    else:
        shown = finding.matches[:1] if finding.far else finding.matches
        print_records([_without(row, len(shown) > 1) for row in _rows(finding, shown)], output)
    bullet = "* " if output is Format.MARKDOWN else ""
    print_line("\n" + "\n".join(f"{bullet}{_sentence(line)}" for line in _last_lines(audited)))


def verdict(finding: "Finding") -> str:
    """Return the answer in one or two sentences."""
    names = [match.name for match in finding.matches]
    if finding.exact and len(names) == 1:
        return f"This is {names[0]}: {finding.how}."
    if finding.exact:
        return f"This can be each of {', '.join(names)}: {finding.how}."
    counts = {len(match.differences) for match in finding.matches}
    count = " or ".join(map(str, sorted(counts)))
    traits = f"{count} {'trait differs' if counts == {1} else 'traits differ'}"
    near = ", and none is near" if finding.far else ""
    which = f"the nearest is {names[0]}" if len(names) == 1 else f"equally near are {', '.join(names)}"
    return f"This is none of the catalogued networks{near}; {which}: {traits}."


_UNREMARKABLE = {
    ("stem pool", "none"),
    ("after the last addition", "as in every unit"),
    ("dropout in the head", "none"),
    ("groups", "none"),
    ("gate", "none"),
    ("constant scaling", "none"),
    ("dropout", "none"),
}
"""What most networks don't have either; json has it."""


def _facts(audited: Audited) -> str:
    finding = audited.finding
    facts = [audited.seen, f"{thousands(finding.parameters)} parameters"]
    if finding.classes is not None:
        facts.append(f"{finding.classes} classes")
    if finding.input_CHW is not None:
        facts.append(f"input {'x'.join(map(str, finding.input_CHW))}")
    return ", ".join(facts)


def _last_lines(audited: Audited) -> Iterator[str]:
    finding = audited.finding
    if not finding.exact:
        shown = (*finding.matches[:1], *finding.others)
        if finding.others:
            yield "next nearest: " + ", ".join(f"{one.name} ({_differences(one)})" for one in finding.others)
        counts = ", ".join(f"{one.name} {thousands(one.parameters)}" for one in shown)
        yield f"parameters with as many classes: {counts}"
    yield from audited.notes
    yield from finding.hidden


def _differences(candidate: "Candidate") -> str:
    count = len(candidate.differences)
    return f"{count} {'trait' if count == 1 else 'traits'}"


def _sentence(line: str) -> str:
    return f"{line[:1].upper()}{line[1:]}."


def _rows(finding: "Finding", matches: "Sequence[Candidate]") -> Iterator[Record]:
    for match in matches:
        empty = {"network": match.name, "exact": finding.exact}
        for difference in match.differences:
            yield empty | {
                "trait": difference.trait,
                "found": difference.found,
                "expected": difference.expected,
                "where": difference.where,
            }
        if not match.differences:
            yield empty | {"trait": "", "found": "", "expected": "", "where": ""}


def _without(row: Record, several: bool) -> Record:
    hidden = {"exact"} if several else {"exact", "network"}
    return {name: value for name, value in row.items() if name not in hidden}


def as_json(audited: Audited) -> dict[str, object]:
    """Return all of an audit under keys that stay."""
    finding = audited.finding
    return {
        "name": audited.name,
        "seen": audited.seen,
        "exact": finding.exact,
        "how": finding.how,
        "networks": [_network(match) for match in finding.matches],
        "next_nearest": [
            {"name": one.name, "differences": [difference.trait for difference in one.differences]}
            for one in finding.others
        ],
        "claim": audited.claim,
        "parameters": finding.parameters,
        "classes": finding.classes,
        "input": None if finding.input_CHW is None else "x".join(map(str, finding.input_CHW)),
        "traits": dict(finding.traits),
        "notes": [*audited.notes, *finding.hidden],
    }


def _network(candidate: "Candidate") -> dict[str, object]:
    return {
        "name": candidate.name,
        "parameters": candidate.parameters,
        "differences": [
            {"trait": one.trait, "found": one.found, "expected": one.expected, "where": one.where}
            for one in candidate.differences
        ],
    }
