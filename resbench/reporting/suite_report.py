"""The report of a suite: one Markdown text and its pictures, from results alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resbench.reporting.arm_costs import arm_costs, arm_timings
from resbench.reporting.arm_curves import QUANTITIES as ARM_QUANTITIES
from resbench.reporting.arm_curves import arm_pictures, distances
from resbench.reporting.arm_pairs import arm_pairs
from resbench.reporting.arm_runs import arm_runs
from resbench.reporting.arm_table import arm_table
from resbench.reporting.comparison import comparison
from resbench.reporting.costs import as_published_and_trained, by_convention
from resbench.reporting.curves import QUANTITIES, pictures, shows_published
from resbench.reporting.differing_results import differing_results
from resbench.reporting.evaluated import every_test, tested_table, tests_guide
from resbench.reporting.lower_bounds import lower_bounds
from resbench.reporting.markdown import blocks, bullets
from resbench.reporting.protocol import environments, notes, what_was_run
from resbench.reporting.reading_guide import arms_guide, reading_guide, sources
from resbench.reporting.readings import baselines, readings
from resbench.reporting.seed_means import seed_means, several_seeds
from resbench.reporting.selection import Selection, limits, select
from resbench.results import Result
from resbench.specs import Arm, Kind, Scale, Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A finished report. `resbench.reporting.writing.write_report` puts it on disk.

    Attributes:
        markdown: the text; its pictures are linked as `FOLDER/NAME`.
        folder: the folder of the pictures, beside the text.
        pictures: SVG files by name.
    """

    markdown: str
    folder: str
    pictures: Mapping[str, bytes]


def suite_report(
    suite: Suite, arms: Sequence[Arm], results: Sequence[Result], *, scale: Scale, command: str
) -> Report:
    """Render what is known of a suite.

    Args:
        suite: the question and the published answers.
        arms: the arms to show, each with a row even where it was not run.
        results: all that is known; those of other suites, scales, data or devices are left out (see `select`).
        scale: the scale to show.
        command: what to type to run the same again.
    """
    selection = select(suite, arms, results, scale)
    drawn: Mapping[str, bytes] = {}
    if suite.kind is Kind.EVALUATED:
        sections = _of_tests(selection, command)
    elif suite.recipe is None or suite.profiling is None:
        sections, drawn = _of_arms(selection, command)
    else:
        sections, drawn = _of_profiled_trainings(selection, command)
    parts = (blocks(f"## {title}" if title else "", body) for title, body in sections if body)
    return Report(markdown=blocks(*parts) + "\n", folder=suite.name, pictures=drawn)


_Sections = tuple[tuple[str, str], ...]


def _of_profiled_trainings(selection: Selection, command: str) -> tuple[_Sections, Mapping[str, bytes]]:
    """Return the sections of a suite whose table has costs, times and accuracies of each model side by side."""
    drawn = pictures(selection)
    sections = (
        ("", _head(selection)),
        ("What differs between the results", differing_results(selection)),
        ("Published and measured", comparison(selection)),
        ("Mean over seeds", seed_means(selection)),
        ("Differences between arms", arm_pairs(selection) if several_seeds(selection) else ""),
        ("Size and cost, as published and as trained", as_published_and_trained(selection)),
        ("Two readings of accuracy", readings(selection)),
        ("One network, several counts of its cost", by_convention(selection)),
        ("At least, on other devices", lower_bounds(selection)),
        ("Learning curves", _curves(selection, drawn)),
        ("What was run", what_was_run(selection)),
        ("Notes on the results", notes(selection)),
        ("Environment", environments(selection)),
        ("Run it again", _again(command)),
        ("How to read this report", reading_guide(selection.suite)),
        ("Sources of the published figures", sources(selection.suite, selection.arms)),
    )
    return sections, drawn


def _of_arms(selection: Selection, command: str) -> tuple[_Sections, Mapping[str, bytes]]:
    """Return the sections of a suite whose arms are compared over several seeds, or are only counted or timed."""
    drawn = arm_pictures(selection)
    trained = selection.suite.kind is Kind.TRAINED
    sections = (
        ("", _head(selection)),
        ("What differs between the results", differing_results(selection)),
        ("Published and measured", arm_table(selection) if trained else ""),
        ("Differences between arms", arm_pairs(selection)),
        ("Every run", arm_runs(selection)),
        ("Timings", arm_timings(selection) if selection.suite.kind is Kind.TIMED else ""),
        ("At least, on other devices", lower_bounds(selection) if selection.suite.kind is Kind.TIMED else ""),
        ("Parameters and operations", arm_costs(selection)),
        ("Learning curves", _arm_curves(selection, drawn) if trained else ""),
        ("What was run", blocks(what_was_run(selection), baselines(selection)) if trained else ""),
        ("Notes on the results", notes(selection)),
        ("Environment", environments(selection)),
        ("Run it again", _again(command)),
        ("How to read this report", arms_guide(selection.suite)),
        ("Sources of the published figures", sources(selection.suite, selection.arms)),
    )
    return sections, drawn


def _of_tests(selection: Selection, command: str) -> _Sections:
    """Return the sections of a suite that tests weights of others."""
    return (
        ("", _head(selection)),
        ("What differs between the results", differing_results(selection)),
        ("Published and measured", tested_table(selection)),
        ("Every test", every_test(selection)),
        ("Notes on the results", notes(selection)),
        ("Environment", environments(selection)),
        ("Run it again", _again(command)),
        ("How to read this report", tests_guide()),
        ("Sources of the published figures", sources(selection.suite, selection.arms)),
    )


def _head(selection: Selection) -> str:
    lines = [f"> **{limits(selection)}**"] if limits(selection) else []
    trained = [result for results in selection.trained.values() for result in results]
    lines += [f"> {note}" for note in dict.fromkeys(note for result in trained for note in result.notes)]
    if selection.missing and selection.suite.kind is Kind.TRAINED:
        lines.append(f"> **Not trained: {', '.join(selection.missing)}.** What is missing says *not run*.")
    return blocks(
        f"# {selection.suite.title}",
        "\n>\n".join(lines),
        f"**Question.** {selection.suite.question}",
        _left_out(selection),
    )


def _arm_curves(selection: Selection, drawn: Mapping[str, bytes]) -> str:
    if not drawn:
        return "Nothing was trained: there are no curves."
    caption = (
        "One line for each seed. Training figures are of the augmented pictures, taken while the weights still change. A recipe "
        "that tests at its end alone has one point of the test."
    )
    if shows_published(selection):
        caption += " The wide pale lines are the published curves."
    reduced = limits(selection)
    links = [
        f"![{quantity.title} over epochs, training and test]({selection.suite.name}/{quantity.name}.svg)"
        for quantity in ARM_QUANTITIES
    ]
    return blocks(f"**{reduced}**" if reduced else "", caption, *links, bullets(distances(selection)))


def _again(command: str) -> str:
    where = "DIR stands for the folder of the pictures." if " DIR " in command else ""
    return blocks(f"```bash\n{command}\n```", where)


def _left_out(selection: Selection) -> str:
    if not selection.left_out:
        return ""
    several = selection.left_out > 1
    return (
        f"{selection.left_out} earlier result{'s' if several else ''} at this scale asked something else (data, recipe, "
        f"precision, device or machine) and {'are' if several else 'is'} not shown."
    )


def _curves(selection: Selection, drawn: Mapping[str, bytes]) -> str:
    if not drawn:
        return "Nothing was trained: there are no curves."
    caption = (
        "Each point is the mean of an epoch's batches. Training figures are of the augmented pictures, taken while the "
        "weights still change, so they may lie below the test's."
    )
    if shows_published(selection):
        caption += " The wide pale lines are the published curves."
    elif selection.suite.curves:
        caption += " The published curves are not drawn, because this run cannot be compared with them."
    reduced = limits(selection)
    links = [
        f"![{quantity.title} over epochs, training and test]({selection.suite.name}/{quantity.name}.svg)"
        for quantity in QUANTITIES
    ]
    apart = distances(selection, "top1_of_batches")
    return blocks(f"**{reduced}**" if reduced else "", caption, *links, bullets(apart))
