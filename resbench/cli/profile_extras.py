"""What `resbench profile` shows on demand: the roof of the machine, the table of layers, a trace."""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from resbench.architectures.layers import Layer
from resbench.cli.layer_views import layers_as_json, show_layers
from resbench.cli.output import Format, print_line
from resbench.cli.profile_options import Extras
from resbench.cli.roofline_views import estimates_as_json, roofline_as_json, show_estimates, show_roofline
from resbench.cli.sections import Say, Section
from resbench.errors import UsageError
from resbench.metrics.latency.diagnosis import Roof
from resbench.metrics.roofline.breakdown import lines_of
from resbench.metrics.roofline.bytes import costs_of
from resbench.metrics.roofline.ceiling import Ceilings, default_folder, find_ceilings
from resbench.metrics.roofline.ceilings import ceilings_here
from resbench.metrics.roofline.devices import estimates
from resbench.metrics.roofline.operators import measure_layers
from resbench.metrics.roofline.trace import check_trace_file, write_trace
from resbench.models.layering import layered
from resbench.trial.case import Case
from resbench.trial.findings import Finding
from resbench.trial.live import Live, live


class CaseRoof(NamedTuple):
    """The roof over one case, where it is known; `earlier`: whether it was measured before this command."""

    of_case: Roof | None
    ceilings: Ceilings | None
    earlier: bool = True


def check_extras(cases: Sequence[Case], extras: Extras) -> None:
    """Refuse, before anything is measured, what can't be shown.

    Raises:
        UsageError: layers or a trace of several cases, or of one that is not eager inference; no file for the trace.
    """
    wanted = extras.of_one_case
    if wanted and len(cases) > 1:
        raise UsageError(f"{wanted} show one case, and {len(cases)} are asked for: name one")
    if wanted and (cases[0].backend, cases[0].mode) != ("eager", "inference"):
        raise UsageError(f"{wanted} show eager inference: what is compiled has no layers any more")
    if extras.trace is not None:
        check_trace_file(extras.trace)


def roof_of(case: Case, machine_id: str, extras: Extras, say: Say) -> CaseRoof:
    """Return the roof over a case: measured now with `--roofline`, else only where it is known from before."""
    device = torch.device(case.device)
    threads = case.threads if device.type == "cpu" else 0
    if extras.roofline:
        ceilings, earlier = ceilings_here(
            default_folder(), machine_id, device, case.precision, case.threads, say=say
        )
    else:
        known = find_ceilings(default_folder(), machine_id, case.device, case.precision, threads)
        if known is None:
            return CaseRoof(None, None)
        ceilings, earlier = known, True
    if case.mode == "training":
        return CaseRoof(None, ceilings, earlier)
    costs = costs_of(_layers(case), case.precision, case.batch_size)
    roof = Roof(
        flops=sum(cost.flops for cost in costs),
        bytes_moved=sum(cost.moved for cost in costs),
        peak_flops=ceilings.roof.peak,
        peak_bytes=ceilings.roof.bandwidth,
    )
    return CaseRoof(roof, ceilings, earlier)


def roof_section(finding: Finding, ceilings: Ceilings, *, earlier: bool) -> Section:
    """Return the roof with the share of it that a case reaches, and lower bounds on other devices."""
    case = finding.case
    layers = _layers(case)
    latency = finding.find("latency")
    macs = case.batch_size * sum(layer.macs for layer in layers) if case.mode == "inference" else 0
    latency_s = latency.value if latency else None
    others = estimates(layers, case.precision, case.batch_size)

    def show(output: Format) -> None:
        print_line("")
        show_roofline(ceilings, output, core_macs=macs, latency_s=latency_s, known=earlier)
        print_line("")
        show_estimates(others, output, f"{case.model}, batch {case.batch_size}, {case.precision}")

    return Section(
        show,
        {
            "roofline": roofline_as_json(ceilings, core_macs=macs, latency_s=latency_s),
            "estimates": estimates_as_json(others),
        },
    )


def inner_sections(case: Case, ceilings: Ceilings | None, extras: Extras, say: Say) -> list[Section]:
    """Return the table of layers and the trace, from passes in this process after all else was measured."""
    if not extras.of_one_case:
        return []
    before = torch.get_num_threads()
    torch.set_num_threads(case.threads)
    try:
        with live(case) as opened:
            return [*_layer_section(opened, ceilings, extras, say), *_trace_section(opened, extras, say)]
    finally:
        torch.set_num_threads(before)


def _layer_section(opened: Live, ceilings: Ceilings | None, extras: Extras, say: Say) -> list[Section]:
    case = opened.case
    if not extras.layers or opened.module is None:
        return []
    say("layers")
    device = torch.device(case.device)
    layers = _layers(case)
    times = measure_layers(opened.module, opened.call, layers, device)
    roof = ceilings.roof if ceilings else None
    lines = lines_of(layers, precision=case.precision, batch_size=case.batch_size, times=times, roof=roof)

    def show(output: Format) -> None:
        print_line("")
        show_layers(lines, times, roof, output, case.label)

    return [Section(show, layers_as_json(lines, times, roof))]


def _trace_section(opened: Live, extras: Extras, say: Say) -> list[Section]:
    if extras.trace is None or opened.module is None:
        return []
    say("trace")
    traced = write_trace(extras.trace, opened.module, opened.call, torch.device(opened.case.device))
    text = f"Trace of {traced.passes} passes in {traced.file}: open it at https://ui.perfetto.dev."
    return [Section(lambda _output: print_line(f"\n{text}"), {"trace": str(traced.file)})]


def _layers(case: Case) -> tuple[Layer, ...]:
    return layered(case.model, case.input_CHW, case.num_classes).layers
