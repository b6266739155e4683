"""How to read a suite's report: its words, explained for somebody who meets them first."""

from collections.abc import Sequence

from resbench.reporting.arm_figures import NAMES as ARM_NAMES
from resbench.reporting.markdown import bullets
from resbench.specs import Arm, Kind, Suite

NAMES = {"size": "model size", "flops": "GFLOPs", "top1_published": "top-1", "top5_published": "top-5"}
"""What a reader calls a metric."""


def reading_guide(suite: Suite) -> str:
    """Return the list of explanations."""
    return bullets(
        (
            (
                "**Published / measured**: the left figure is the source's, the right one ours. Left figures come from the "
                "sources named at the end."
            ),
            (
                "**Top-1, top-5**: the share of test samples whose class is the network's first guess, or among its first "
                "five."
            ),
            "**Model size**: parameters x 4 bytes, in MiB (2**20 bytes).",
            (
                f"**GFLOPs ({suite.flops_convention})**: operations for one picture in units of 1e9, counted as the "
                "published table counts. Other ways of counting are in the table of conventions."
            ),
            (
                "**Latency**: the time of one call, from the data on the device to the finished answer. **Throughput**: "
                "pictures a second with calls back to back. Both hold for the named device only."
            ),
            (
                "**95 % interval**: repeated on other samples of the same kind, 95 of 100 such ranges hold the true value. "
                "For an accuracy it covers the choice of test samples, not the luck of a training run. For a time it "
                "covers this one process, not another day."
            ),
            (
                "**reproduced**: a computed figure rounds to the published digits; or an accuracy's difference from the "
                "published one has a 95 % interval that holds zero. With one seed this says nothing of the spread from "
                "run to run."
            ),
            "**differs**: a computed figure does not round to the published digits.",
            "**better, worse**: the interval of the difference lies above zero, or below.",
            "**not comparable**: the run asked something else than the published one; the reason lists what.",
            "**no published figure**: the source gives none. **not run**: there is no result yet.",
        )
    )


def arms_guide(suite: Suite) -> str:
    """Return the explanations of a report that compares arms."""
    lines = [
        "**Published**: what the sources named at the end print; 'fail' is an outcome there, and no number.",
        (
            "**reproduced**: the 95 % interval of the difference from the published figure lies within the margin; a counted "
            "figure rounds to the published digits. **differs**: it does not."
        ),
    ]
    if suite.kind is Kind.TRAINED:
        lines += [
            (
                "**better, worse**: the interval lies to one side of zero, also once all arms are corrected for. "
                "**inconclusive (needs n = k)**: k seeds would settle it, were difference and deviation to stay."
            ),
            "**not comparable**: the run asked something else than the published one; brackets say what. **failed**: as the source counts failures.",
            (
                "**95 % over seeds**: other seeds of the same arm would give a mean in this range in 95 of 100 repetitions, on "
                "the same test samples. Two intervals that overlap may still belong to different arms: the table of "
                "differences, paired by seed, is the one to ask."
            ),
        ]
    return bullets(lines)


def sources(suite: Suite, arms: Sequence[Arm]) -> str:
    """Return where the published figures come from, with how they came about: of the suite, and of further arms shown."""
    found: dict[str, dict[str, list[str]]] = {}
    for arm in {arm.id: arm for arm in (*suite.arms, *arms)}.values():
        for figure in arm.published:
            source = figure.source
            head = f"{source.title}, {source.where} (<{source.url}>)"
            name = NAMES.get(figure.metric) or ARM_NAMES.get(figure.metric, figure.metric)
            metrics = found.setdefault(head, {}).setdefault(figure.protocol, [])
            metrics += [] if name in metrics else [name]
    lines = []
    for head, protocols in found.items():
        said = "; ".join(f"{', '.join(names)}: {protocol}" for protocol, names in protocols.items())
        lines.append(f"{head}. {said}.")
    return bullets(lines)
