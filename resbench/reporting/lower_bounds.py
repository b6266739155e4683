"""What the profiled networks would need at least on well-known devices, by the data sheets: estimates, and no measurements."""

from collections.abc import Iterator

from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture, parse_model
from resbench.metrics.roofline.devices import ASSUMPTIONS, Device, find_device, needs_at_least
from resbench.reporting.figures import NONE, significant
from resbench.reporting.markdown import blocks, bullets, escaped, table
from resbench.reporting.selection import Selection
from resbench.results import Result

DEVICES = tuple(map(find_device, ("gtx-1080-ti", "t4", "a100-sxm", "h100-sxm")))
"""The card of the published VOC table, and one of each kind that is rented most."""


def lower_bounds(selection: Selection) -> str:
    """Return the table of estimates, marked as such; empty where no catalogued network was profiled."""
    rows = list(dict.fromkeys(_rows(selection)))
    if not rows:
        return ""
    note = (
        "**Estimates, not measurements**: milliseconds of one forward pass at least, from data-sheet peaks (dense) and "
        "bandwidths. Before the stroke: compute alone; behind it: compute or memory, whichever takes longer in each layer."
    )
    headers = ("Network", "Batch", "Precision", *(device.title for device in DEVICES))
    said = [f"{text[0].upper()}{text[1:]}." for text in ASSUMPTIONS]
    sources = [f"{device.title}: {_source(device)}." for device in DEVICES]
    return blocks(note, table(headers, rows, numbers=(1,)), bullets([*said, *sources]))


def _rows(selection: Selection) -> Iterator[tuple[str, ...]]:
    for arm in selection.arms:
        result = selection.profiled.get(arm.id)
        if result is None or result.find("latency") is None or parse_model(arm.model).is_outside:
            continue
        yield _row(result)


def _row(result: Result) -> tuple[str, ...]:
    asked = result.experiment["profiling"]
    model, precision = str(result.experiment["model"]), str(result.experiment["precision"])
    channels, height, width = map(int, asked["input_CHW"])
    layers = layers_of(find_architecture(model), (channels, height, width), asked["num_classes"])
    batch = int(asked["batch_size"])
    cells = []
    for device in DEVICES:
        if precision not in device.peaks:
            cells.append(NONE)
            continue
        found = needs_at_least(device, layers, precision, batch)
        cells.append(f"{significant(1e3 * found.compute_s)} / {significant(1e3 * found.memory_s)}")
    return (model, str(batch), precision, *cells)


def _source(device: Device) -> str:
    return f"[{escaped(device.source.title)}]({device.source.url}), {device.source.where}"
