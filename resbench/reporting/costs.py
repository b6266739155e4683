"""Size and FLOPs: as published beside as trained, and convention by convention."""

from resbench.reporting.figures import NONE, NOT_RUN, significant
from resbench.reporting.markdown import blocks, bullets, table
from resbench.reporting.selection import Selection
from resbench.results import Measurement, Result
from resbench.statistics.verdicts import said_of_input
from resbench.units import MIB, giga, mebibytes, thousands

COUNTED = {
    "core": "multiply-accumulates (MACs) of the convolutions and the linear layer, no bias",
    "2 x core": "the same, a multiplication and an addition counted apart",
    "voc-table": "2 x (core + the biases of convolutions + 2 for each batch-norm element + average pooling)",
    "fvcore": "what fvcore returns: core + 2 for each batch-norm element + average pooling",
    "ptflops-pytorch": "what ptflops returns by default: core + biases + batch norm + ReLU and pooling, both twice",
    "ptflops-aten": "what ptflops returns with its aten backend: core + biases",
}


def as_published_and_trained(selection: Selection) -> str:
    """Return the table of size and cost of the network that was published and of the one that was trained."""
    convention = selection.suite.flops_convention
    headers = (
        "Architecture",
        "Network",
        "Classes",
        "Input",
        "Parameters",
        "Model size, MiB",
        f"GFLOPs ({convention})",
        "Peak memory, MiB",
    )
    rows = []
    for arm in selection.arms:
        profiled = selection.profiled.get(arm.id)
        trained = next(iter(selection.trained.get(arm.id, ())), None)
        rows.append((arm.label, "as published", *_asked_of_profile(profiled), *_costs(profiled, convention)))
        rows.append((arm.label, "as trained", *_asked_of_training(trained), *_costs(trained, convention)))
    note = (
        "The published size and GFLOPs belong to a network for 1000 classes, the published accuracy to one for "
        f"{_classes(selection)}. Both are shown. A parameter takes 4 bytes; 1 MiB is 2**20 bytes."
        f"{_memory_method(selection)}"
    )
    return blocks(note, table(headers, rows, numbers=(2, 4, 5, 6, 7)))


def _classes(selection: Selection) -> str:
    first = selection.first_trained
    return str(first.experiment["data"]["classes"]) if first else "the classes of its data set"


def _memory_method(selection: Selection) -> str:
    memory = next((found for result in selection.results if (found := result.find("peak_memory"))), None)
    if memory is None:
        return ""
    return f" Peak memory is that of one forward pass, measured once ({memory.method})."


def _asked_of_profile(profiled: Result | None) -> tuple[str, str]:
    if profiled is None:
        return (NONE, NONE)
    asked = profiled.experiment["profiling"]
    return (str(asked["num_classes"]), said_of_input(asked["input_CHW"]))


def _asked_of_training(trained: Result | None) -> tuple[str, str]:
    if trained is None:
        return (NONE, NONE)
    side = trained.experiment["recipe"]["pictures"]["crop"]
    return (str(trained.experiment["data"]["classes"]), f"3x{side}x{side}")


def _costs(result: Result | None, convention: str) -> tuple[str, str, str, str]:
    if result is None:
        return (NOT_RUN, NOT_RUN, NOT_RUN, NOT_RUN)
    memory = result.find("peak_memory")
    parameters, size, flops = result.find("parameters"), result.find("size"), result.find("flops", convention)
    return (
        thousands(int(parameters.value)) if parameters else NONE,
        mebibytes(size.value) if size else NONE,
        giga(flops.value) if flops else NONE,
        significant(memory.value / MIB) if memory else NONE,
    )


def by_convention(selection: Selection) -> str:
    """Return the table of one network's cost by who counts, and the exact differences from the plainest count."""
    arms = [arm for arm in selection.arms if arm.id in selection.profiled]
    if not arms:
        return "Nothing was profiled: there is nothing to show."
    counts = [_counts(selection.profiled[arm.id]) for arm in arms]
    methods = list(dict.fromkeys([*COUNTED, *(method for found in counts for method in found)]))
    rows = [
        (
            method,
            COUNTED.get(method, NONE),
            *(giga(found[method].value) if method in found else NONE for found in counts),
        )
        for method in methods
        if any(method in found for found in counts)
    ]
    note = (
        "One network, several counts, in units of 1e9: tools differ in what they count. The table above uses "
        f"**{selection.suite.flops_convention}**. fvcore and ptflops are other people's tools, run on the network itself."
    )
    headers = ("Convention", "What is counted", *(arm.label for arm in arms))
    checks = [_beyond_core(arm.label, found) for arm, found in zip(arms, counts, strict=True)]
    body = table(headers, rows, numbers=range(2, len(headers)))
    exact = [line for line in checks if line]
    return blocks(note, body, "The cross-check, in exact counts:" if exact else "", bullets(exact))


def _counts(profiled: Result) -> dict[str, Measurement]:
    return {found.method: found for found in profiled.measurements if found.metric in ("macs", "flops")}


def _beyond_core(label: str, counts: dict[str, Measurement]) -> str:
    core = counts.get("core")
    tools = [method for method in counts if method.startswith(("fvcore", "ptflops"))]
    if core is None or not tools:
        return ""
    said_by = ", ".join(
        f"{method} counts {_signed(int(counts[method].value - core.value))}" for method in tools
    )
    return f"{label}: core is {thousands(int(core.value))}; {said_by}."


def _signed(difference: int) -> str:
    if difference == 0:
        return "the same"
    return f"{thousands(abs(difference))} {'more' if difference > 0 else 'fewer'}"
